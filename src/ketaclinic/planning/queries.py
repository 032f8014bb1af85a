"""Reads of plans and bookings, always within one clinic."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.queries import one_in
from ketaclinic.planning.models import Booking, BookingChange, Plan
from ketaclinic.screening.models import CandidacyDecision, VitalSign
from ketacore.planning import PROTOCOLS, PlannedSession, plan_series, planned_dose

GRAM_STEP = Decimal("0.1")


def active_plans(clinic: Clinic, at: datetime) -> QuerySet[Plan]:
    """Return the plans of the clinic that stand at ``at``, one query whatever the number of patients."""
    return Plan.objects.of(clinic).standing_at(at).select_related("patient", "signed_by")


def active_plan(patient: Patient, at: datetime) -> Plan | None:
    """Return the plan that stands at ``at``, or ``None``."""
    found: Plan | None = active_plans(patient.clinic, at).filter(patient=patient).order_by("-at", "-pk").first()
    return found


def plans_of(patient: Patient, at: datetime) -> QuerySet[Plan]:
    """Return every version of every plan of the patient, newest first, with what replaced or ended it."""
    return (
        Plan.objects.of(patient.clinic)
        .filter(patient=patient, at__lte=at)
        .select_related("signed_by", "recorded_by", "end", "end__recorded_by", "amends", "amended_by")
        .order_by("-at", "-pk")
    )


def plan_in(clinic: Clinic, pk: int) -> Plan:
    """Return a plan of this clinic; raises ``Http404`` for any other."""
    rows: QuerySet[Plan] = Plan.objects.of(clinic)
    return one_in(rows.select_related("patient", "patient__clinic", "clinic", "signed_by"), "plan in this clinic", pk)


def session_dose_mg(plan: Plan, number: int) -> Decimal | None:
    """Return the milligrams planned for session ``number`` of the plan (day 1 of the nasal label is fixed)."""
    if plan.dose_mg is None:
        return None
    protocol = PROTOCOLS[plan.protocol_id]
    return Decimal(str(planned_dose(protocol, number, float(plan.dose_mg)))).quantize(GRAM_STEP)


def bookings_on(clinic: Clinic, day: date) -> QuerySet[Booking]:
    """Return the standing bookings of one day of the clinic, in the order of time and chair."""
    return bookings_between(clinic, day, day)


def bookings_between(clinic: Clinic, first: date, last: date) -> QuerySet[Booking]:
    """Return the standing bookings from ``first`` to ``last``, both included, by the clinic's own days."""
    start = datetime.combine(first, time(), clinic.zone)
    end = datetime.combine(last + timedelta(days=1), time(), clinic.zone)
    return (
        Booking.objects.of(clinic)
        .standing()
        .filter(starts_at__gte=start, starts_at__lt=end)
        .select_related("patient", "plan")
        .order_by("starts_at", "chair", "pk")
    )


def next_booking(patient: Patient, at: datetime) -> Booking | None:
    """Return the patient's next standing booking, from the start of the day of ``at`` on.

    One whose session was opened is not the next one any more.
    """
    day = datetime.combine(patient.clinic.day_of(at), time(), patient.clinic.zone)
    found: Booking | None = (
        Booking.objects.of(patient.clinic)
        .standing()
        .filter(patient=patient, starts_at__gte=day, session__isnull=True)
        .select_related("plan")
        .order_by("starts_at", "pk")
        .first()
    )
    return found


def next_bookings(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, Booking]:
    """Return the next standing booking of each of many patients, for lists; opened sessions are not to come."""
    day = datetime.combine(clinic.day_of(at), time(), clinic.zone)
    rows = (
        Booking.objects.of(clinic)
        .standing()
        .filter(patient_id__in=patient_ids, starts_at__gte=day, session__isnull=True)
        .order_by("-starts_at", "-pk")
    )
    return {row.patient_id: row for row in rows}


def bookings_of_course(plan: Plan) -> QuerySet[Booking]:
    """Return the bookings of the plan's whole course that stand or were cancelled or missed, in order of time."""
    return (
        Booking.objects.of(plan.clinic)
        .current()
        .filter(patient_id=plan.patient_id)
        .filter(_of_course(plan))
        .select_related("change", "change__recorded_by", "amends", "recorded_by")
        .order_by("starts_at", "pk")
    )


def _of_course(plan: Plan) -> Q:
    return Q(plan_id=plan.course_id) | Q(plan__first_id=plan.course_id)


def booking_in(clinic: Clinic, pk: int) -> Booking:
    """Return a booking of this clinic; raises ``Http404`` for any other."""
    rows: QuerySet[Booking] = Booking.objects.of(clinic)
    rows = rows.select_related("patient", "patient__clinic", "clinic", "plan", "change")
    return one_in(rows, "booking in this clinic", pk)


def stands(booking: Booking) -> bool:
    """Return whether a booking was neither moved, cancelled nor missed."""
    replaced = Booking.objects.of(booking.clinic).filter(amends=booking).exists()
    return not replaced and not BookingChange.objects.of(booking.clinic).filter(booking=booking).exists()


def all_bookings_of_course(plan: Plan) -> QuerySet[Booking]:
    """Return every booking of the course, moved, cancelled and missed ones too, in the order they were written."""
    return (
        Booking.objects.of(plan.clinic)
        .filter(patient_id=plan.patient_id)
        .filter(_of_course(plan))
        .select_related("amends", "recorded_by", "change", "change__recorded_by")
        .order_by("recorded_at", "starts_at", "pk")
    )


class Visit(StrEnum):
    """What became of a booking whose session was opened."""

    HERE = "in the clinic"
    GIVEN = "given"
    NOTHING_GIVEN = "nothing given"


GIVING = ("device", "infusion_start")
CLOSING = ("discharged", "stopped")


def visits_of_course(plan: Plan, at: datetime) -> dict[int, Visit]:
    """Return, per booking of the course whose session was opened by ``at``, what became of it.

    Sessions are a later room: they are read through the booking they belong to.
    """
    rows = Booking.objects.of(plan.clinic).filter(patient_id=plan.patient_id, session__at__lte=at)
    rows = rows.filter(_of_course(plan))
    opened = dict(rows.values_list("pk", "session__at"))
    told = rows.filter(
        session__events__kind__in=(*GIVING, *CLOSING),
        session__events__at__lte=at,
        session__events__voided=False,
        session__events__amended_by__isnull=True,
    ).values_list("pk", "session__events__kind")
    kinds: dict[int, set[str]] = {}
    for pk, kind in told:
        kinds.setdefault(pk, set()).add(kind)
    today = plan.clinic.day_of(at)
    return {
        pk: _visit(kinds.get(pk, set()), plan.clinic.day_of(opened_at) == today) for pk, opened_at in opened.items()
    }


def _visit(kinds: set[str], today: bool) -> Visit:
    if today and not kinds & {*CLOSING}:
        return Visit.HERE
    return Visit.GIVEN if kinds & {*GIVING} else Visit.NOTHING_GIVEN


USUALLY_CLOSED = (5, 6)
"""The days of the week on which a clinic is closed unless the plan asks for them (0 = Monday)."""


def closed_for(weekdays: Collection[int], first_on: date) -> tuple[int, ...]:
    """Return the usual closed days that neither the chosen weekdays nor the first day open."""
    return tuple(day for day in USUALLY_CLOSED if day not in weekdays and day != first_on.weekday())


def to_book(plan: Plan, at: datetime) -> tuple[PlannedSession, ...]:
    """Return the sessions of the plan from today on that nobody has booked, around the usual closed days."""
    weekdays = plan.customised.get("weekdays", ())
    planned = plan_series(
        PROTOCOLS[plan.protocol_id],
        plan.starts_on,
        weekdays=weekdays,
        interval_weeks=plan.customised.get("interval_weeks"),
        closed_weekdays=closed_for(weekdays, plan.starts_on),
    )
    today = plan.clinic.day_of(at)
    numbers = set(bookings_of_course(plan).values_list("number", flat=True))
    return tuple(s for s in planned.sessions if s.on >= today and s.number not in numbers)


def weights_of(patient: Patient, at: datetime) -> list[VitalSign]:
    """Return the two newest weights by ``at``, the newest first."""
    rows = (
        VitalSign.objects.of(patient.clinic).current().filter(patient=patient, kind=VitalSign.Kind.WEIGHT, at__lte=at)
    )
    return list(rows.order_by("-at", "-pk")[:2])


def awaiting_plan(clinic: Clinic, at: datetime) -> QuerySet[Patient]:
    """Return the patients a prescriber decided to treat for whom no plan was signed since."""
    decided = CandidacyDecision.objects.of(clinic).current().filter(patient=OuterRef("pk"), at__lte=at)
    newer = (
        CandidacyDecision.objects.of(clinic)
        .current()
        .filter(patient=OuterRef("patient"), product=OuterRef("product"), at__gt=OuterRef("at"), at__lte=at)
    )
    planned = Plan.objects.of(clinic).filter(
        patient=OuterRef("patient"), product=OuterRef("product"), at__gte=OuterRef("at"), at__lte=at
    )
    open_decision = (
        decided.filter(verdict=CandidacyDecision.Verdict.TREAT).exclude(Exists(newer)).exclude(Exists(planned))
    )
    return Patient.objects.of(clinic).filter(Exists(open_decision)).order_by("registered_at", "pk")
