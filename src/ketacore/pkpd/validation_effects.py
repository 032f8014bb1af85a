"""Published values of what ketamine does, against the calculated effects: most went into them, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ketacore.pkpd.bands import Span
from ketacore.pkpd.constants import EFFECTS
from ketacore.pkpd.dissociation import intensity_at
from ketacore.pkpd.incidence import DOSES_MG, Incidence, Noticed, incidence
from ketacore.pkpd.model import MOLAR_MASS, Matrix
from ketacore.pkpd.pressure import REFERENCE_PERSON, REFERENCE_REGIMEN, Haemodynamics, haemodynamics
from ketacore.pkpd.regimen import DoseEvent, Drug, Regimen, Route
from ketacore.pkpd.system import Array

MINUTES = np.arange(0, 181, 1.0)
BOWDLE_NG_PER_ML = np.array([0.0, 50, 100, 150, 200])
"""Venous levels of the racemate that Bowdle held (T50)."""
C50_NMOL_PER_ML = 0.3
ARTERIAL_OVER_VENOUS = 268 / 112
"""End of 20 mg esketamine over 20 min: arterial over venous (simons-2022, otto-2021)."""
SIGNS = {"systolic": "systolic pressure", "diastolic": "diastolic pressure", "heart_rate": "heart rate"}
CALIBRATED = "the reference infusion is calibrated to it"
ENTERED = "the number itself went into the calculation"


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One published value with its limits ``low`` to ``high``, and what is calculated: a point with its band.

    ``published`` is None where the source prints a range: the limits are it.
    """

    target: str
    title: str
    published: float | None
    low: float
    high: float
    found: Span
    unit: str
    by_construction: str = ""

    @property
    def passes(self) -> bool:
        """Return whether the point lies within the limits, to three digits."""
        slack = 5e-4 * self.high
        return self.low - slack <= self.found.point <= self.high + slack


def effect_rows() -> tuple[EffectRow, ...]:
    """Return every published effect that is calculated here (T44, T45, T49, T50, T51, T53, PD-04)."""
    found = haemodynamics(REFERENCE_REGIMEN, REFERENCE_PERSON, MINUTES)
    return (
        *_maxima(found),
        *_group_means(found),
        _c50(),
        *_lines(),
        _ke0(),
        *_shares(),
        *_after_a_spray(),
    )


def linearity(arterial_over_venous: float, r_as_s: float) -> float:
    """Return how straight (r) the effect rises over the levels of Bowdle, racemate in venous ng/mL."""
    as_s: Array = BOWDLE_NG_PER_ML / 2 * (1 + r_as_s) * arterial_over_venous
    return float(np.corrcoef(BOWDLE_NG_PER_ML, intensity_at(as_s, Matrix.ARTERIAL))[0, 1])


def _maxima(found: Haemodynamics) -> Iterator[EffectRow]:
    for sign, words in SIGNS.items():
        told = EFFECTS[f"{sign}_maximum"]
        title = f"Mean of patients' highest rises, {words}"
        of = getattr(found, sign).mean_maximum
        yield EffectRow("T44", title, told.value, told.low, told.high, of, told.unit, CALIBRATED)


def _group_means(found: Haemodynamics) -> Iterator[EffectRow]:
    for sign in ("systolic", "diastolic"):
        least, most = EFFECTS[f"{sign}_group_mean"].value, EFFECTS[f"{sign}_maximum"].high
        title = f"Highest mean of a group, {SIGNS[sign]} (a lower bound)"
        of = getattr(found, sign).mean_peak
        yield EffectRow("T45", title, least, least, most, of, EFFECTS[f"{sign}_maximum"].unit, CALIBRATED)


def _c50() -> EffectRow:
    used, told = EFFECTS["dissociation_c50"], C50_NMOL_PER_ML * MOLAR_MASS["ketamine"]
    of = Span(used.low, used.value, used.high)
    return EffectRow("T49", "Half of the effect, feeling high", told, 0.75 * told, 1.25 * told, of, "ng/mL", ENTERED)


def _lines() -> Iterator[EffectRow]:
    counted = EFFECTS["r_as_s"]
    for words, ratio in (("as if arterial were venous", 1.0), ("arterial 2.4 times venous", ARTERIAL_OVER_VENOUS)):
        values = [linearity(ratio, r_as_s) for r_as_s in (counted.low, counted.value, counted.high)]
        title = f"Straightness of the effect over held levels, {words}"
        yield EffectRow("T50", title, 0.96, 0.93, 0.99, Span.of(values[1], values), "r")


def _shares() -> Iterator[EffectRow]:
    for of in Noticed:
        found = incidence(of, _spray(DOSES_MG[-1]), MINUTES)
        assert isinstance(found, Incidence)
        at, label = Span(*(100 * end for end in (found.ever.low, found.ever.point, found.ever.high))), of.on_label
        yield EffectRow("T53", f"Share of patients with any {of}", None, label.low, label.high, at, "%", ENTERED)


def _after_a_spray() -> Iterator[EffectRow]:
    rises = haemodynamics(_spray(DOSES_MG[-1]), REFERENCE_PERSON, MINUTES)
    for sign, low, high in (("systolic", 7, 9), ("diastolic", 4, 6)):
        title = f"Highest mean of a group, {SIGNS[sign]}, nasal 84 mg"
        yield EffectRow("PD-04", title, None, low, high, getattr(rises, sign).mean_peak, "mmHg")


def _spray(dose: float) -> Regimen:
    return Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, dose),))


def _ke0() -> EffectRow:
    used = EFFECTS["ke0_half_life"]
    of = Span(used.low, used.value, used.high)
    return EffectRow("T51", "Half-life to the effect site", used.value, used.low, used.high, of, used.unit, ENTERED)
