"""How many people a spray makes dissociate or sleepy, and when: what was published, with its band, and no more.

The share of people comes from the study of fixed doses (PD-01, PD-03, 56 and 84 mg) within the range of the label
(T53). The course of sedation is the reported one (SPR-MON-12), straight between its moments (grade D). It is not the
concentration's: that falls far more slowly than people wake up, so a threshold in the blood would have them sedated for
hours. Of dissociation no course is at hand, of other doses and routes no share: there the question is ``Unanswered``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from ketacore.pkpd.bands import Band, Basis, Span, basis
from ketacore.pkpd.constants import EFFECTS, Quantity
from ketacore.pkpd.levels import one_row
from ketacore.pkpd.regimen import Regimen, one_of
from ketacore.pkpd.system import Array
from ketacore.pkpd.unanswered import Unanswered, is_on_label, unanswered

DOSES_MG = (56.0, 84.0)
"""The doses of the study of fixed doses."""
ONSET, PEAK, OVER_IN_MOST, GONE = (EFFECTS[f"sedation_{name}"] for name in ("onset", "peak", "over_in_most", "gone"))
SHARE_OF_PEOPLE = "The share of people who notice it at all, not how strong it is; it says nothing about one person."
UNDER_65 = (
    "Seen in people under 65 with treatment-resistant depression (grade B by dose); the band is the label's range."
)
NO_COURSE = "How dissociation comes and goes after a spray is not at hand as a share of people: no curve is drawn."
STRAIGHT = "The course is as reported (SPR-MON-12), with straight lines between its moments (grade D)."
NO_SHARE = "how many people notice it is at hand for one sitting of 56 or 84 mg of nasal esketamine only"


class Noticed(StrEnum):
    """What is noticed."""

    DISSOCIATION = "dissociation"
    SEDATION = "sedation"

    @property
    def on_label(self) -> Quantity:
        """Return the range the label prints, in per cent of patients."""
        return EFFECTS[f"{self}_on_label"]

    def at(self, dose_mg: float) -> Quantity:
        """Return the share at one of ``DOSES_MG``, in per cent of patients."""
        return EFFECTS[f"{self}_{dose_mg:g}"]


@dataclass(frozen=True, slots=True)
class Incidence:
    """The share of people (0-1) who notice it at all (``ever``), and over time where a course is published.

    ``share`` is the share at each of ``times_min`` (T,), ``peak_min`` when it is highest; None without a course.
    """

    of: Noticed
    times_min: Array
    ever: Span
    share: Band | None
    peak_min: Span | None
    basis: Basis


def incidence(of: Noticed, regimen: Regimen, times_min: Any) -> Incidence | Unanswered:
    """Return the share of people who notice ``of`` at ``times_min`` (T,), with its band.

    ``Unanswered`` for anything but one sitting of 56 or 84 mg of nasal esketamine. Raises ``ImpossibleInput``.
    Sources: PD-01, PD-03 (grade B), the label (T53, A), SPR-MON-12 (A). It explains, it does not order.
    """
    of, times = one_of(Noticed, "what is noticed", of), one_row(times_min)
    dose = _dose_of_one_sitting(regimen)
    if dose is None:
        return unanswered(f"How many people notice {of}, and when?", NO_SHARE, of.on_label, regimen)
    seen, label = of.at(dose), of.on_label
    ever = Span.of(seen.value / 100, (label.low / 100, label.high / 100))
    if of is Noticed.DISSOCIATION:
        return Incidence(of, times, ever, None, None, _told((seen, label), NO_COURSE))
    since = times - regimen.doses[0].start_min
    told = _told((seen, label, ONSET, PEAK, OVER_IN_MOST, GONE), STRAIGHT)
    peak = Span(*(regimen.doses[0].start_min + end for end in PEAK.ends))
    return Incidence(of, times, ever, _course(since, ever), peak, told)


def _told(quantities: Iterable[Quantity], *notes: str) -> Basis:
    return basis(quantities, [], SHARE_OF_PEOPLE, UNDER_65, *notes)


def _dose_of_one_sitting(regimen: Regimen) -> float | None:
    """Return the dose in mg where it is one of ``DOSES_MG``, in one sitting of nasal esketamine."""
    first_devices = sum(place == 0 for places in regimen.places() for place in places)
    total = sum(dose.amount_mg for dose in regimen.doses)
    known = [dose for dose in DOSES_MG if abs(total - dose) < 1e-6]
    return known[0] if known and first_devices == 1 and is_on_label(regimen) else None


def _course(since: Array, ever: Span) -> Band:
    """Return the share at each minute since the first device: soonest over, middle, and longest there."""
    at_top = ((PEAK.high, PEAK.high), (PEAK.value, PEAK.value), (PEAK.low, PEAK.high))
    lines = [
        np.interp(since, [ONSET.value, reached, kept, half, gone], [0, share, share, share / 2, 0], left=0, right=0)
        for share, (reached, kept), half, gone in zip(
            (ever.low, ever.point, ever.high), at_top, OVER_IN_MOST.ends, GONE.ends, strict=True
        )
    ]
    return Band.of(lines[1], np.stack(lines), np.stack(lines))
