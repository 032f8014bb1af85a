"""All models that answer a question, as a band: studies of one drug differ by more than their patients do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketacore.evidence import Refusal
from ketacore.pkpd.individuals import typical
from ketacore.pkpd.interactions import Scenario, interactions, under
from ketacore.pkpd.loading import MODELS
from ketacore.pkpd.model import Matrix, Model
from ketacore.pkpd.refusals import not_answered
from ketacore.pkpd.regimen import Person, Regimen
from ketacore.pkpd.simulate import S_OVER_R, S_OVER_R_FLOOR, SITE_UNSTATED, Profile, check_answers, is_split, simulate
from ketacore.pkpd.system import Array

ANY_SITE = "No sampling site was asked for: the band spans arterial, venous and unstated sites."


@dataclass(frozen=True, slots=True)
class Member:
    """One model of an ensemble, with the clearance ratio of the enantiomers it is asked with."""

    model: Model
    s_over_r: float


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The profiles of all members (each of one typical person) at ``times_min`` (T,)."""

    times_min: Array
    members: tuple[Profile, ...]
    matrix: Matrix | None
    notes: tuple[str, ...]

    @property
    def analytes(self) -> tuple[str, ...]:
        """Return every analyte that any member predicts."""
        return tuple(dict.fromkeys(name for profile in self.members for name in profile.concentrations_ng_per_ml))

    def band(self, analyte: str) -> tuple[Array, Array]:
        """Return the lowest and highest concentration (T,) in ng/mL among the members that predict ``analyte``."""
        curves = [p.concentrations_ng_per_ml.get(analyte) for p in self.members]
        known = [curve[0] for curve in curves if curve is not None]
        if not known:
            raise not_answered(f"no member predicts {analyte}", f"Predicted: {', '.join(self.analytes)}.")
        return np.min(known, axis=0), np.max(known, axis=0)


def ensemble(
    regimen: Regimen,
    person: Person,
    times_min: Any,
    *,
    matrix: Matrix | None = None,
    scenario: Scenario | None = None,
) -> Ensemble:
    """Return the profiles of every enabled model that answers for one person at ``times_min`` (T,).

    With ``matrix`` None members of all sampling sites join, and a note says so. A racemic dose is asked with both
    ends of the enantiomers' clearance ratio. Raises ``NotAnswered`` where no model answers.
    """
    joined = members(regimen, person, matrix=matrix, scenario=scenario)
    profiles = tuple(
        simulate(m.model, regimen, person, times_min, matrix=matrix, scenario=scenario, s_over_r=m.s_over_r)
        for m in joined
    )
    return Ensemble(profiles[0].times_min, profiles, matrix, notes_on_sites(joined, matrix))


def notes_on_sites(joined: Sequence[Member], matrix: Matrix | None) -> tuple[str, ...]:
    """Return what must be said where arterial and venous members stand in one band."""
    sites = {member.model.matrix for member in joined}
    return (ANY_SITE,) if matrix is None and len(sites) > 1 else ()


def members(
    regimen: Regimen, person: Person, *, matrix: Matrix | None = None, scenario: Scenario | None = None
) -> tuple[Member, ...]:
    """Return the enabled models that answer; raises ``NotAnswered`` with each one's reason where none does."""
    interactions(scenario)
    found: list[Member] = []
    reasons: list[str] = []
    for model in MODELS.values():
        try:
            check_answers(model, regimen, matrix)
            under(scenario, typical(model, person))
        except Refusal as refusal:
            reasons += refusal.because
        else:
            found += [Member(model, ratio) for ratio in _ratios(model, regimen)]
    if not found:
        raise not_answered("; ".join(reasons), "Change route, drug, sampling site or scenario.")
    return tuple(found)


def named_notes(told: Iterable[tuple[Model, Sequence[str]]]) -> list[str]:
    """Return what a reader must know of several answers: what is said of one model alone begins with its id."""
    named = [
        f"{model.model_id}: {n}" if n in (SITE_UNSTATED, *model.gaps) else n for model, notes in told for n in notes
    ]
    return list(dict.fromkeys(named))


def by_model(values: Sequence[tuple[str, float]]) -> list[float]:
    """Return one value a model, in their order: one asked with both ends of the clearance ratio counts by its mean."""
    found: dict[str, list[float]] = {}
    for name, value in values:
        found.setdefault(name, []).append(value)
    return [float(np.mean(both)) for both in found.values()]


def _ratios(model: Model, regimen: Regimen) -> Iterator[float]:
    yield S_OVER_R
    if is_split(model, regimen):
        yield S_OVER_R_FLOOR
