"""The doorway to the core: what the record holds becomes the dates of one person's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Plan
from ketacore.evidence import Fact
from ketacore.journey import INDUCTION_PHASES, JourneyFacts, Verdict
from ketacore.maintenance import NextSessionFacts
from ketacore.surveillance import Done, SurveillanceFacts


@dataclass(slots=True)
class Given:
    """A session in which drug was given: when, in which course, in which phase of the protocol."""

    session_id: int
    at: datetime
    course: int
    phase: str


@dataclass(slots=True)
class Way:
    """What the record holds about one patient's way so far; times as they were written."""

    patient: Patient
    screening_began_at: datetime | None = None
    verdict: str = ""
    verdict_at: datetime | None = None
    treat_at: datetime | None = None
    product: str = ""
    consent_at: datetime | None = None
    withdrawn_at: datetime | None = None
    plan: Plan | None = None
    plan_at: datetime | None = None
    ended_at: datetime | None = None
    given: list[Given] = field(default_factory=list)
    next_session_at: datetime | None = None


def facts_of(way: Way, clinic: Clinic) -> JourneyFacts:
    """Return the facts of a way; days are the clinic's own."""
    treat = way.treat_at is not None
    verdict = Verdict.TREAT if treat else Verdict(way.verdict) if way.verdict else None
    later = [g for g in way.given if g.phase and g.phase not in INDUCTION_PHASES]

    def day(at: datetime | None) -> date | None:
        return clinic.day_of(at) if at is not None else None

    return JourneyFacts(
        registered_on=clinic.day_of(way.patient.registered_at),
        screening_began_on=day(way.screening_began_at),
        verdict=verdict,
        verdict_on=day(way.treat_at if treat else way.verdict_at),
        product=way.product,
        consent_signed_on=day(way.consent_at),
        consent_withdrawn_on=day(way.withdrawn_at),
        plan_signed_on=day(way.plan_at),
        plan_ended_on=day(way.ended_at),
        sessions_given=len(way.given),
        first_given_on=day(way.given[0].at) if way.given else None,
        last_given_on=day(way.given[-1].at) if way.given else None,
        phase=way.given[-1].phase if way.given else "",
        maintenance_since=day(later[0].at) if later else None,
        next_session_on=day(way.next_session_at),
        deceased_on=way.patient.deceased_on,
    )


def next_session_facts(plan: Plan, given_on: Sequence[date]) -> NextSessionFacts:
    """Return what the chart asks about the next session; what is not asked there stays *not asked*."""
    weeks = plan.customised.get("late_interval_weeks")
    return NextSessionFacts(
        protocol_id=plan.protocol_id,
        given_on=tuple(given_on),
        starts_on=Fact.of(plan.starts_on),
        interval_weeks=Fact.of(int(weeks)) if weeks else Fact.not_asked(),
    )


def surveillance_facts(
    plan: Plan | None, given_on: Sequence[date], done: Mapping[str, Done], phase: str = ""
) -> SurveillanceFacts:
    """Return the course and its screens as surveillance asks for them."""
    return SurveillanceFacts(
        starts_on=Fact.of(plan.starts_on) if plan else Fact.not_asked(),
        induction=Fact.of(phase in INDUCTION_PHASES) if phase else Fact.not_asked(),
        given_on=tuple(given_on),
        done=dict(done),
    )
