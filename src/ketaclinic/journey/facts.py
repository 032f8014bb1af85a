"""The doorway to the core: an annotated row becomes the dates of one person's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Plan
from ketaclinic.surveillance.models import ScreenResult
from ketacore.evidence import Fact
from ketacore.journey import INDUCTION_PHASES, JourneyFacts, Verdict
from ketacore.maintenance import NextSessionFacts
from ketacore.surveillance import Done, SurveillanceFacts


def facts_of(row: Patient, clinic: Clinic) -> JourneyFacts:
    """Return the facts of a patient read with ``queries.with_facts``; days are the clinic's own."""
    read: Any = row
    treat = read.treat_at is not None
    verdict = Verdict.TREAT if treat else Verdict(read.newest_verdict) if read.newest_verdict else None

    def day(at: datetime | None) -> date | None:
        return clinic.day_of(at) if at is not None else None

    return JourneyFacts(
        registered_on=clinic.day_of(row.registered_at),
        screening_began_on=day(read.screening_began_at),
        verdict=verdict,
        verdict_on=day(read.treat_at if treat else read.newest_verdict_at),
        product=read.product,
        consent_signed_on=day(read.consent_at),
        consent_withdrawn_on=day(read.withdrawn_at),
        plan_signed_on=day(read.plan_at),
        plan_ended_on=day(read.ended_at),
        sessions_given=read.sessions_given,
        first_given_on=day(read.first_given_at),
        last_given_on=day(read.last_given_at),
        phase=read.last_phase or "",
        maintenance_since=day(read.maintenance_at),
        next_session_on=day(read.next_session_at),
        deceased_on=row.deceased_on,
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
    plan: Plan | None, given_on: Sequence[date], done: Mapping[str, ScreenResult], clinic: Clinic, phase: str = ""
) -> SurveillanceFacts:
    """Return the course and its screens as surveillance asks for them."""
    return SurveillanceFacts(
        starts_on=Fact.of(plan.starts_on) if plan else Fact.not_asked(),
        induction=Fact.of(phase in INDUCTION_PHASES) if phase else Fact.not_asked(),
        given_on=tuple(given_on),
        done={k: Done(clinic.day_of(r.at), r.result == ScreenResult.Result.FINDING) for k, r in done.items()},
    )
