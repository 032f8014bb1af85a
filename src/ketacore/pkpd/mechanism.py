"""How ketamine may work, for teaching: two arms side by side, never one chain, and never a prediction.

One fast "functional" arm and one slow "structural" arm (glutamate → BDNF/mTOR → synapses) are both driven by the NMDA
index. A single chain from receptor to spines to mood would contradict the timing observed: mood separates within 2 to
4 h, spines do not change before 12 h. No published parameters exist; those in ``mechanism.toml`` are illustrative.

The turnover is linear, so it is solved exactly for a drive that is straight between its points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ketacore.evidence import Grade
from ketacore.pkpd.bands import EXPLAINS, Band, Basis
from ketacore.pkpd.constants import MECHANISM
from ketacore.pkpd.expm import expm
from ketacore.pkpd.levels import levels, one_row
from ketacore.pkpd.occupancy import Occupancy, occupancy_of
from ketacore.pkpd.pressure import REFERENCE_PERSON, REFERENCE_REGIMEN
from ketacore.pkpd.refusals import impossible
from ketacore.pkpd.session import session_times
from ketacore.pkpd.system import Array

ILLUSTRATIVE = "An illustration for teaching: it never predicts whether or when somebody responds."
SCALE = "1/2 is the highest level after one infusion of 0.5 mg/kg over 40 min; 1 is a ceiling that is never reached."
NOT_A_CHAIN = (
    "The arms stand side by side: mood separates by 2-4 h, spines (mouse) rise only after 12-24 h (finding-7)."
)
WEEKS_H = tuple(float(h) for h in (*range(13), 16, 20, 24, 30, *range(36, 169, 12), *range(192, 673, 24)))
"""Hours over four weeks: close together while things move fast."""
_STATES = ("fast_rise", "fast", "glutamate", "bdnf_mtor1", "bdnf_mtor2", "bdnf_mtor", "synapses")
_SHOWN = ("fast", "synapses", "glutamate", "bdnf_mtor")
_SETS = 3


@dataclass(frozen=True, slots=True)
class Arms:
    """Both arms at ``times_h`` (T,), each 0-1 (see ``SCALE``): ``fast``, ``slow`` and what leads to the slow one."""

    times_h: Array
    fast: Band
    slow: Band
    glutamate: Band
    bdnf_mtor: Band
    basis: Basis


def arms(drive: Occupancy, times_h: Any = WEEKS_H) -> Arms:
    """Return both arms at ``times_h`` (T,) after the course whose NMDA index is ``drive``; rising hours from 0.

    The index is straight between its points and taken as 0 after its last. Raises ``ImpossibleInput`` for hours that
    are none. All parameters are illustrative (grade D, ``mechanism.toml``).
    """
    hours = one_row(times_h)
    index = drive.index
    runs = _turnover(drive.times_min / 60, np.stack([index.point, index.low, index.high]), hours)
    relative = runs / _reference()[:, None, :, None]
    shown = relative / (1 + relative)
    bands = [Band.of(shown[0, 0, state], shown[:, :, state], shown[:, :, state]) for state in range(len(_SHOWN))]
    told = tuple(f"{q.name} {q.low:g}-{q.value:g}-{q.high:g} {q.unit}: {q.reason}" for q in MECHANISM.values())
    sources = tuple(dict.fromkeys(["assumed", "finding-7", "lifetime", *drive.basis.sources]))
    fast, slow, glutamate, bdnf_mtor = bands
    told_all = Basis(Grade.D, sources, (ILLUSTRATIVE, SCALE, NOT_A_CHAIN, *told), EXPLAINS)
    return Arms(hours, fast, slow, glutamate, bdnf_mtor, told_all)


def _turnover(given_h: Array, drive: Array, hours: Array) -> Array:
    """Return the shown states (P, D, 4, T) of P sets of parameters under the drives (D, U) at ``given_h`` (U,)."""
    if given_h.ndim != 1 or drive.shape[-1:] != given_h.shape:
        raise impossible("the drive and its times do not belong together", "Give what occupancy returns.")
    over = given_h[-1] + 1 / 60
    every = np.unique(np.concatenate([[0.0], given_h, [over], hours]))
    put = np.stack([np.interp(every, [*given_h, over], [*row, 0.0], left=0.0, right=0.0) for row in drive])
    wanted = np.searchsorted(every, hours)
    states = np.zeros((every.size, _SETS, len(_STATES), drive.shape[0]))
    steps = np.diff(every)
    slopes = np.diff(put, axis=1) / steps
    for place, step in enumerate(steps):
        move = _moved(float(f"{step:.12g}"))
        pushed = move[:, :, -2:-1] * put[:, place] + move[:, :, -1:] * slopes[:, place]
        states[place + 1] = move[:, :, :-2] @ states[place] + pushed
    shown = states[wanted][:, :, [_STATES.index(name) for name in _SHOWN], :]
    return np.maximum(np.transpose(shown, (1, 3, 2, 0)), 0.0)


@lru_cache(maxsize=4096)
def _moved(step_h: float) -> Array:
    """Return what ``step_h`` hours do to state, drive and slope of the drive: (P, 7, 9)."""
    return expm(_rates() * step_h, np)[:, : len(_STATES), :]


@cache
def _rates() -> Array:
    """Return the turnover with drive and its slope as two more states, (P, 9, 9) in 1/h: middle, fast and slow set."""
    return np.stack([_rates_of([getattr(q, end) for q in MECHANISM.values()]) for end in ("value", "low", "high")])


def _rates_of(hours: list[float]) -> Array:
    rise, decay, glutamate, step, synapses = hours
    fed = {
        "fast_rise": ("drive", rise),
        "fast": ("fast_rise", decay),
        "glutamate": ("drive", glutamate),
        "bdnf_mtor1": ("glutamate", step),
        "bdnf_mtor2": ("bdnf_mtor1", step),
        "bdnf_mtor": ("bdnf_mtor2", step),
        "synapses": ("bdnf_mtor", synapses),
    }
    places = [*_STATES, "drive", "slope"]
    rates = np.zeros((len(places), len(places)))
    for name, (by, lasting) in fed.items():
        here = places.index(name)
        rates[here, here], rates[here, places.index(by)] = -1 / lasting, 1 / lasting
    rates[-2, -1] = 1.0
    return rates


@cache
def _reference() -> Array:
    """Return the highest of each shown state (P, 4) after the reference infusion, by the middle of its index."""
    times, _ = session_times(REFERENCE_REGIMEN, np.array([0.0]))
    found = occupancy_of(levels(REFERENCE_REGIMEN, REFERENCE_PERSON, times), times)
    hours = np.unique(np.concatenate([np.linspace(0, 12, 241), WEEKS_H, np.linspace(12, 120, 217)]))
    runs = _turnover(found.times_min / 60, found.index.point[None, :], hours)
    return np.asarray(np.max(runs[:, 0], axis=-1))
