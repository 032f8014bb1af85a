"""Expected courses as bands with words, kept while the same is asked again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ketaclinic.pkpd.presenters.panels import Band
from ketacore.evidence import Refusal
from ketacore.pkpd import Band as CoreBand
from ketacore.pkpd import Expected, Matrix, Person, Regimen, expected, haemodynamics

STEP_MIN = 5.0
KEPT = 2048
"""Answers kept by each function: more than the page that explains can ask for, each of a few kilobytes."""
ANY_WEIGHT_KG = 70.0
"""For a spray: no published nasal model depends on weight, so none need be on record."""
SOMEBODY = Person(age_y=45, weight_kg=70)
"""Whom the page speaks of: an adult of 70 kg, as the models are published."""
SHOWN_MIN = 480.0
"""How far the page that explains looks ahead."""
_SEED = 1
"""The same question draws the same people."""


@dataclass(frozen=True, slots=True)
class ExpectedRise:
    """The highest rise of systolic pressure in mmHg of at least eight people in ten, and when it is, in min."""

    low: float
    high: float
    first_min: float
    last_min: float


@dataclass(frozen=True, slots=True)
class NoCourse:
    """Nothing can be expected of what is given or planned, ``because``; shown in place of a band."""

    because: str

    @classmethod
    def of(cls, refusal: Refusal) -> NoCourse:
        """Return what a refusal of the models says to the reader of a page."""
        return cls("; ".join(refusal.because))


@lru_cache(maxsize=KEPT)
def course_of(regimen: Regimen, person: Person, until_min: float) -> Expected:
    """Return what models expect every five minutes up to ``until_min``; raises ``Refusal`` where none answers."""
    return expected(regimen, person, np.arange(0.0, until_min + STEP_MIN, STEP_MIN), np.random.default_rng(_SEED))


@lru_cache(maxsize=KEPT)
def rise_of(regimen: Regimen, person: Person, until_min: float) -> ExpectedRise:
    """Return the rise of pressure to expect; raises ``Refusal`` where no model answers.

    It spans from the tenth percentile of people under the mildest assumptions to the ninetieth under the strongest.
    """
    found = haemodynamics(regimen, person, np.arange(0.0, until_min + STEP_MIN, STEP_MIN))
    maxima = found.systolic.maxima
    return ExpectedRise(maxima[min(maxima)].low, maxima[max(maxima)].high, found.peak_min.low, found.peak_min.high)


def band_of(course: Expected, name: str, css: str = "") -> Band:
    """Return a course as a band to be drawn."""
    return Band(name, course.times_min.tolist(), course.low.tolist(), course.high.tolist(), css)


def band_from(name: str, minutes: list[float], core: CoreBand, css: str = "", factor: float = 1) -> Band:
    """Return a band of the core, its values times ``factor``, to be drawn."""
    low, middle, high = ((line * factor).tolist() for line in (core.low, core.point, core.high))
    return Band(name, minutes, low, high, css, middle)


def top_words(course: Expected) -> str:
    """Return when the concentration is highest, as a phrase: the typical person, and between when it may be."""
    top = course.top_min
    if clock(top.low) == clock(top.high):
        return f"about {clock(top.point)} after the start"
    return f"about {clock(top.point)} after the start (between {clock(top.low)} and {clock(top.high)})"


def drug_of(course: Expected) -> str:
    """Return the drug in the clinic's word."""
    return course.analyte.replace("S-ketamine", "esketamine")


SITES = {Matrix.ARTERIAL: "artery", Matrix.VENOUS: "vein", Matrix.UNKNOWN: "not stated"}
ONE_SITE = {
    Matrix.ARTERIAL: "in blood drawn from an artery",
    Matrix.VENOUS: "in blood drawn from a vein",
    Matrix.UNKNOWN: "where the blood was drawn is not stated",
}


def sites_words(course: Expected) -> str:
    """Return the highest concentration by site of sampling as a phrase: an artery's blood holds about twice as much."""
    if len(course.sites) == 1:
        return ONE_SITE[course.sites[0].matrix]
    parts = [f"{SITES[site.matrix]} {span((site.low, site.high))}" for site in course.sites]
    return f"highest by where blood was drawn: {', '.join(parts)} ng/mL"


def span(values: tuple[float, float]) -> str:
    """Return a band as words, rounded to what it is good for."""
    low, high = (f"{value:.0f}" if value >= 10 else f"{value:.1f}" for value in values)
    return low if low == high else f"{low} to {high}"


def clock(minutes: float) -> str:
    """Return a length of time as words."""
    whole, rest = divmod(round(minutes), 60)
    if whole >= 48:
        return f"{whole // 24} days"
    if not whole:
        return f"{rest} min"
    return f"{whole} h {rest} min" if rest else f"{whole} h"
