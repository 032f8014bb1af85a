"""Reads of plans and bookings, always within one clinic."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Booking, BookingChange, Plan
from ketaclinic.screening.models import CandidacyDecision, VitalSign
from ketacore.planning import PROTOCOLS, planned_dose

GRAM_STEP = Decimal("0.1")


def active_plans(clinic: Clinic, at: datetime) -> QuerySet[Plan]:
    """Return the plans of the clinic that stand at ``at``, one query whatever the number of patients."""
    return Plan.objects.of(clinic).standing_at(at).select_related("patient", "signed_by")


def active_plan(patient: Patient, at: datetime) -> Plan | None:
    """Return the plan that stands at ``at``, or ``None``."""
    found: Plan | None = active_plans(patient.clinic, at).filter(patient=patient).order_by("-at", "-pk").first()
    return found


def active_plans_of_many(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, Plan]:
    """Return the standing plan of each of many patients, for lists."""
    plans = active_plans(clinic, at).filter(patient_id__in=patient_ids).order_by("at", "pk")
    return {plan.patient_id: plan for plan in plans}


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
    plan: Plan | None = (
        Plan.objects.of(clinic)
        .filter(pk=pk)
        .select_related("patient", "patient__clinic", "clinic", "signed_by")
        .first()
    )
    if plan is None:
        raise Http404("No such plan in this clinic.")
    return plan


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
    """Return the patient's next standing booking, from the start of the day of ``at`` on."""
    day = datetime.combine(patient.clinic.day_of(at), time(), patient.clinic.zone)
    found: Booking | None = (
        Booking.objects.of(patient.clinic)
        .standing()
        .filter(patient=patient, starts_at__gte=day)
        .select_related("plan")
        .order_by("starts_at", "pk")
        .first()
    )
    return found


def next_bookings(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, Booking]:
    """Return the next standing booking of each of many patients, for lists."""
    day = datetime.combine(clinic.day_of(at), time(), clinic.zone)
    rows = (
        Booking.objects.of(clinic)
        .standing()
        .filter(patient_id__in=patient_ids, starts_at__gte=day)
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
    booking: Booking | None = (
        Booking.objects.of(clinic)
        .filter(pk=pk)
        .select_related("patient", "patient__clinic", "clinic", "plan", "change")
        .first()
    )
    if booking is None:
        raise Http404("No such booking in this clinic.")
    return booking


def stands(booking: Booking) -> bool:
    """Return whether a booking was neither moved, cancelled nor missed."""
    replaced = Booking.objects.of(booking.clinic).filter(amends=booking).exists()
    return not replaced and not BookingChange.objects.of(booking.clinic).filter(booking=booking).exists()


def changes_of_course(plan: Plan) -> QuerySet[Booking]:
    """Return the bookings of the course that replaced an earlier one, newest first, with the earlier one."""
    return (
        Booking.objects.of(plan.clinic)
        .filter(patient_id=plan.patient_id, amends__isnull=False)
        .filter(_of_course(plan))
        .select_related("amends", "recorded_by")
        .order_by("-recorded_at", "-pk")
    )


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
    return Patient.objects.of(clinic).filter(Exists(open_decision))
