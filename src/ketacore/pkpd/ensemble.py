"""All models that answer a question, as a band: studies of one drug differ by more than their patients do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ketacore.evidence import Refusal
from ketacore.pkpd.individuals import typical
from ketacore.pkpd.interactions import Scenario, interactions, under
from ketacore.pkpd.loading import MODELS
from ketacore.pkpd.model import Matrix, Model
from ketacore.pkpd.refusals import MatrixMismatch, are_all, impossible, not_answered
from ketacore.pkpd.regimen import Person, Regimen, one_of
from ketacore.pkpd.simulate import (
    S_OVER_R,
    S_OVER_R_FLOOR,
    SITE_UNSTATED,
    Profile,
    check_answers,
    check_comparable,
    is_split,
    simulate,
)
from ketacore.pkpd.system import Array

SITES = (Matrix.VENOUS, Matrix.ARTERIAL)
"""The sampling sites in the order they are answered for: a clinic draws venous blood."""
ANY_SITE = (
    "No sampling site was asked for: members are arterial, venous and of unstated sites; ask for one site's band."
)


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

    @property
    def one_site(self) -> Matrix | None:
        """Return the site a band is of where none was asked for: venous before arterial; None where none is stated."""
        stated = {profile.matrix for profile in self.members}
        if self.matrix is not None:
            return self.matrix
        return next((site for site in SITES if site in stated), None)

    def band(self, analyte: str, matrix: Matrix | None = None) -> tuple[Array, Array]:
        """Return the lowest and highest concentration (T,) in ng/mL among the members that predict ``analyte``.

        ``matrix`` picks a sampling site: its models and those that may speak for it. Raises ``NotAnswered`` where no
        member predicts it, ``MatrixMismatch`` where arterial and venous members would stand in one band.
        """
        site = self._site(matrix)
        known = [p for p in self.members if analyte in p.concentrations_ng_per_ml]
        if site is not None:
            known = [p for p in known if MODELS[p.model_id].fits(site)]
        if not known:
            where = f" in {site} blood" if site is not None else ""
            raise not_answered(f"no member predicts {analyte}{where}", f"Predicted: {', '.join(self.analytes)}.")
        if site is None:
            for one, other in combinations({p.matrix for p in known}, 2):
                check_comparable(one, other)
        curves = [p.concentrations_ng_per_ml[analyte][0] for p in known]
        return np.min(curves, axis=0), np.max(curves, axis=0)

    def _site(self, matrix: Matrix | None) -> Matrix | None:
        """Return the site a band is asked for; raises where it is none, or not that of the ensemble."""
        if matrix is None:
            return None
        site = one_of(Matrix, "matrix", matrix)
        if site is Matrix.UNKNOWN:
            raise impossible("unknown is no sampling site to ask for", "Ask for arterial or venous.")
        if self.matrix is not None and site is not self.matrix:
            because = f"this ensemble is of {self.matrix} blood and has not asked the models of {site} blood"
            raise MatrixMismatch("Calculating concentrations", [because], "Make an ensemble of that site, or of all.")
        return site


def ensemble(
    regimen: Regimen,
    person: Person,
    times_min: Any,
    *,
    matrix: Matrix | None = None,
    scenario: Scenario | None = None,
) -> Ensemble:
    """Return the profiles of every enabled model that answers for one person at ``times_min`` (T,).

    With ``matrix`` None members of all sampling sites join, each with its own, and a note says so; a band is of one
    site. A racemic dose is asked with both ends of the enantiomers' clearance ratio. Raises ``NotAnswered`` where no
    model answers.
    """
    joined = members(regimen, person, matrix=matrix, scenario=scenario)
    profiles = tuple(
        simulate(m.model, regimen, person, times_min, matrix=matrix, scenario=scenario, s_over_r=m.s_over_r)
        for m in joined
    )
    return Ensemble(profiles[0].times_min, profiles, matrix, notes_on_sites(joined, matrix))


def notes_on_sites(joined: Sequence[Member], matrix: Matrix | None) -> tuple[str, ...]:
    """Return what must be said where members are arterial and venous."""
    return (ANY_SITE,) if matrix is None and _are_of_both_sites(joined) else ()


def _are_of_both_sites(joined: Sequence[Member]) -> bool:
    return {member.model.matrix for member in joined} >= set(SITES)


def by_site(joined: Sequence[Member]) -> dict[Matrix | None, tuple[Member, ...]]:
    """Return the members of each of ``SITES``, each with those of unstated site.

    Under None stand all of them where they are not of both sites.
    """
    if not _are_of_both_sites(joined):
        return {None: tuple(joined)}
    return {site: tuple(m for m in joined if m.model.fits(site)) for site in SITES}


def members(
    regimen: Regimen, person: Person, *, matrix: Matrix | None = None, scenario: Scenario | None = None
) -> tuple[Member, ...]:
    """Return the enabled models that answer; raises ``NotAnswered`` with each one's reason where none does."""
    interactions(scenario)
    if not are_all(Person, [person]):
        raise impossible("an ensemble is of one person", "Give a Person.")
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
        raise not_answered("; ".join(reasons), "Change route, drug, sampling site, scenario or person.")
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
