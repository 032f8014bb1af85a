"""The concentration to expect as a band: as wide as the models disagree, or as the people of one model differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ketacore.evidence import Grade
from ketacore.pkpd.bands import Span
from ketacore.pkpd.ensemble import Ensemble, ensemble, named_notes
from ketacore.pkpd.individuals import population
from ketacore.pkpd.loading import MODELS
from ketacore.pkpd.model import Matrix, Model
from ketacore.pkpd.regimen import Ancestry, Drug, Person, Regimen
from ketacore.pkpd.simulate import lowest_grade, simulate
from ketacore.pkpd.system import Array

PEOPLE = 4_000
"""Drawn where one model answers alone: another draw moves the edges by a few per cent, less than the models know."""
SHARE = (5.0, 95.0)
"""Percentiles of the people drawn."""
NOTICED = 0.02
"""A smaller change by ancestry is not worth a sentence."""
VENOUS_ONLY = "The band is of venous blood, which a clinic draws; how high arterial blood goes is told beside it."
BETWEEN_MODELS = "the span of {count} published models of a typical person{site}"
OF_SITE = {Matrix.ARTERIAL: ", arterial blood", Matrix.VENOUS: ", venous blood", None: ""}
BETWEEN_PEOPLE = "nine of ten people of {model}, the only published model that answers"


@dataclass(frozen=True, slots=True)
class SitePeak:
    """The highest concentration expected in blood of one sampling site, ``low`` to ``high`` in ng/mL."""

    matrix: Matrix
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Expected:
    """``low`` and ``high`` (T,) in ng/mL of ``analyte`` at ``times_min`` (T,); ``basis`` says what the band spans.

    ``top_min`` is when the concentration is highest: earliest, of the typical person, latest. The band is of one
    sampling site, ``matrix`` (None: not stated); ``sites`` tell how high each site goes, others than that of the band
    too. ``grade`` is the weakest of everything it rests on.
    """

    analyte: str
    times_min: Array
    low: Array
    high: Array
    basis: str
    models: tuple[str, ...]
    matrix: Matrix | None
    top_min: Span
    sites: tuple[SitePeak, ...]
    grade: Grade
    sources: tuple[str, ...]
    notes: tuple[str, ...]


def expected(
    regimen: Regimen, person: Person, times_min: Any, rng: np.random.Generator, *, matrix: Matrix | None = None
) -> Expected:
    """Return the band of the drug itself (racemate or S-ketamine) for one person at ``times_min`` (T,), in min.

    With one model alone the people it describes make the band, drawn with ``rng``: one line would look certain. Raises
    ``NotAnswered`` where no model answers, ``ImpossibleInput`` for what cannot be.
    """
    found = ensemble(regimen, person, times_min, matrix=matrix)
    analyte = "ketamine" if Drug.KETAMINE in regimen.drugs else "S-ketamine"
    site = found.one_site
    drawn_of = [p for p in found.members if site is None or MODELS[p.model_id].fits(site)]
    names = tuple(dict.fromkeys(p.model_id for p in drawn_of))
    curves = [p.concentrations_ng_per_ml[analyte][0] for p in drawn_of]  # every model has the drug it answers for
    tops = found.times_min[np.argmax(curves, axis=1)]
    if len(names) > 1:
        low, high = found.band(analyte, site)
        basis = BETWEEN_MODELS.format(count=len(names), site=OF_SITE[site])
        top = Span.of(float(np.median(tops)), tops)
    else:
        drawn = _drawn(MODELS[names[0]], regimen, person, found, analyte, rng)
        low, high = np.percentile(drawn, SHARE, axis=0)
        first, last = np.percentile(found.times_min[np.argmax(drawn, axis=1)], SHARE)
        basis, top = BETWEEN_PEOPLE.format(model=names[0]), Span.of(float(np.median(tops)), (first, last))
    return Expected(
        analyte=analyte,
        times_min=found.times_min,
        low=low,
        high=high,
        basis=basis,
        models=names,
        matrix=site,
        top_min=top,
        sites=_sites(found, analyte) if len(names) > 1 else (_site(MODELS[names[0]].matrix, low, high),),
        grade=max(lowest_grade(MODELS[name], regimen) for name in names),
        sources=tuple(dict.fromkeys(MODELS[name].source for name in names)),
        notes=(
            *((VENOUS_ONLY,) if found.notes else ()),
            *_on_ancestry(names, regimen, person, analyte, found.times_min),
            *named_notes((MODELS[p.model_id], p.notes) for p in drawn_of),
        ),
    )


def _sites(found: Ensemble, analyte: str) -> tuple[SitePeak, ...]:
    peaks: dict[Matrix, list[float]] = {}
    for profile in found.members:
        peaks.setdefault(profile.matrix, []).append(float(profile.concentrations_ng_per_ml[analyte].max()))
    return tuple(SitePeak(site, min(peaks[site]), max(peaks[site])) for site in Matrix if site in peaks)


def _site(site: Matrix, low: Array, high: Array) -> SitePeak:
    return SitePeak(site, float(low.max()), float(high.max()))


def _on_ancestry(names: Sequence[str], regimen: Regimen, person: Person, analyte: str, times_min: Array) -> list[str]:
    """Say what a model expects of people of another ancestry, where nobody asked for one.

    The highest concentration is that at the moments of the band or where an infusion ends.
    """
    ends = [dose.start_min + dose.duration_min for dose in regimen.doses]
    looked_at = np.unique([*times_min, *ends])
    told = []
    for model in [] if person.ancestry is not None else [MODELS[name] for name in names if _known(MODELS[name])]:
        typical = _highest(model, regimen, person, analyte, looked_at)
        for ancestry in _known(model):
            theirs = _highest(model, regimen, replace(person, ancestry=ancestry), analyte, looked_at)
            if typical and abs(theirs / typical - 1) >= NOTICED:
                told.append(
                    f"Ancestry is not asked for here: {model.model_id} expects a highest concentration "
                    f"{100 * (theirs / typical - 1):+.0f} % in people of {ancestry} ancestry."
                )
    return told


def _highest(model: Model, regimen: Regimen, person: Person, analyte: str, times_min: Array) -> float:
    return float(simulate(model, regimen, person, times_min).concentrations_ng_per_ml[analyte].max())


def _known(model: Model) -> list[Ancestry]:
    """Return the ancestries that change a parameter of the model."""
    return sorted({a for parameter in model.parameters.values() for c in parameter.covariates for a in c.ancestry})


def _drawn(
    model: Model, regimen: Regimen, person: Person, found: Ensemble, analyte: str, rng: np.random.Generator
) -> Array:
    """Return the curves (N, T) of people drawn around a person."""
    people = population(model, PEOPLE, rng, person, occasions=regimen.occasion_count)
    return simulate(model, regimen, people, found.times_min, matrix=found.matrix).concentrations_ng_per_ml[analyte]
