"""Reads of proposals, always within one clinic; the list is read set by set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Min, QuerySet

from ketaclinic.followup.queries import latest_scores
from ketaclinic.maintenance.facts import INSTRUMENT, Judged, next_session_facts
from ketaclinic.maintenance.models import BenefitEvaluation, NextSessionAnswer
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Booking, BookingChange, Plan
from ketaclinic.planning.queries import active_plan, active_plans, next_bookings
from ketaclinic.policy.queries import signed_policies
from ketaclinic.treatment.models import GIVING_KINDS, SessionEvent
from ketacore.evidence import Setting
from ketacore.maintenance import NextSessionFacts, Proposal, next_session_due
from ketacore.planning import PROTOCOLS


@dataclass(frozen=True, slots=True)
class NextDue:
    """The proposal for one patient, the facts behind it, and the booking that already stands."""

    patient: Patient
    plan: Plan
    facts: NextSessionFacts
    proposal: Proposal
    booking: Booking | None


def next_due(patient: Patient, at: datetime) -> NextDue | None:
    """Return the proposal for the patient's next session; ``None`` without a standing plan."""
    plan = active_plan(patient, at)
    found = _proposals(patient.clinic, [plan], at) if plan is not None and plan.protocol_id in PROTOCOLS else []
    return found[0] if found else None


def due_list(clinic: Clinic, at: datetime) -> list[NextDue]:
    """Return the proposals of everybody with a standing plan, the most overdue first: a fixed number of queries."""
    newest = {plan.patient_id: plan for plan in active_plans(clinic, at).order_by("at", "pk")}
    found = _proposals(clinic, [plan for plan in newest.values() if plan.protocol_id in PROTOCOLS], at)
    return sorted(found, key=lambda d: (d.proposal.latest_on or date.max, d.patient.pk))


def answers_of(patient: Patient, at: datetime) -> QuerySet[NextSessionAnswer]:
    """Return what prescribers answered to proposals, newest first."""
    rows = NextSessionAnswer.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    return rows.select_related("recorded_by", "booking").order_by("-at", "-pk")


def evaluations_of(patient: Patient, at: datetime) -> QuerySet[BenefitEvaluation]:
    """Return how the benefit was judged, newest first."""
    rows = BenefitEvaluation.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    return rows.select_related("recorded_by").order_by("-at", "-pk")


def _proposals(clinic: Clinic, plans: Sequence[Plan], at: datetime) -> list[NextDue]:
    people = [plan.patient_id for plan in plans]
    given, scores = _given(clinic, people, at), latest_scores(clinic, people, INSTRUMENT, at)
    bookings, missed = next_bookings(clinic, people, at), _missed(clinic, people, at)
    policies, on, judged = signed_policies(clinic, at), clinic.day_of(at), _judged(clinic, people, at)
    found = []
    for plan in plans:
        begun = given.get(plan.patient_id, [])
        last_at = max((moment for course, moment in begun if course == plan.course_id), default=None)
        setting = Setting(clinic.jurisdiction, on, plan.product, policies)
        facts = next_session_facts(
            plan,
            [(course, clinic.day_of(moment)) for course, moment in begun],
            scores.get(plan.patient_id, []),
            begun[0][1] if begun else None,
            setting,
            sum(last_at is None or moment > last_at for moment in missed.get(plan.course_id, [])),
            judged.get(plan.course_id),
        )
        proposal = next_session_due(facts, setting)
        found.append(NextDue(plan.patient, plan, facts, proposal, bookings.get(plan.patient_id)))
    return found


def _given(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, list[tuple[int, datetime]]]:
    rows = (
        SessionEvent.objects.of(clinic)
        .standing()
        .filter(patient_id__in=patient_ids, kind__in=GIVING_KINDS, at__lte=at)
        .values_list("patient_id", "session__plan_id", "session__plan__first_id", "session_id")
        .annotate(begun_at=Min("at"))
        .order_by("begun_at")
    )
    found: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    for patient_id, plan_id, first_id, _, begun_at in rows:
        found[patient_id].append((first_id or plan_id, begun_at))
    return dict(found)


def _judged(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, Judged]:
    """Return, per course, the newest benefit evaluation; one query."""
    rows = BenefitEvaluation.objects.of(clinic).current().filter(patient_id__in=patient_ids, at__lte=at)
    newest = rows.order_by("at", "pk").values_list("plan_id", "plan__first_id", "at", "benefit")
    worse = BenefitEvaluation.Benefit.WORSE
    return {first_id or plan_id: Judged(clinic.day_of(when), said == worse) for plan_id, first_id, when, said in newest}


def _missed(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, list[datetime]]:
    """Return, per course, when the sessions that were missed should have begun; one query."""
    rows = BookingChange.objects.of(clinic).current().filter(patient_id__in=patient_ids, at__lte=at)
    rows = rows.filter(kind=BookingChange.Kind.MISSED)
    found: dict[int, list[datetime]] = defaultdict(list)
    for plan_id, first_id, starts_at in rows.values_list(
        "booking__plan_id", "booking__plan__first_id", "booking__starts_at"
    ):
        found[first_id or plan_id].append(starts_at)
    return dict(found)
