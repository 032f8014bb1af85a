"""How many people dissociate, or are sedated, at each moment of a nasal dose: a probability over time with its band.

Each person has a threshold, log-normal between people; whoever's effect site stands above it notices. Where the middle
one lies is fixed by the label alone: at the peak of 56 or 84 mg of nasal esketamine, 61-84 % have any dissociation and
48-61 % any sedation (T53). No relation of concentration to incidence is published, so the structure is grade D.
Carried to another route it would say nothing: beside an infusion the one nasal model reads low by an unknown part, and
what R-ketamine counts is open, so a band would run from nobody to everybody. There the question stays ``Unanswered``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
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
from ketacore.pkpd.pressure import REFERENCE_PERSON
from ketacore.pkpd.regimen import DoseEvent, Drug, Person, Regimen, Route, one_of
from ketacore.pkpd.session import session_times
from ketacore.pkpd.system import Array
from ketacore.pkpd.unanswered import Unanswered, is_on_label, unanswered

LOG_SD, LABEL_DOSE = EFFECTS["threshold_log_sd"], EFFECTS["label_dose"]
LABEL_REGIMENS = tuple(
    Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, dose),)) for dose in (LABEL_DOSE.value, LABEL_DOSE.low)
)
"""The doses of the label, the calibrating one first."""
ON_LABEL = (
    "Calibrated to the label of nasal esketamine, 56 or 84 mg (T53): any {of} in {low:g} to {high:g} % of patients, "
    "taken to be so at the peak. The label prints no course over time."
)
SHARE_OF_PEOPLE = "The share of people who notice it at all, not how strong it is; it says nothing about one person."
OTHER_ROUTE = (
    "the label says how many people notice it after nasal esketamine only; carried to this regimen a band would run "
    "from nobody to everybody"
)


class Noticed(StrEnum):
    """What is noticed."""

    DISSOCIATION = "dissociation"
    SEDATION = "sedation"

    @property
    def on_label(self) -> Quantity:
        """Return the range the label prints, in per cent of patients."""
        return EFFECTS[f"{self}_on_label"]


@dataclass(frozen=True, slots=True)
class Incidence:
    """``share`` (0-1) of people at each of ``times_min`` (T,), ``at_peak`` that of the whole course, and its basis."""

    of: Noticed
    times_min: Array
    share: Band
    at_peak: Span
    basis: Basis


def incidence(
    of: Noticed, regimen: Regimen, person: Person, times_min: Any, *, scenario: Scenario | None = None
) -> Incidence | Unanswered:
    """Return the share of people like ``person`` who notice ``of`` at ``times_min`` (T,), with its band.

    The band spans the delay to the effect site, the label's range and doses, and how people differ. ``Unanswered`` for
    anything but nasal esketamine. Raises what ``members`` raises, and ``ImpossibleInput``. Source: the label (T53,
    grade A) for the calibration; the structure is grade D. It explains, it does not order.
    """
    of, times = one_of(Noticed, "what is noticed", of), one_row(times_min)
    every, places = session_times(regimen, times)
    return incidence_of(of, levels(regimen, person, every, scenario=scenario), regimen, every, places)


def incidence_of(
    of: Noticed, known: Sequence[Level], regimen: Regimen, times: Array, places: Array
) -> Incidence | Unanswered:
    """Return the share from levels at ``times``, shown at ``places``; ``times`` must hold the course's peak."""
    if not is_on_label(regimen):
        return unanswered(f"How many people notice {of}, and when?", OTHER_ROUTE, of.on_label, regimen)
    (level,) = known  # one model has the nasal route
    cases = [
        _share(level.s / top, published, log_sd)
        for top, published, log_sd in product(label_peaks(), of.on_label.ends, LOG_SD.ends)
    ]
    middle = _share(level.s / label_peaks()[0], of.on_label.value, LOG_SD.value)
    share = Band.of(middle[0], np.stack(cases), np.stack(cases))
    said = ON_LABEL.format(of=of, low=of.on_label.low, high=of.on_label.high)
    told = basis((of.on_label, LOG_SD, LABEL_DOSE, KE0), [level.model.model_id], SHARE_OF_PEOPLE, said)
    at_peak = Span.of(np.max(middle[0]), np.max(cases, axis=-1).ravel())
    return Incidence(of, times[places], share.at(places), at_peak, told)


@cache
def label_peaks() -> tuple[Array, ...]:
    """Return the highest effect-site level (H, 1) in ng/mL of each dose of the label, the calibrating one first."""
    found = []
    for regimen in LABEL_REGIMENS:
        times, _ = session_times(regimen, np.array([0.0]))
        (level,) = levels(regimen, REFERENCE_PERSON, times)
        found.append(np.max(level.s, axis=-1, keepdims=True))
    return tuple(found)


def _share(relative: Array, percent: float, log_sd: float) -> Array:
    """Return the share (H, T) whose threshold lies below a level relative to that at which it is ``percent``."""
    normal = NormalDist()
    with np.errstate(divide="ignore"):  # nothing in the blood: nobody
        z = np.log(relative) / log_sd + normal.inv_cdf(percent / 100)
    return np.reshape([normal.cdf(value) for value in z.ravel().tolist()], z.shape)
