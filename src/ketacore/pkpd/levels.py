"""What drives an effect: both enantiomers in blood and at the effect site, of every model that answers, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketacore.pkpd.effect_site import HALF_LIVES_MIN, with_effect_sites
from ketacore.pkpd.ensemble import members
from ketacore.pkpd.grid import Input
from ketacore.pkpd.individuals import Individuals, typical
from ketacore.pkpd.interactions import Scenario, under
from ketacore.pkpd.model import Matrix, Model
from ketacore.pkpd.modes import modes
from ketacore.pkpd.propagate import propagate
from ketacore.pkpd.refusals import impossible
from ketacore.pkpd.regimen import Person, Regimen
from ketacore.pkpd.simulate import SIDES, check_times, inputs_of, system_of
from ketacore.pkpd.system import Array, LinearSystem, drained

PLASMA = HALF_LIVES_MIN.index(0)
"""Where in the half-lives the blood itself stands."""
FEW_INPUTS = 24
"""Up to here every input is added up for all times at once; a longer course is walked through."""


@dataclass(frozen=True, slots=True)
class Level:
    """Concentrations by one model: ``s`` and ``r`` in ng/mL (H, T), H the ``HALF_LIVES_MIN``; 0 min is blood.

    ``enantiomers`` is false where a model knows the racemate only: each is then taken as half.
    """

    model: Model
    s_over_r: float
    s: Array
    r: Array

    @property
    def matrix(self) -> Matrix:
        """Return the sampling site of its model."""
        return self.model.matrix

    @property
    def enantiomers(self) -> bool:
        """Return whether its model tells the enantiomers apart."""
        return _tells_apart(self.model)


def levels(regimen: Regimen, person: Person, times_min: Any, *, scenario: Scenario | None = None) -> tuple[Level, ...]:
    """Return the levels by each member of the ensemble at ``times_min`` (T,), all sampling sites.

    Raises what ``members`` raises, and ``ImpossibleInput`` for times that are not (T,).
    """
    times = one_row(times_min)
    asked: dict[str, tuple[Model, list[float]]] = {}
    for member in members(regimen, person, scenario=scenario):
        asked.setdefault(member.model.model_id, (member.model, []))[1].append(member.s_over_r)
    found: list[Level] = []
    for model, ratios in asked.values():
        found += _of(under(scenario, typical(model, person)), regimen, ratios, times)
    return tuple(found)


def one_row(times_min: Any) -> Array:
    """Return checked times (T,); raises ``ImpossibleInput`` for anything else."""
    times = check_times(times_min)
    if times.ndim != 1:
        raise impossible("times_min holds times of several people", "Give (T,) for one person.")
    return times


def _tells_apart(model: Model) -> bool:
    return model.outputs[0].analyte == "S-ketamine"


def _of(people: Individuals, regimen: Regimen, ratios: Sequence[float], times: Array) -> list[Level]:
    model, apart = people.model, _tells_apart(people.model)
    sides = ["S-", *["R-"] * len(ratios)] if apart else [""]
    them = people.clearance_divided_by(np.array([1.0, *ratios])) if apart else people  # type: ignore[arg-type]
    inputs: list[Input] = []
    for dose, places in zip(regimen.doses, regimen.places(), strict=True):
        share: Any = np.array([SIDES[side].get(dose.drug, 0.0) for side in sides])
        inputs += inputs_of(dose, share, places, them)
    system = system_of(them)
    seen = _seen(with_effect_sites(LinearSystem(system.rates, system.readout[:1]), HALF_LIVES_MIN), inputs, times)
    if not apart:
        return [Level(model, ratios[0], seen[..., 0] / 2, seen[..., 0] / 2)]
    return [Level(model, ratio, seen[..., 0], seen[..., 1 + place]) for place, ratio in enumerate(ratios)]


def _seen(system: LinearSystem, inputs: Sequence[Input], times: Array) -> Array:
    """Return the outputs (O, T, N) as ``propagate`` does, but all times at once, for few people and few inputs."""
    states = drained(system, {i.state for i in inputs}, system.readout, np)
    used = [i for i in inputs if i.state in states]
    entries = sorted({i.state for i in used})
    few = 0 < len(used) <= FEW_INPUTS
    found = modes(system.only(states, np), [states.index(e) for e in entries], np) if few else None
    if found is None or found.slopes or not np.all(found.sound):
        return propagate(system, inputs, times)
    parts = sum(found.weights[entries.index(i.state), ..., None] * _after(i, found.rates, times) for i in used)
    seen = np.stack([np.sum(parts[low:high], axis=0).T for low, high in found.parts])
    return np.maximum(seen, 0.0)


def _after(given: Input, rates: Array, times: Array) -> Array:
    """Return what an input leaves of modes of unit weight, (M, N, T)."""
    amount, start, duration = (np.atleast_1d(v)[:, None] for v in (given.amount, given.start, given.duration))
    since = times - start
    during, rate = np.clip(since, 0, duration), rates[..., None]
    still = rate == 0
    lasting = np.where(still, during, np.expm1(rate * during) / np.where(still, 1.0, rate))
    shape = np.where(duration == 0, since >= 0, lasting / np.where(duration == 0, 1.0, duration))
    return amount * shape * np.exp(rate * np.maximum(since - duration, 0.0))
