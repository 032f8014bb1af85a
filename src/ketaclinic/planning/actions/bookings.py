"""Booking a series or one session, moving and cancelling."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.planning.actions.chairs import Chairs, days_taken
from ketaclinic.planning.actions.lines import check_stands, leave_line
from ketaclinic.planning.models import Booking, BookingChange, Plan
from ketaclinic.planning.queries import bookings_between, bookings_of_course, stands, to_book
from ketacore.evidence import Refusal
from ketacore.planning import PROTOCOLS, Protocol, phase_on, plan_series

USUAL_TIME = time(9, 0)
"""When a session begins unless somebody chooses another time."""


@dataclass(frozen=True, slots=True)
class BookedSeries:
    """The bookings that were made, those of them at another time than wished, and the days without a free chair."""

    bookings: tuple[Booking, ...]
    without_chair: tuple[date, ...] = ()
    at_another_time: tuple[Booking, ...] = ()


@dataclass(frozen=True, slots=True)
class _Slot:
    """The place of a session in its course."""

    number: int
    phase: str
    on: date


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
    check_in_clinic(by, plan)
    check_stands(plan, at, "Booking the series")
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
    missing = [s for s in planned.sessions if s.on >= today and s.number not in numbers]
    if not missing:
        return BookedSeries((), ())
    taken = list(bookings_between(clinic, missing[0].on, missing[-1].on).select_related("clinic"))
    chairs, own_days = Chairs(clinic.chairs, taken), days_taken(taken, plan.patient_id)
    bookings: list[Booking] = []
    without_chair: list[date] = []
    for session in missing:
        wished = datetime.combine(session.on, starts_at, clinic.zone)
        place = chairs.free_from(wished, protocol.chair_minutes, chair)
        if session.on in own_days or place is None or wished <= at:
            without_chair.append(session.on)
            continue
        chairs.take(place[0], place[1], protocol.chair_minutes)
        bookings.append(_booking(plan, _Slot(session.number, session.phase, session.on), place, by, at))
    made = tuple(Booking.objects.bulk_create(bookings))
    _tell_booked(plan, made, by, at)
    later = tuple(b for b in made if b.starts_at.astimezone(clinic.zone).time() != starts_at)
    return BookedSeries(made, (*planned.left_out, *without_chair), later)


@transaction.atomic
def book_next(*, plan: Plan, on: date, by: Staff, at: datetime, starts_at: time = USUAL_TIME) -> Booking:
    """Book one more session of a plan on a chosen day, on a free chair at or after ``starts_at``.

    It follows the sessions of the course that are on the calendar; its phase is the protocol's on that day. Refused
    on a day that has passed or on which the patient already has a session, and when no chair is free.
    """
    check_may(by, Permission.BOOK_SESSION)
    check_in_clinic(by, plan)
    check_stands(plan, at, "Booking the session")
    clinic = _locked(plan.clinic)
    protocol = PROTOCOLS[plan.protocol_id]
    earlier = [b for b in bookings_of_course(plan).filter(change__isnull=True) if b.planned_on < on]
    taken = list(bookings_between(clinic, on, on).select_related("clinic"))
    place = Chairs(clinic.chairs, taken).free_from(
        datetime.combine(on, starts_at, clinic.zone), protocol.chair_minutes, earlier[-1].chair if earlier else None
    )
    if on in days_taken(taken, plan.patient_id) or place is None or place[1] <= at:
        raise Refusal(
            "Booking the session",
            [f"no chair is free on {_day(on)} at or after {starts_at:%H:%M}, or there is a session that day"],
            "Choose another day.",
        )
    return _book(plan, _one_more(plan, protocol, on), place, by, at)


@transaction.atomic
def book_session(
    *, plan: Plan, starts_at: datetime, by: Staff, at: datetime, chair: int | None = None, number: int | None = None
) -> Booking:
    """Book one session by hand: at exactly this time, on the chair named or any that is free.

    ``number`` is a session of the plan that is not booked, or one that was cancelled or missed and is booked again;
    without it the session is one more. Refused in the past, on a day with another session of the patient, without a
    free chair, and – except for a prescriber – when a week would then hold more sessions than the protocol's phase
    has.
    """
    check_may(by, Permission.BOOK_SESSION)
    check_in_clinic(by, plan)
    refused = "Booking the session"
    check_stands(plan, at, refused)
    clinic = _locked(plan.clinic)
    if starts_at <= at:
        raise Refusal(refused, ["this time lies in the past"], "Choose a later time.")
    day, protocol = clinic.day_of(starts_at), PROTOCOLS[plan.protocol_id]
    slot = _slot(plan, protocol, number, day, at, refused)
    taken = list(bookings_between(clinic, day, day).select_related("clinic"))
    if day in days_taken(taken, plan.patient_id):
        raise Refusal(refused, [f"{plan.patient} already has a session on {_day(day)}"], "Choose another day.")
    place = _place(clinic, taken, starts_at, protocol.chair_minutes, chair, refused)
    if not by.may(Permission.SIGN_PLAN):
        _check_week(plan, day, slot.on, None, refused)
    return _book(plan, slot, place, by, at)


def _place(
    clinic: Clinic, taken: list[Booking], starts_at: datetime, minutes: int, chair: int | None, refused: str
) -> tuple[int, datetime]:
    """Return the chair at exactly this time; the refusal names the next free place of the day."""
    if chair is not None and not 1 <= chair <= clinic.chairs:
        raise Refusal(refused, [f"there is no chair {chair}"], f"Choose a chair from 1 to {clinic.chairs}.")
    chairs, local = Chairs(clinic.chairs, taken), starts_at.astimezone(clinic.zone)
    place = chairs.free_from(local, minutes, chair)
    if place is not None and place[1] == local and chair in (None, place[0]):
        return place
    which = "no chair is free" if chair is None else f"chair {chair} is taken"
    free = f"Free that day: chair {place[0]} at {place[1]:%H:%M}." if place is not None else "Choose another day."
    raise Refusal(refused, [f"{which} on {_day(local.date())} at {local:%H:%M}"], free)


def _slot(plan: Plan, protocol: Protocol, number: int | None, day: date, at: datetime, refused: str) -> _Slot:
    """Return the place in the course of the session that is booked by hand."""
    if number is None:
        return _one_more(plan, protocol, day)
    course = [b for b in bookings_of_course(plan) if b.number == number]
    if any(not hasattr(b, "change") for b in course):
        raise Refusal(refused, [f"session {number} is booked already"], "Open the patient's plan again.")
    phases = [b.phase for b in course] + [s.phase for s in to_book(plan, at) if s.number == number]
    if not phases:
        raise Refusal(refused, [f"the plan has no session {number} to book"], "Book one more session instead.")
    return _Slot(number, phases[0], day)


def _one_more(plan: Plan, protocol: Protocol, on: date) -> _Slot:
    """Return the place of a session after those on the calendar; its phase is the protocol's on that day."""
    course = list(bookings_of_course(plan))
    earlier = [b for b in course if not hasattr(b, "change") and b.planned_on < on]
    number = max((b.number for b in course), default=0) + 1
    where = phase_on(protocol, earlier[0].planned_on if earlier else on, on, given=len(earlier))
    phase = where.phase if where is not None and where.phase is not None else protocol.phases[-1]
    return _Slot(number, phase.phase_id, on)


def _book(plan: Plan, slot: _Slot, place: tuple[int, datetime], by: Staff, at: datetime) -> Booking:
    booking = _booking(plan, slot, place, by, at)
    booking.save()
    _tell_booked(plan, (booking,), by, at)
    return booking


def _booking(plan: Plan, slot: _Slot, place: tuple[int, datetime], by: Staff, at: datetime) -> Booking:
    """Return the row, not yet written, that books one session; ``place`` is the chair and its time."""
    return Booking(
        clinic_id=plan.clinic_id,
        patient=plan.patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        plan=plan,
        number=slot.number,
        phase=slot.phase,
        planned_on=slot.on,
        starts_at=place[1],
        minutes=PROTOCOLS[plan.protocol_id].chair_minutes,
        chair=place[0],
    )


def _tell_booked(plan: Plan, made: tuple[Booking, ...], by: Staff, at: datetime) -> None:
    if not made:
        return
    first, last = made[0].planned_on, made[-1].planned_on
    title = f"{len(made)} sessions booked" if len(made) > 1 else f"Session {made[0].number} booked"
    when = _day(first) if first == last else f"{_day(first)} to {_day(last)}"
    leave_line(plan, by, at, "series_booked", title, when)
    write_audit("book_series", by=by, at=at, patient_id=plan.patient_id, obj=plan)


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


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
    check_in_clinic(by, booking)
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
        _check_week(booking.plan, day, booking.planned_on, booking, refused)
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
    told = f"{_day(day)}, {starts_at.astimezone(clinic.zone):%H:%M}, chair {chair}"
    leave_line(moved, by, at, "session_moved", f"Session {booking.number} moved to {told}", reason.strip())
    write_audit("move_booking", by=by, at=at, patient_id=booking.patient_id, obj=moved, reason=reason)
    return moved


def _check_open(booking: Booking, at: datetime, reason: str, refused: str) -> None:
    _check_not_begun(booking, refused)
    if booking.starts_at <= at:
        raise Refusal(refused, ["its time has passed"], "Record it as missed, or book another session.")
    if not reason.strip():
        raise Refusal(refused, ["no reason was given"], "Say why.")


def _check_not_begun(booking: Booking, refused: str) -> None:
    if not stands(booking):
        raise Refusal(refused, ["this booking no longer stands"], "Open the patient's plan again.")
    if hasattr(booking, "session"):
        raise Refusal(refused, ["the patient came and the session was opened"], "Nothing has to be done here.")


def _check_week(plan: Plan, day: date, planned_on: date, own: Booking | None, refused: str) -> None:
    protocol = PROTOCOLS[plan.protocol_id]
    week = (day - plan.starts_on).days // 7
    phase = next((p for p in protocol.phases if p.covers(week + 1)), protocol.phases[-1])
    standing = [b for b in bookings_of_course(plan).filter(change__isnull=True) if b != own]
    in_week = sum((plan.clinic.day_of(b.starts_at) - plan.starts_on).days // 7 == week for b in standing)
    if in_week + 1 > phase.sessions_per_week:
        own_week = (planned_on - plan.starts_on).days // 7 + 1
        raise Refusal(
            refused,
            [f"{phase.rule.rule_id}: week {week + 1} of the plan would hold {in_week + 1} sessions"],
            f"Choose a day in week {own_week}, or ask the prescriber."
            if own_week != week + 1
            else "Choose a day in another week, or ask the prescriber.",
        )


@transaction.atomic
def cancel_booking(*, booking: Booking, reason: str, by: Staff, at: datetime) -> BookingChange:
    """Cancel a booking to come, with a reason."""
    check_may(by, Permission.BOOK_SESSION)
    check_in_clinic(by, booking)
    _check_open(booking, at, reason, "Cancelling the session")
    change = change_booking(booking, BookingChange.Kind.CANCELLED, reason.strip(), by, at)
    leave_line(booking, by, at, "session_cancelled", f"Session {booking.number} cancelled", reason.strip())
    write_audit("cancel_booking", by=by, at=at, patient_id=booking.patient_id, obj=change, reason=reason)
    return change


@transaction.atomic
def miss_booking(*, booking: Booking, reason: str, by: Staff, at: datetime) -> BookingChange:
    """Record that the patient did not come."""
    check_may(by, Permission.BOOK_SESSION)
    check_in_clinic(by, booking)
    refused = "Recording a missed session"
    _check_not_begun(booking, refused)
    if booking.starts_at > at:
        raise Refusal(refused, ["its time has not come yet"], "Cancel it, or move it.")
    change = change_booking(booking, BookingChange.Kind.MISSED, reason.strip(), by, at)
    leave_line(booking, by, at, "session_missed", f"Session {booking.number} missed", reason.strip())
    write_audit("miss_booking", by=by, at=at, patient_id=booking.patient_id, obj=change, reason=reason)
    return change


def change_booking(booking: Booking, kind: str, reason: str, by: Staff, at: datetime) -> BookingChange:
    """Write that a booking will not be kept; the caller has checked who may and has told the timeline."""
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
