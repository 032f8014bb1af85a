"""From stored rows to the facts the core is asked with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from ketaclinic.people.models import Clinic
from ketaclinic.planning.models import Plan
from ketaclinic.surveillance.models import ScreenResult
from ketacore.evidence import Fact
from ketacore.planning import PROTOCOLS, phase_on
from ketacore.surveillance import Done, SurveillanceFacts

PRESSURE = "blood_pressure"
"""The screen that a measurement at rest answers too: one written down in screening, or before a dose."""


def surveillance_facts(
    plan: Plan,
    given: Sequence[tuple[int, date]],
    newest: Iterable[ScreenResult],
    pressure_at: datetime | None,
    clinic: Clinic,
    at: datetime,
) -> SurveillanceFacts:
    """Return the facts of one course.

    ``given`` are the course and day of each session, ``newest`` one row per kind, ``pressure_at`` when the blood
    pressure was last measured at rest outside the screens.
    """
    days = tuple(day for course, day in given if course == plan.course_id)
    return SurveillanceFacts(
        starts_on=Fact.of(plan.starts_on, "plan", plan.at),
        induction=_induction(plan, days, clinic.day_of(at)),
        given_on=days,
        done=_done(newest, pressure_at, clinic),
    )


def _done(newest: Iterable[ScreenResult], pressure_at: datetime | None, clinic: Clinic) -> dict[str, Done]:
    done = {row.kind: Done(clinic.day_of(row.at), row.result == ScreenResult.Result.FINDING) for row in newest}
    if pressure_at is not None:
        measured = Done(clinic.day_of(pressure_at))
        if PRESSURE not in done or done[PRESSURE].on < measured.on:
            done[PRESSURE] = measured
    return done


def _induction(plan: Plan, days: tuple[date, ...], on: date) -> Fact[bool]:
    protocol = PROTOCOLS.get(plan.protocol_id)
    if protocol is None:
        return Fact.not_known("the protocol is not known to this release")
    if not days:
        return Fact.of(True, "no session given yet")
    place = phase_on(protocol, days[0], on, given=len(days))
    first = protocol.phases[0]
    return Fact.of(place is not None and place.phase == first, f"{protocol.title}, session {len(days)}")
