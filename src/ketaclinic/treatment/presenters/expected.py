"""What models expect of what was given in a session: a band behind the readings, dashed where it lies ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ketaclinic.design.shapes import Shape, path, polyline, text
from ketaclinic.pkpd.presenters.courses import (
    ANY_WEIGHT_KG,
    ExpectedRise,
    NoCourse,
    course_of,
    drug_of,
    rise_of,
    sites_words,
)
from ketaclinic.treatment.models import Session
from ketaclinic.treatment.presenters.dues import clock
from ketacore.evidence import Refusal
from ketacore.pkpd import DoseEvent, Drug, Expected, Person, Regimen, Route
from ketacore.treatment.course import first_dose_at, flows, infusion_ends_at
from ketacore.treatment.events import DeviceGiven
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.rules import DEVICE

AHEAD = timedelta(hours=6)
"""How long after the first dose the band is known; no picture of a session is longer."""
_WORDS_END, _WORDS_LONG = 734.0, 260.0
"""The words stand at the picture's right, where readings come last, above the band there: no edge strikes through."""


@dataclass(frozen=True, slots=True)
class Course:
    """The expected concentration and rise of pressure since the first dose of a session."""

    since: datetime
    found: Expected
    rise: ExpectedRise

    def when(self, minute: float) -> datetime:
        """Return the moment of a minute after the first dose."""
        return self.since + timedelta(minutes=minute)

    @property
    def highest(self) -> tuple[datetime, float, float]:
        """Return when the typical person's concentration is highest, and the highest of both edges in ng/mL."""
        return self.when(self.found.top_min.point), float(self.found.low.max()), float(self.found.high.max())

    @property
    def rise_between(self) -> tuple[datetime, datetime]:
        """Return between which moments pressure is expected to be highest."""
        return self.when(self.rise.first_min), self.when(self.rise.last_min)

    def pressure_words(self) -> str:
        """Return the expected pressure as a phrase."""
        first, last = self.rise_between
        sprayed = ", probably too high for a spray" if self.found.analyte == "S-ketamine" else ""
        return (
            f"the highest systolic pressure between {clock(first)} and {clock(last)}, {self.rise.low:.0f} to "
            f"{self.rise.high:.0f} mmHg above the reading before the dose in at least eight of ten people{sprayed} "
            "(grade D)"
        )

    def band_words(self) -> str:
        """Return what the band spans, how good it is, and what it joins, as a phrase."""
        return f"{self.found.basis} (grade {self.found.grade}); {sites_words(self.found)}"

    def words(self) -> str:
        """Return everything expected as a phrase for those who do not see it."""
        moment, low, high = self.highest
        return (
            f"models expect the most {drug_of(self.found)} in the blood about {clock(moment)}, "
            f"{low:.0f} to {high:.0f} ng/mL; {self.pressure_words()}; an estimate, no order"
        )


def course(session: Session, facts: SessionFacts, at: datetime) -> Course | NoCourse | None:
    """Return what models expect of what was given so far, a running infusion taken to its end; ``None`` before a dose.

    Nothing is expected without the weight an infusion was computed from, or where no published model answers for this
    person.
    """
    since = first_dose_at(facts)
    weight = ANY_WEIGHT_KG if facts.nasal else session.weight_kg
    if since is None:
        return None
    if weight is None:
        return NoCourse("no weight is on record")
    until_min, doses = AHEAD.total_seconds() / 60, doses_of(facts, since, at)
    if not doses:
        return NoCourse("nothing has flowed yet")
    try:
        regimen = Regimen(doses)
        person = Person(session.patient.age_on(session.clinic.day_of(since)), float(weight))
        return Course(since, course_of(regimen, person, until_min), rise_of(regimen, person, until_min))
    except Refusal as refusal:  # doses or a person no model describes: nothing else of the page suffers
        return NoCourse.of(refusal)


def doses_of(facts: SessionFacts, since: datetime, at: datetime) -> tuple[DoseEvent, ...]:
    """Return the devices and the stretches of infusion as doses in the order of time, in minutes since the first."""
    devices = [_device(_minutes(since, event.at)) for event, _ in facts.of(DeviceGiven)]
    stretches = []
    for flow in flows(facts):
        until = flow.until or max(infusion_ends_at(facts, at) or at, flow.since + timedelta(minutes=1))
        lasting = _minutes(flow.since, until)
        if lasting > 0:
            start = _minutes(since, flow.since)
            stretches.append(DoseEvent(Drug.KETAMINE, Route.IV, flow.mg_per_min * lasting, start, lasting))
    return tuple(sorted((*devices, *stretches), key=lambda dose: dose.start_min))


def _device(start_min: float) -> DoseEvent:
    return DoseEvent(Drug.ESKETAMINE, Route.NASAL, DEVICE.number("device_mg"), start_min, devices=1)


def _minutes(since: datetime, moment: datetime) -> float:
    """Return whole tenths of minutes: the same question is asked again and again while nothing changes."""
    return round((moment - since).total_seconds() / 6) / 10


def drawn(
    found: Course, at: datetime, end: datetime, x: Callable[[datetime], float], low_y: float, high_y: float
) -> list[Shape]:
    """Return the band up to ``end`` between two heights, its future edges dashed, with its words above it."""
    top = float(found.found.high.max()) or 1.0
    inside = [n for n, minute in enumerate(found.found.times_min) if found.when(float(minute)) <= end]
    points = [(found.when(float(found.found.times_min[n])), n) for n in inside]

    def edge(values: np.ndarray) -> list[tuple[datetime, float, float]]:
        return [(moment, x(moment), low_y - (low_y - high_y) * float(values[n]) / top) for moment, n in points]

    upper, lower = edge(found.found.high), edge(found.found.low)
    around = "L".join(f"{px:.1f} {py:.1f}" for _, px, py in [*upper, *reversed(lower)])
    shapes = [path("g-expect", f"M{around}Z")] if points else []
    for line in (upper, lower):
        gone = [(px, py) for moment, px, py in line if moment <= at]
        ahead = [(px, py) for moment, px, py in line if moment > at]
        if len(gone) > 1:
            shapes.append(polyline("g-edge", gone))
        if ahead:
            shapes.append(polyline("g-edge ahead", [*gone[-1:], *ahead]))
    _, low, high = found.highest
    if points:
        says = f"expected {drug_of(found.found)}, most {low:.0f}–{high:.0f} ng/mL"
        over = [py for _, px, py in upper if px >= _WORDS_END - _WORDS_LONG]
        shapes.append(text("g-estt end", _WORDS_END, min([low_y, *over]) - 6, says))
    return shapes


def pressure_box(
    found: Course, before: float, at: datetime, x: Callable[[datetime], float], y: Callable[[float], float]
) -> list[Shape]:
    """Return where the highest pressure is expected, above the reading ``before`` the dose, in mmHg."""
    first, last = found.rise_between
    left, right = x(first) - 4, x(last) + 4
    foot, top = y(before + found.rise.low), y(before + found.rise.high)
    outline = f"M{left:.1f} {foot:.1f}H{right:.1f}V{top:.1f}H{left:.1f}Z"
    return [path("g-expect", outline), path("g-edge ahead" if last > at else "g-edge", outline)]
