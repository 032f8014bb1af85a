"""Blood pressure and heart rate: the mean curve, and apart from it the highest rise of each patient.

Rise = slope × level at the effect site, the slope log-normal between patients; the highest of a patient's readings lies
above that by an excess. Mean drug effect plus mean excess is the published mean of maxima (T44); the drug's own part
lies anywhere from the highest group mean (T45) to all of it. How much R-ketamine counts beside S-ketamine is open
(none for cardiac output, Kamp 2021). No population model of pressure and concentration is published: all is grade D.

A slope belongs to the model whose concentrations it multiplies: each model is calibrated on its own reference
infusion, so the sampling site cancels and no arterial number meets a venous one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from statistics import NormalDist
from typing import Any

import numpy as np

from ketacore.pkpd.bands import Band, Basis, Span, basis
from ketacore.pkpd.constants import EFFECTS, Quantity
from ketacore.pkpd.effect_site import KE0
from ketacore.pkpd.interactions import Scenario
from ketacore.pkpd.levels import Level, levels, one_row
from ketacore.pkpd.model import Matrix
from ketacore.pkpd.refusals import a_quantity, not_answered
from ketacore.pkpd.regimen import DoseEvent, Drug, Person, Regimen, Route
from ketacore.pkpd.session import session_times
from ketacore.pkpd.system import Array

DRUG_SHARE, LOG_SD, R_AS_S, REFERENCE = (
    EFFECTS[name] for name in ("drug_share", "slope_log_sd", "pressure_r_as_s", "reference_mg_per_kg")
)
PERCENTILES = (10, 50, 90)
REFERENCE_PERSON = Person(age_y=45, weight_kg=70)
REFERENCE_REGIMEN = Regimen(
    (DoseEvent(Drug.KETAMINE, Route.IV, REFERENCE.value * REFERENCE_PERSON.weight_kg, duration_min=40),)
)
"""0.5 mg/kg ketamine over 40 min: what T45 gave, and the upper dose of T44."""
REFERENCE_NOTE = "Calibrated at 0.5 mg/kg ketamine over 40 min into a vein (70 kg, 45 years)."
UNSTATED = (
    "Only models of unstated sampling site answer; the one for nasal doses reads low after an infusion (GMR 0.57), so "
    "a nasal dose looks stronger beside the reference infusion than it is."
)
UNEVEN = "Age from 50, hypertension, dose and dissociation raise the rise (no number published): not in this band."
_NODES = 41
_MIDDLE = (0, 0)
"""Where the middle weight of R-ketamine and the middle half-life stand."""


@dataclass(frozen=True, slots=True)
class Rise:
    """The rise of one vital sign over its baseline, in ``unit``.

    ``mean_curve`` (T,) and ``mean_peak`` are of the group; ``mean_maximum`` and ``maxima`` (percentile of patients →
    span) are of each patient's own highest reading. ``patients`` (S, P) are the maxima of P modelled patients under S
    sets of assumptions, the first the middle one.
    """

    name: str
    unit: str
    mean_curve: Band
    mean_peak: Span
    mean_maximum: Span
    maxima: Mapping[int, Span]
    patients: Array = field(repr=False, compare=False)

    def share_above(self, limit: float, baseline: float = 0.0) -> Span:
        """Return the modelled share (0-1) of patients whose highest reading passes ``limit``, from ``baseline``.

        Both in ``unit``; with ``baseline`` 0 the limit is one of the rise itself. Raises ``ImpossibleInput``.
        """
        rise = a_quantity("limit", limit, 0, 400, self.unit) - a_quantity("baseline", baseline, 0, 400, self.unit)
        return Span.of(*_first_and_all(np.mean(self.patients > rise, axis=1)))


@dataclass(frozen=True, slots=True)
class Haemodynamics:
    """Rises at ``times_min`` (T,) and when the effect site is highest (``peak_min``), and what it rests on."""

    times_min: Array
    systolic: Rise
    diastolic: Rise
    heart_rate: Rise
    peak_min: Span
    basis: Basis


@dataclass(frozen=True, slots=True)
class Calibration:
    """One vital sign at the reference infusion: mean drug effect at the peak and mean excess of the highest reading."""

    drug: float
    excess: float
    log_sd: float


def calibrate(mean_maximum: float, group_mean: float, drug_share: float, log_sd: float) -> Calibration:
    """Return drug effect and excess whose sum is ``mean_maximum``, the drug's part not below ``group_mean``.

    ``drug_share`` (0-1) is how much of the gap between them is drug. Raises ``ImpossibleInput``.
    """
    top, bottom = (
        a_quantity(n, v, 0, 400, "") for n, v in (("mean_maximum", mean_maximum), ("group_mean", group_mean))
    )
    share, spread = a_quantity("drug_share", drug_share, 0, 1, ""), a_quantity("log_sd", log_sd, 0, 3, "")
    lowest = min(bottom, top)
    drug = lowest + share * (top - lowest)
    return Calibration(drug, top - drug, spread)


def patients_of(of: Calibration, relative_level: float) -> Array:
    """Return the maxima (P,) of modelled patients at a level relative to the reference's peak; no chance is drawn.

    Slopes and excesses stand at the middles of equally likely slices, scaled so that both means are exact.
    """
    drug, excess = of.drug * relative_level * _log_normal(of.log_sd), of.excess * _exponential()
    return np.add.outer(drug, excess).ravel()


def haemodynamics(
    regimen: Regimen, person: Person, times_min: Any, *, scenario: Scenario | None = None
) -> Haemodynamics:
    """Return the rises of blood pressure and heart rate at ``times_min`` (T,) with bands.

    Raises what ``members`` raises, and ``ImpossibleInput`` for times that are none.
    Sources: T44, T45 (grade A) for the calibration; the structure is grade D. It explains, it does not order.
    """
    times = one_row(times_min)
    every, places = session_times(regimen, times)
    return haemodynamics_of(levels(regimen, person, every, scenario=scenario), every, places)


def haemodynamics_of(known: Sequence[Level], times: Array, places: Array) -> Haemodynamics:
    """Return the rises from levels at ``times``, shown at ``places``; ``times`` must hold the session's peak."""
    tops = reference_peaks()
    known = [level for level in known if _key(level) in tops]
    if not known:
        because = "no model that answers also answers the infusion that pressure is calibrated at"
        raise not_answered(because, "Ask for a route that a model of intravenous ketamine has.")
    relative = np.stack([_driving(level) / tops[_key(level)][..., None] for level in known])
    latest = times[np.argmax(relative, axis=-1)]
    names = ("systolic", "diastolic", "heart_rate")
    systolic, diastolic, heart_rate = (
        _rise(name, EFFECTS[f"{name}_maximum"], EFFECTS[f"{name}_group_mean"], relative, places) for name in names
    )
    used = [EFFECTS[f"{name}_{what}"] for name in names for what in ("maximum", "group_mean")]
    models = dict.fromkeys(level.model.model_id for level in known)
    unstated = (UNSTATED,) if all(level.matrix is Matrix.UNKNOWN for level in known) else ()
    numbers = (*used, DRUG_SHARE, LOG_SD, R_AS_S, REFERENCE, KE0)
    told = basis(numbers, ["kamp-2021", *models], REFERENCE_NOTE, UNEVEN, *unstated)
    peak = Span.of(float(np.median(latest[:, *_MIDDLE])), latest.ravel())
    return Haemodynamics(times[places], systolic, diastolic, heart_rate, peak, told)


@cache
def reference_peaks() -> dict[tuple[str, float], Array]:
    """Return the highest driving level (W, H) in ng/mL at the reference infusion, by model and enantiomer ratio."""
    times, _ = session_times(REFERENCE_REGIMEN, np.array([0.0]))
    known = levels(REFERENCE_REGIMEN, REFERENCE_PERSON, times)
    return {_key(level): np.max(_driving(level), axis=-1) for level in known}


def _key(level: Level) -> tuple[str, float]:
    return level.model.model_id, level.s_over_r


def _driving(level: Level) -> Array:
    """Return S-ketamine plus what R-ketamine counts (W, H, T) in ng/mL; W: the middle first, then both ends."""
    return np.stack([level.s + weight * level.r for weight in (R_AS_S.value, R_AS_S.low, R_AS_S.high)])


def _rise(name: str, top: Quantity, bottom: Quantity, relative: Array, places: Array) -> Rise:
    peaks = np.max(relative, axis=-1)
    middle = (calibrate(top.value, bottom.value, DRUG_SHARE.value, LOG_SD.value), float(np.median(peaks[:, *_MIDDLE])))
    corners = list(product(DRUG_SHARE.ends, LOG_SD.ends))
    ends = [
        (calibrate(mean, bottom.value, share, spread), level)
        for mean, level in ((top.low, float(np.min(peaks))), (top.high, float(np.max(peaks))))
        for share, spread in corners
    ]
    cases = [middle, *ends]
    patients = np.stack([patients_of(of, level) for of, level in cases])
    drug = [of.drug for of, _ in cases]
    curve = Band.of(
        middle[0].drug * np.median(relative[:, *_MIDDLE], axis=0), min(drug) * relative, max(drug) * relative
    )
    quantiles = np.quantile(patients, np.array(PERCENTILES) / 100, axis=1)
    return Rise(
        name=name,
        unit=top.unit,
        mean_curve=curve.at(places),
        mean_peak=Span.of(*_first_and_all(np.array([of.drug * level for of, level in cases]))),
        mean_maximum=Span.of(*_first_and_all(np.mean(patients, axis=1))),
        maxima={p: Span.of(*_first_and_all(row)) for p, row in zip(PERCENTILES, quantiles, strict=True)},
        patients=patients,
    )


def _first_and_all(values: Array) -> tuple[float, Array]:
    return float(values[0]), values


def _slices() -> Array:
    return (np.arange(_NODES) + 0.5) / _NODES


@cache
def _log_normal(log_sd: float) -> Array:
    """Return slopes (J,) of mean 1 at the middles of equally likely slices."""
    slopes = np.exp(log_sd * np.array([NormalDist().inv_cdf(p) for p in _slices().tolist()]))
    return slopes / np.mean(slopes)


@cache
def _exponential() -> Array:
    """Return excesses (J,) of mean 1: exponential, the one shape that a mean alone fixes (grade D)."""
    excesses = -np.log1p(-_slices())
    return excesses / np.mean(excesses)
