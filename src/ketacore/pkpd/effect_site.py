"""The effect site: the concentration, followed with a delay of first order (half-life 6.1 min, 0 to 11.8).

Two exact ways: one more compartment in a model's linear system, or a recursion along concentrations that are given at
points and straight between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np

from ketacore.pkpd.constants import EFFECTS
from ketacore.pkpd.refusals import a_quantity, impossible
from ketacore.pkpd.simulate import check_times
from ketacore.pkpd.system import Array, LinearSystem

KE0 = EFFECTS["ke0_half_life"]
HALF_LIVES_MIN = (KE0.value, KE0.low, (KE0.low + KE0.value) / 2, (KE0.value + KE0.high) / 2, KE0.high)
"""The half-lives a band looks at: the mean first, then the range and what lies between (Olofsen 2012)."""
LONGEST_HALF_LIFE_MIN = 1440.0


def delayed(times_min: Any, concentrations: Any, half_life_min: float = KE0.value) -> Array:
    """Return the effect-site concentration (..., T) of ``concentrations`` (..., T) at ``times_min`` (T,).

    Exact for concentrations straight between the points; at the first point the effect site stands at equilibrium
    with it only where that is 0, else it is taken as empty. Half-life 0 means no delay. Raises ``ImpossibleInput``
    for what is no time, no concentration or no half-life. Source: Olofsen 2012, grade A for the half-life.
    """
    times = check_times(times_min)
    half_life = a_quantity("half_life_min", half_life_min, 0, LONGEST_HALF_LIFE_MIN, "min")
    given = _concentrations(concentrations, times)
    if half_life == 0:
        return given
    found = np.zeros_like(given)
    rate = log(2) / half_life
    for place, dt in enumerate(np.diff(times), start=1):
        with np.errstate(over="ignore"):  # a half-life of next to nothing: all of it follows at once
            spent = rate * dt
        keep = np.exp(-spent)
        mean = -np.expm1(-spent) / spent
        old, new = given[..., place - 1], given[..., place]
        found[..., place] = found[..., place - 1] * keep + old * (mean - keep) + new * (1 - mean)
    return np.maximum(found, 0.0)


def _concentrations(given: Any, times: Array) -> Array:
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise impossible("concentrations are not numbers", "Give ng/mL as numbers.") from None
    if times.ndim != 1 or values.shape[-1:] != times.shape:
        raise impossible("concentrations and times_min do not belong together", "Give (T,) times and (..., T) values.")
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise impossible("concentrations hold what is none", "Give ng/mL of 0 and above.")
    return values


def with_effect_sites(system: LinearSystem, half_lives_min: Sequence[float]) -> LinearSystem:
    """Return a system of one output with one more compartment, and output, per half-life: (H, S + H, N) readout.

    An effect site takes nothing from the blood. Half-life 0 reads the concentration itself.
    """
    size, patients = system.states, system.patients
    delays = [half_life for half_life in half_lives_min if half_life]
    rates = np.zeros((size + len(delays), size + len(delays), patients))
    readout = np.zeros((len(half_lives_min), size + len(delays), patients))
    rates[:size, :size] = system.rates
    for place, half_life in enumerate(half_lives_min):
        if not half_life:
            readout[place, :size] = system.readout[0]
            continue
        site, rate = size + delays.index(half_life), log(2) / half_life
        rates[site, :size], rates[site, site] = rate * system.readout[0], -rate
        readout[place, site] = 1.0
    return LinearSystem(rates, readout)
