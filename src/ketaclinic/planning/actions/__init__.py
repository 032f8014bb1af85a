"""Signing, changing and ending a plan; booking its series, moving and cancelling."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Permission, check_may
from ketaclinic.planning.actions.chairs import Chairs, days_taken
from ketaclinic.planning.facts import weight_facts
from ketaclinic.planning.models import Booking, BookingChange, Plan, PlanEnd
from ketaclinic.planning.queries import (
    GRAM_STEP,
    active_plan,
    bookings_between,
    bookings_of_course,
    stands,
)
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.actions import chronicle, keep_decision
from ketaclinic.screening.queries import candidacy
from ketacore.evidence import Decision, Refusal, Setting
from ketacore.planning import (
    PROTOCOLS,
    PlannedSession,
    Protocol,
    WeightFacts,
    check_dose,
    check_protocol,
    dose_for,
    phase_on,
    plan_series,
)
from ketacore.planning.decide import COMPUTED, dose_facts

USUAL_TIME = time(9, 0)
"""When a session begins unless somebody chooses another time."""


@dataclass(frozen=True, slots=True)
class PlanChoices:
    """What the prescriber chose. ``dose`` is in the unit of the protocol; ``reason`` explains every departure."""

    dose: Decimal
    starts_on: date
    weekdays: tuple[int, ...] = ()
    interval_weeks: int | None = None
    weight_confirmed: bool = False
    reason: str = ""
    goals: str = ""

    def customised(self) -> dict[str, Any]:
        """Return what departs from the protocol's default, as the plan keeps it."""
        chosen = {
            "weekdays": list(self.weekdays) or None,
            "interval_weeks": self.interval_weeks,
            "reason": self.reason.strip() or None,
        }
        return {name: value for name, value in chosen.items() if value is not None}


@dataclass(frozen=True, slots=True)
class BookedSeries:
    """The bookings that were made, and the days for which no chair was free."""

    bookings: tuple[Booking, ...]
    without_chair: tuple[date, ...] = ()


def protocol_named(protocol_id: str) -> Protocol:
    """Return the protocol; raises ``Refusal`` for a word nobody knows."""
    if protocol_id not in PROTOCOLS:
        raise Refusal("This plan", [f"there is no protocol {protocol_id}"], "Choose one of the list.")
    return PROTOCOLS[protocol_id]


@transaction.atomic
def sign_plan(*, patient: Patient, protocol_id: str, choices: PlanChoices, by: Staff, at: datetime) -> Plan:
    """Sign a plan for the patient.

    Refused without a prescriber's decision to treat with this product, while another plan stands, where the
    protocol does not hold, and for a dose or a weight the rules do not let pass.
    """
    check_may(by, Permission.SIGN_PLAN)
    protocol = protocol_named(protocol_id)
    _check_may_begin(patient, protocol, choices, by, at)
    fields = _fields(patient, protocol, choices, by, at, previous=None)
    plan: Plan = Plan.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        protocol_id=protocol.protocol_id,
        protocol_version=protocol.version,
        product=protocol.product,
        starts_on=choices.starts_on,
        signed_by=by,
        **fields,
    )
    _chronicle(plan, by, at, "plan_signed", f"Plan signed: {protocol.title}", _dose_words(plan))
    write_audit("sign_plan", by=by, at=at, patient_id=patient.pk, obj=plan, reason=choices.reason)
    return plan


def _check_may_begin(patient: Patient, protocol: Protocol, choices: PlanChoices, by: Staff, at: datetime) -> None:
    refused = "Signing the plan"
    if active_plan(patient, at) is not None:
        raise Refusal(refused, [f"another plan stands for {patient}"], "Change that plan, or end it first.")
    decided = candidacy(patient, protocol.product, at)
    if decided is None or decided.verdict != "treat":
        told = "nobody has decided yet" if decided is None else f"the decision is: {decided.get_verdict_display()}"
        raise Refusal(
            refused,
            [f"there is no decision to treat {patient} with {protocol.product}; {told}"],
            "A prescriber decides on the screening page first.",
        )
    if choices.starts_on < by.clinic.day_of(at):
        raise Refusal(refused, ["the first day lies in the past"], "Choose today or a later day.")


def _fields(
    patient: Patient, protocol: Protocol, choices: PlanChoices, by: Staff, at: datetime, previous: Plan | None
) -> dict[str, Any]:
    """Ask the core about protocol, days, dose and weight; keep what it decided; return what the plan stores."""
    setting = setting_of(patient.clinic, at, protocol.product)
    check_protocol(protocol, setting)
    plan_series(protocol, choices.starts_on, weekdays=choices.weekdays, interval_weeks=choices.interval_weeks)
    decision, facts = _check_dose(protocol, choices, setting, at, previous)
    keep_decision(patient=patient, by=by, at=at, room="planning", decision=decision, facts=facts)
    fields: dict[str, Any] = {"customised": choices.customised(), "goals": choices.goals.strip()}
    if protocol.dose_unit == "mg":
        return {**fields, "dose_mg": choices.dose}
    return {**fields, **_weighed(patient, protocol, choices, setting, by, at)}


def _check_dose(
    protocol: Protocol, choices: PlanChoices, setting: Setting, at: datetime, previous: Plan | None
) -> tuple[Decision, Any]:
    last_phase = protocol.phases[-1]
    before = protocol.first_dose if previous is None or previous.dose_mg is None else float(previous.dose_mg)
    facts = dose_facts(
        protocol,
        float(choices.dose),
        protocol.phases[0].phase_id,
        before,
        interval_weeks=choices.interval_weeks,
    )
    decision = check_dose(protocol, facts, setting, reason=choices.reason)
    if choices.interval_weeks is not None:
        spacing = dose_facts(
            protocol,
            float(choices.dose),
            last_phase.phase_id,
            float(choices.dose),
            interval_weeks=choices.interval_weeks,
        )
        check_dose(protocol, spacing, setting, reason=choices.reason)
    return decision, facts


def _weighed(
    patient: Patient, protocol: Protocol, choices: PlanChoices, setting: Setting, by: Staff, at: datetime
) -> dict[str, Any]:
    facts = weight_facts(patient, at, confirmed=choices.weight_confirmed)
    answer = dose_for(protocol, float(choices.dose), facts, setting)
    if answer.decision.outcome != COMPUTED or answer.dose is None:
        raise Refusal(
            "Computing the dose", _weight_reasons(answer.decision, facts), _WHAT_TO_DO[answer.decision.outcome]
        )
    keep_decision(patient=patient, by=by, at=at, room="planning", decision=answer.decision, facts=facts)
    return {
        "dose_mg_per_kg": choices.dose,
        "dose_mg": Decimal(str(answer.dose.value)).quantize(GRAM_STEP),
        "weight_kg": Decimal(str(facts.weight_kg.value)),
        "weight_measured_on": facts.measured_on.value,
    }


_WHAT_TO_DO = {
    "confirm": "Read the weight aloud with the patient, then confirm it on the form.",
    "cannot_decide": "Record a weight, or have DEC-09 signed.",
}


def _weight_reasons(decision: Decision, facts: WeightFacts) -> list[str]:
    if not facts.weight_kg.known:
        return ["no weight is on record"]
    reasons = [f"{f.rule.rule_id}: {'; '.join(f.because)}" for f in decision.findings if f.because]
    return reasons or ["DEC-09: there is no earlier weight to compare with"]


@transaction.atomic
def change_plan(*, plan: Plan, choices: PlanChoices, reason: str, by: Staff, at: datetime) -> Plan:
    """Sign a changed version of a plan that stands; the old version is kept with the reason for the change."""
    check_may(by, Permission.SIGN_PLAN)
    _check_stands(plan, at, "Changing the plan")
    if not reason.strip():
        raise Refusal("Changing the plan", ["no reason was given"], "Say why the plan changes.")
    if choices.starts_on != plan.starts_on and choices.starts_on < plan.clinic.day_of(at):
        raise Refusal("Changing the plan", ["the new first day lies in the past"], "Choose today or a later day.")
    protocol = PROTOCOLS[plan.protocol_id]
    fields = _fields(plan.patient, protocol, choices, by, at, previous=plan)
    changed: Plan = Plan.objects.create(
        clinic=plan.clinic,
        patient=plan.patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        amends=plan,
        amendment_reason=reason.strip(),
        protocol_id=protocol.protocol_id,
        protocol_version=protocol.version,
        product=protocol.product,
        starts_on=choices.starts_on,
        signed_by=by,
        first_id=plan.course_id,
        **fields,
    )
    _chronicle(changed, by, at, "plan_changed", f"Plan changed: {_dose_words(changed)}", reason.strip(), amends=plan)
    write_audit("change_plan", by=by, at=at, patient_id=plan.patient_id, obj=changed, reason=reason)
    return changed


def _check_stands(plan: Plan, at: datetime, refused: str) -> None:
    standing = active_plan(plan.patient, at)
    if standing is None or standing.pk != plan.pk:
        raise Refusal(refused, ["this version of the plan no longer stands"], "Open the patient's plan again.")


@transaction.atomic
def end_plan(*, plan: Plan, why: str, reason: str, by: Staff, at: datetime) -> PlanEnd:
    """End a plan that stands and cancel its bookings to come."""
    check_may(by, Permission.SIGN_PLAN)
    _check_stands(plan, at, "Ending the plan")
    if not reason.strip():
        raise Refusal("Ending the plan", ["no reason was given"], "Say why the plan ends.")
    end: PlanEnd = PlanEnd.objects.create(
        clinic=plan.clinic,
        patient=plan.patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        plan=plan,
        why=PlanEnd.Why(why),
        reason=reason.strip(),
    )
    for booking in bookings_of_course(plan).filter(change__isnull=True, starts_at__gt=at):
        _change_booking(booking, BookingChange.Kind.CANCELLED, f"Plan ended: {reason.strip()}", by, at)
    _chronicle(plan, by, at, "plan_ended", f"Plan ended: {end.get_why_display()}", reason.strip())
    write_audit("end_plan", by=by, at=at, patient_id=plan.patient_id, obj=end, reason=reason)
    return end


@transaction.atomic
def book_series(
    *,
    plan: Plan,
    by: Staff,
    at: datetime,
    starts_at: time,
    weeks: int | None = None,
    closed_on: Collection[date] = (),
    closed_weekdays: Collection[int] = (),
    chair: int | None = None,
) -> BookedSeries:
    """Book the sessions of a plan that are not booked yet, each on a free chair at or after ``starts_at``.

    Closed days are stepped around within their week. A day on which the patient already has a session is left as
    it is; a day without a free chair is reported and not booked.
    """
    check_may(by, Permission.BOOK_SESSION)
    _check_stands(plan, at, "Booking the series")
    clinic = _locked(plan.clinic)
    protocol = PROTOCOLS[plan.protocol_id]
    planned = plan_series(
        protocol,
        plan.starts_on,
        weekdays=plan.customised.get("weekdays", ()),
        weeks=weeks,
        interval_weeks=plan.customised.get("interval_weeks"),
        closed_on=closed_on,
        closed_weekdays=closed_weekdays,
    )
    today = clinic.day_of(at)
    numbers = set(bookings_of_course(plan).values_list("number", flat=True))
    to_book = [s for s in planned.sessions if s.on >= today and s.number not in numbers]
    if not to_book:
        return BookedSeries((), ())
    taken = list(bookings_between(clinic, to_book[0].on, to_book[-1].on).select_related("clinic"))
    chairs, own_days = Chairs(clinic.chairs, taken), days_taken(taken, plan.patient_id)
    bookings: list[Booking] = []
    without_chair: list[date] = []
    for session in to_book:
        wished = datetime.combine(session.on, starts_at, clinic.zone)
        place = chairs.free_from(wished, protocol.chair_minutes, chair)
        if session.on in own_days or place is None or wished <= at:
            without_chair.append(session.on)
            continue
        chairs.take(place[0], place[1], protocol.chair_minutes)
        bookings.append(_booking(plan, session, place, by, at))
    made = tuple(Booking.objects.bulk_create(bookings))
    _tell_booked(plan, made, by, at)
    return BookedSeries(made, (*planned.left_out, *without_chair))


@transaction.atomic
def book_next(*, plan: Plan, on: date, by: Staff, at: datetime, starts_at: time = USUAL_TIME) -> Booking:
    """Book one more session of a plan on a chosen day, on a free chair at or after ``starts_at``.

    It follows the sessions of the course that are on the calendar; its phase is the protocol's on that day. Refused
    on a day that has passed or on which the patient already has a session, and when no chair is free.
    """
    check_may(by, Permission.BOOK_SESSION)
    _check_stands(plan, at, "Booking the session")
    clinic = _locked(plan.clinic)
    protocol = PROTOCOLS[plan.protocol_id]
    course = list(bookings_of_course(plan))
    earlier = [b for b in course if not hasattr(b, "change") and b.planned_on < on]
    taken = list(bookings_between(clinic, on, on).select_related("clinic"))
    place = Chairs(clinic.chairs, taken).free_from(
        datetime.combine(on, starts_at, clinic.zone), protocol.chair_minutes, earlier[-1].chair if earlier else None
    )
    if on in days_taken(taken, plan.patient_id) or place is None or place[1] <= at:
        raise Refusal(
            "Booking the session",
            [f"no chair is free on {on:%d %b %Y} at or after {starts_at:%H:%M}, or there is a session that day"],
            "Choose another day.",
        )
    number = max((b.number for b in course), default=0) + 1
    where = phase_on(protocol, earlier[0].planned_on if earlier else on, on, given=len(earlier))
    phase = where.phase if where is not None and where.phase is not None else protocol.phases[-1]
    week, day = (where.week, where.day) if where is not None else (1, 1)
    session = PlannedSession(number, on, week, day, phase.phase_id, phase.rule.rule_id)
    booking = _booking(plan, session, place, by, at)
    booking.save()
    _tell_booked(plan, (booking,), by, at)
    return booking


def _booking(plan: Plan, session: PlannedSession, place: tuple[int, datetime], by: Staff, at: datetime) -> Booking:
    """Return the row, not yet written, that books one planned session; ``place`` is the chair and its time."""
    return Booking(
        clinic_id=plan.clinic_id,
        patient=plan.patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        plan=plan,
        number=session.number,
        phase=session.phase,
        planned_on=session.on,
        starts_at=place[1],
        minutes=PROTOCOLS[plan.protocol_id].chair_minutes,
        chair=place[0],
    )


def _tell_booked(plan: Plan, made: tuple[Booking, ...], by: Staff, at: datetime) -> None:
    if not made:
        return
    first, last = made[0].planned_on, made[-1].planned_on
    title = f"{len(made)} sessions booked" if len(made) > 1 else f"Session {made[0].number} booked"
    _chronicle(plan, by, at, "series_booked", title, f"{first:%d %b %Y} to {last:%d %b %Y}")
    write_audit("book_series", by=by, at=at, patient_id=plan.patient_id, obj=plan)


def _locked(clinic: Clinic) -> Clinic:
    """Hold the clinic's row until the transaction ends: two people booking at once cannot take one chair twice."""
    return Clinic.objects.select_for_update().get(pk=clinic.pk)


@transaction.atomic
def move_booking(
    *, booking: Booking, starts_at: datetime, reason: str, by: Staff, at: datetime, chair: int | None = None
) -> Booking:
    """Move a booking to another time or chair; the old one is kept with the reason.

    Refused into the past, onto a taken chair, onto a day with another session of the patient, and – except for a
    prescriber – when a week would then hold more sessions than the protocol's phase has.
    """
    check_may(by, Permission.BOOK_SESSION)
    clinic = _locked(booking.clinic)
    refused = "Moving the session"
    _check_open(booking, at, reason, refused)
    if starts_at <= at:
        raise Refusal(refused, ["the new time lies in the past"], "Choose a later time.")
    day = clinic.day_of(starts_at)
    others = [b for b in bookings_between(clinic, day, day).select_related("clinic") if b.pk != booking.pk]
    if day in days_taken(others, booking.patient_id):
        raise Refusal(refused, [f"{booking.patient} already has a session that day"], "Choose another day.")
    chair = chair or booking.chair
    if not 1 <= chair <= clinic.chairs:
        raise Refusal(refused, [f"there is no chair {chair}"], f"Choose a chair from 1 to {clinic.chairs}.")
    if not Chairs(clinic.chairs, others).is_free(chair, starts_at, booking.minutes):
        raise Refusal(refused, [f"chair {chair} is taken then"], "Choose another chair or another time.")
    if not by.may(Permission.SIGN_PLAN):
        _check_week(booking, day, refused)
    moved: Booking = Booking.objects.create(
        clinic=clinic,
        patient=booking.patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        amends=booking,
        amendment_reason=reason.strip(),
        plan=booking.plan,
        number=booking.number,
        phase=booking.phase,
        planned_on=booking.planned_on,
        starts_at=starts_at,
        minutes=booking.minutes,
        chair=chair,
    )
    told = f"{starts_at.astimezone(clinic.zone):%a %d %b %Y %H:%M}, chair {chair}"
    _chronicle(moved, by, at, "session_moved", f"Session {booking.number} moved to {told}", reason.strip())
    write_audit("move_booking", by=by, at=at, patient_id=booking.patient_id, obj=moved, reason=reason)
    return moved


def _check_open(booking: Booking, at: datetime, reason: str, refused: str) -> None:
    if not stands(booking):
        raise Refusal(refused, ["this booking no longer stands"], "Open the patient's plan again.")
    if booking.starts_at <= at:
        raise Refusal(refused, ["its time has passed"], "Record it as missed, or book another session.")
    if not reason.strip():
        raise Refusal(refused, ["no reason was given"], "Say why.")


def _check_week(booking: Booking, day: date, refused: str) -> None:
    plan, protocol = booking.plan, PROTOCOLS[booking.plan.protocol_id]
    week = (day - plan.starts_on).days // 7
    phase = next((p for p in protocol.phases if p.covers(week + 1)), protocol.phases[-1])
    standing = [b for b in bookings_of_course(plan).filter(change__isnull=True) if b.pk != booking.pk]
    in_week = sum((plan.clinic.day_of(b.starts_at) - plan.starts_on).days // 7 == week for b in standing)
    if in_week + 1 > phase.sessions_per_week:
        raise Refusal(
            refused,
            [f"{phase.rule.rule_id}: week {week + 1} of the plan would hold {in_week + 1} sessions"],
            f"Choose a day in week {(booking.planned_on - plan.starts_on).days // 7 + 1}, or ask the prescriber.",
        )


@transaction.atomic
def cancel_booking(*, booking: Booking, reason: str, by: Staff, at: datetime) -> BookingChange:
    """Cancel a booking to come, with a reason."""
    check_may(by, Permission.BOOK_SESSION)
    _check_open(booking, at, reason, "Cancelling the session")
    change = _change_booking(booking, BookingChange.Kind.CANCELLED, reason.strip(), by, at)
    _chronicle(booking, by, at, "session_cancelled", f"Session {booking.number} cancelled", reason.strip())
    write_audit("cancel_booking", by=by, at=at, patient_id=booking.patient_id, obj=change, reason=reason)
    return change


@transaction.atomic
def miss_booking(*, booking: Booking, reason: str, by: Staff, at: datetime) -> BookingChange:
    """Record that the patient did not come."""
    check_may(by, Permission.BOOK_SESSION)
    refused = "Recording a missed session"
    if not stands(booking):
        raise Refusal(refused, ["this booking no longer stands"], "Open the patient's plan again.")
    if booking.starts_at > at:
        raise Refusal(refused, ["its time has not come yet"], "Cancel it, or move it.")
    change = _change_booking(booking, BookingChange.Kind.MISSED, reason.strip(), by, at)
    _chronicle(booking, by, at, "session_missed", f"Session {booking.number} missed", reason.strip())
    write_audit("miss_booking", by=by, at=at, patient_id=booking.patient_id, obj=change, reason=reason)
    return change


def _change_booking(booking: Booking, kind: str, reason: str, by: Staff, at: datetime) -> BookingChange:
    change: BookingChange = BookingChange.objects.create(
        clinic=booking.clinic,
        patient=booking.patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        booking=booking,
        kind=kind,
        reason=reason,
    )
    return change


def _dose_words(plan: Plan) -> str:
    if plan.dose_mg_per_kg is not None:
        return f"{plan.dose_mg_per_kg.normalize():f} mg/kg, {plan.dose_mg} mg for {plan.weight_kg} kg"
    return f"{plan.dose_mg.normalize():f} mg" if plan.dose_mg is not None else ""


def _chronicle(
    about: Plan | Booking, by: Staff, at: datetime, kind: str, title: str, detail: str, amends: Plan | None = None
) -> None:
    chronicle(
        patient=about.patient,
        by=by,
        at=at,
        recorded_at=at,
        stage="planning",
        kind=kind,
        title=title,
        detail=detail,
        about=about,
        amends=amends,
    )
