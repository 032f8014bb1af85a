"""One session is booked by hand; what was given is not to come; the history tells every deed about bookings."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.planning import presenters, queries
from ketaclinic.planning.actions import (
    PlanChoices,
    book_next,
    book_series,
    book_session,
    cancel_booking,
    change_plan,
    end_plan,
    miss_booking,
    move_booking,
    sign_plan,
)
from ketaclinic.planning.models import Booking, BookingChange, Plan
from ketaclinic.record.models import TimelineEntry
from ketaclinic.treatment.models import Session, SessionEvent
from ketacore.evidence import Refusal
from ketacore.planning import PROTOCOLS
from tests.clinic.planning.test_planning import TOMORROW, booked, decide, signed
from tests.clinic.treatment_screens.floor import device, event
from tests.support.clock import Clock
from tests.support.people import NOON, make_clinic, make_patient, make_staff

DAY = timedelta(days=1)


def local(clinic: Clinic, day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), clinic.zone)


def open_for(booking: Booking, by: Staff) -> Session:
    return Session.objects.create(
        clinic=booking.clinic,
        patient=booking.patient,
        at=booking.starts_at,
        recorded_at=booking.starts_at,
        recorded_by=by,
        plan=booking.plan,
        booking=booking,
        product=booking.plan.product,
        chair=booking.chair,
        dose_mg=Decimal(56),
        entry_key=f"opened-{booking.pk}",
    )


def words(reply: object) -> str:
    return " ".join(reply.content.decode().split())  # type: ignore[attr-defined]


def states(plan: Plan, by: Staff, at: datetime) -> dict[int, str]:
    lines = presenters.booking_lines(plan, PROTOCOLS[plan.protocol_id], by, at)
    return {line.booking.number: line.state for line in lines}


# ---- one session by hand -------------------------------------------------------------------------------------------


def test_a_session_that_was_left_out_is_booked_by_hand(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    plan = signed(patient, prescriber)
    clinic.chairs = 1
    clinic.save()
    other = signed(make_patient(clinic), prescriber)
    for hour, minute in ((9, 0), (11, 30)):
        at = local(clinic, TOMORROW, hour, minute)
        book_session(plan=signed(make_patient(clinic), prescriber), starts_at=at, by=prescriber, at=NOON)
    left_out = book_series(plan=other, by=prescriber, at=NOON, starts_at=time(9), weeks=1)
    assert left_out.without_chair == (TOMORROW,)
    first = queries.to_book(other, NOON)[0]
    assert (first.number, first.on) == (1, TOMORROW)
    row = book_session(plan=other, starts_at=local(clinic, TOMORROW, 17), number=1, by=prescriber, at=NOON)
    assert (row.number, row.phase, row.planned_on) == (1, "induction", TOMORROW)
    assert TimelineEntry.objects.filter(title="Session 1 booked", detail="Tue 24 Nov 2026").exists()
    assert 1 not in {s.number for s in queries.to_book(other, NOON)}
    assert 1 in {s.number for s in queries.to_book(plan, NOON)}


def test_a_cancelled_and_a_missed_session_are_booked_again_under_their_number(
    patient: Patient, prescriber: Staff, clinic: Clinic
) -> None:
    rows = booked(patient, prescriber)
    plan = rows[0].plan
    cancel_booking(booking=rows[1], reason="Has a cold.", by=prescriber, at=NOON)
    view = presenters.plan_view(plan, prescriber, NOON)
    assert "1 cancelled or missed and not booked again" in view.standing
    assert [line.booking for line in view.lines if line.again] == [rows[1]]
    again = book_session(plan=plan, starts_at=local(clinic, TOMORROW + 5 * DAY, 10), number=2, by=prescriber, at=NOON)
    assert (again.number, again.phase) == (2, rows[1].phase)
    view = presenters.plan_view(plan, prescriber, NOON)
    assert "not booked again" not in view.standing and not any(line.again for line in (*view.lines, *view.past))
    with pytest.raises(Refusal, match="session 2 is booked already"):
        book_session(plan=plan, starts_at=local(clinic, TOMORROW + 6 * DAY, 10), number=2, by=prescriber, at=NOON)
    later = rows[0].ends_at
    miss_booking(booking=rows[0], reason="Did not come.", by=prescriber, at=later)
    moved = book_session(plan=plan, starts_at=local(clinic, TOMORROW + 8 * DAY, 9), number=1, by=prescriber, at=later)
    assert queries.session_dose_mg(plan, moved.number) == Decimal("56.0")


def test_one_more_session_follows_the_course(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    rows = booked(patient, prescriber)
    day = rows[-1].planned_on + 7 * DAY
    more = book_session(plan=rows[0].plan, starts_at=local(clinic, day, 14), chair=2, by=prescriber, at=NOON)
    assert (more.number, more.phase, more.chair) == (rows[-1].number + 1, "maintenance", 2)
    assert more.starts_at == local(clinic, day, 14)


@pytest.mark.parametrize(
    ("when", "more", "told"),
    [
        ((-1, 9), {}, "lies in the past"),
        ((0, 9), {}, "already has a session on Tue 24 Nov 2026"),
        ((1, 9), {"chair": 99}, "there is no chair 99"),
        ((1, 9), {"number": 900}, "no session 900 to book"),
        ((1, 9), {"number": 1}, "session 1 is booked already"),
    ],
)
def test_what_cannot_be_booked_is_refused(
    patient: Patient, prescriber: Staff, clinic: Clinic, when: tuple[int, int], more: dict[str, int], told: str
) -> None:
    plan = booked(patient, prescriber)[0].plan
    before = Booking.objects.count()
    with pytest.raises(Refusal, match=told):
        at = local(clinic, TOMORROW + when[0] * DAY, when[1])
        book_session(plan=plan, starts_at=at, by=prescriber, at=NOON, **more)  # type: ignore[arg-type]
    assert Booking.objects.count() == before


def test_the_refusal_names_the_next_free_place(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    clinic.chairs = 1
    clinic.save()
    booked(patient, prescriber)
    plan = signed(make_patient(clinic), prescriber)
    at = local(clinic, TOMORROW, 9)
    with pytest.raises(Refusal, match="no chair is free on Tue 24 Nov 2026 at 09:00") as told:
        book_session(plan=plan, starts_at=at, by=prescriber, at=NOON)
    assert told.value.do == "Free that day: chair 1 at 11:30."
    with pytest.raises(Refusal, match="chair 1 is taken"):
        book_session(plan=plan, starts_at=at, chair=1, by=prescriber, at=NOON)
    clinic.chairs = 2
    clinic.save()
    assert book_session(plan=plan, starts_at=at, by=prescriber, at=NOON).chair == 2


def test_only_a_prescriber_fills_a_week_beyond_the_protocol(
    patient: Patient, prescriber: Staff, nurse: Staff, clinic: Clinic
) -> None:
    plan = booked(patient, prescriber)[0].plan
    at = local(clinic, TOMORROW + DAY, 9)
    with pytest.raises(Refusal, match="would hold 3 sessions") as told:
        book_session(plan=plan, starts_at=at, by=nurse, at=NOON)
    assert told.value.do == "Choose a day in another week, or ask the prescriber."
    assert book_session(plan=plan, starts_at=at, by=prescriber, at=NOON).pk


def test_another_clinic_and_other_roles_are_kept_out(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    rows = booked(patient, prescriber)
    plan, row = rows[0].plan, rows[0]
    stranger = make_staff(make_clinic(name="Elsewhere"), Role.PRESCRIBER)
    day = local(clinic, TOMORROW + 2 * DAY, 9)
    choices = PlanChoices(dose=Decimal(84), starts_on=TOMORROW)
    other = make_patient(clinic)
    decide(other, prescriber)
    deeds: list[Callable[[Staff], object]] = [
        lambda by: sign_plan(patient=other, protocol_id="esketamine-trd-us", choices=choices, by=by, at=NOON),
        lambda by: change_plan(plan=plan, choices=choices, reason="x", by=by, at=NOON),
        lambda by: end_plan(plan=plan, why="other", reason="x", by=by, at=NOON),
        lambda by: book_series(plan=plan, by=by, at=NOON, starts_at=time(9)),
        lambda by: book_next(plan=plan, on=TOMORROW + 2 * DAY, by=by, at=NOON),
        lambda by: book_session(plan=plan, starts_at=day, by=by, at=NOON),
        lambda by: move_booking(booking=row, starts_at=day, reason="x", by=by, at=NOON),
        lambda by: cancel_booking(booking=row, reason="x", by=by, at=NOON),
        lambda by: miss_booking(booking=row, reason="x", by=by, at=row.ends_at),
    ]
    before = (Booking.objects.count(), Plan.objects.count(), BookingChange.objects.count())
    for deed in deeds:
        for by in (stranger, make_staff(clinic, Role.THERAPIST)):
            with pytest.raises(PermissionDenied):
                deed(by)
    assert (Booking.objects.count(), Plan.objects.count(), BookingChange.objects.count()) == before


# ---- on the page ---------------------------------------------------------------------------------------------------


def test_the_page_offers_to_book_what_is_left_out_or_cancelled(
    as_prescriber: Client, patient: Patient, prescriber: Staff, clinic: Clinic
) -> None:
    rows = booked(patient, prescriber)
    plan = rows[0].plan
    path, page = f"/planning/plan/{plan.pk}/one/", f"/planning/{patient.pk}/"
    assert "Book again" not in words(as_prescriber.get(page))
    as_prescriber.post(f"/planning/booking/{rows[3].pk}/cancel/", {"reason": "Has a cold."})
    shown = words(as_prescriber.get(page))
    assert "all booked" not in shown and f"{path}?number=4&amp;chair={rows[3].chair}" in shown
    assert "Session 4 cancelled" in shown and "Has a cold." in shown
    form = words(as_prescriber.get(path, {"number": "4", "chair": "2", "day": "2026-12-03"}))
    assert "Session 4</b> of the plan" in form and 'value="2026-12-03"' in form
    sent = {"number": "4", "day": "2026-12-03", "time": "14:05", "chair": "2"}
    assert as_prescriber.post(path, {**sent, "day": "soon"}).status_code == 422
    refused = as_prescriber.post(path, {**sent, "day": "2026-11-24"})
    assert refused.status_code == 409 and 'value="14:05"' in words(refused)
    told = words(as_prescriber.post(path, sent, follow=True))
    assert "Session 4 is booked: Thu 3 Dec 2026 at 14:05 on chair 2." in told
    assert "Session 4 booked" in told and "Book again" not in told
    one_more = words(as_prescriber.get(path))
    assert "Book one more session" in one_more


def test_a_series_at_another_time_says_so(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    patient.clinic.chairs = 1
    patient.clinic.save()
    booked(patient, prescriber)
    plan = signed(make_patient(patient.clinic), prescriber)
    sent = {"starts_at": "09:00", "weeks": "1", "chair": "", "closed_weekdays": ["5", "6"], "closed_on": ""}
    page = words(as_prescriber.post(f"/planning/plan/{plan.pk}/book/", sent, follow=True))
    assert "2 sessions are booked." in page
    assert "No chair was free at 09:00, so these are at another time: Tue 24 Nov 2026 at 11:30 on chair 1;" in page
    free = signed(make_patient(patient.clinic), prescriber)
    calm = words(as_prescriber.post(f"/planning/plan/{free.pk}/book/", {**sent, "starts_at": "15:00"}, follow=True))
    assert "another time" not in calm


def test_the_preview_steps_around_the_days_on_which_the_clinic_is_closed(
    as_prescriber: Client, patient: Patient, prescriber: Staff
) -> None:
    decide(patient, prescriber)
    asked = {"protocol": "esketamine-trd-us", "dose": "84", "starts_on": "2026-11-26"}
    page = words(as_prescriber.post(f"/planning/{patient.pk}/", asked))
    assert "usually closed on Sat and Sun" in page and "moved from Sun 29 Nov 2026" in page
    assert 'class="nowrap">Sun ' not in page
    chosen = words(as_prescriber.post(f"/planning/{patient.pk}/", {**asked, "weekdays": ["3", "6"]}))
    assert 'class="nowrap">Sun ' in chosen and "usually closed on Sat:" in chosen


# ---- given sessions ------------------------------------------------------------------------------------------------


def test_a_session_that_was_opened_is_not_the_next_one(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    rows = booked(patient, prescriber)
    at = rows[0].starts_at
    assert queries.next_booking(patient, at) == rows[0]
    open_for(rows[0], prescriber)
    assert queries.next_booking(patient, at) == rows[1]
    assert queries.next_bookings(clinic, [patient.pk], at) == {patient.pk: rows[1]}


def test_a_session_says_what_became_of_it(patient: Patient, prescriber: Staff) -> None:
    rows = booked(patient, prescriber)
    plan = rows[0].plan
    at = rows[0].starts_at + timedelta(minutes=30)
    assert states(plan, prescriber, at)[1] == "expected"
    session = open_for(rows[0], prescriber)
    assert states(plan, prescriber, at)[1] == "in the clinic"
    given = device(session, prescriber, at, 1)
    assert states(plan, prescriber, at)[1] == "in the clinic"
    event(session, prescriber, at + timedelta(hours=2), "discharged")
    done = at + timedelta(hours=3)
    assert states(plan, prescriber, done) == {1: "given", **{b.number: "planned" for b in rows[1:]}}
    view = presenters.plan_view(plan, prescriber, done)
    assert [line.booking for line in view.past] == [rows[0]] and not view.past[0].may_change
    row = {"clinic": plan.clinic, "patient": patient, "recorded_at": done, "recorded_by": prescriber}
    fields = {"session": session, "kind": "device", "payload": given.payload, "entry_key": "undo", "voided": True}
    SessionEvent.objects.create(**row, **fields, at=at, amends=given)
    assert states(plan, prescriber, done)[1] == "nothing given"
    assert states(plan, prescriber, rows[1].starts_at + DAY)[2] == "nothing recorded"


def test_an_opened_session_is_neither_moved_cancelled_nor_missed(
    as_prescriber: Client, patient: Patient, prescriber: Staff, clock: Clock
) -> None:
    rows = booked(patient, prescriber)
    row, at = rows[0], rows[0].starts_at
    open_for(row, prescriber)
    with pytest.raises(Refusal, match="the session was opened"):
        miss_booking(booking=row, reason="x", by=prescriber, at=at + DAY)
    for deed in (
        lambda: cancel_booking(booking=row, reason="x", by=prescriber, at=NOON),
        lambda: move_booking(booking=row, starts_at=at + DAY, reason="x", by=prescriber, at=NOON),
    ):
        with pytest.raises(Refusal, match="the session was opened"):
            deed()
    clock.pass_days(1)
    page = words(as_prescriber.get(f"/planning/{patient.pk}/"))
    assert "in the clinic" in page and f"/planning/booking/{row.pk}/" not in page
    shown = words(as_prescriber.get(f"/planning/booking/{row.pk}/"))
    assert "The patient came and the session was opened" in shown and "Record as missed" not in shown
    assert as_prescriber.post(f"/planning/booking/{row.pk}/cancel/", {"reason": "x"}).status_code == 409
    end_plan(plan=row.plan, why="other", reason="Moves away.", by=prescriber, at=NOON)
    assert not BookingChange.objects.filter(booking=row).exists()


# ---- the history ---------------------------------------------------------------------------------------------------


def test_the_history_tells_bookings_moves_and_cancellations(
    patient: Patient, prescriber: Staff, clinic: Clinic
) -> None:
    rows = booked(patient, prescriber)
    hour = timedelta(hours=1)
    move_booking(
        booking=rows[2], starts_at=rows[2].starts_at + 2 * hour, reason="Works.", by=prescriber, at=NOON + hour
    )
    cancel_booking(booking=rows[1], reason="Has a cold.", by=prescriber, at=NOON + 2 * hour)
    end_plan(plan=rows[0].plan, why="other", reason="Moves away.", by=prescriber, at=NOON + 3 * hour)
    told = [line.words for line in presenters.history(patient, prescriber, NOON + 4 * hour)]
    count = len(rows)
    assert told[0:2] in (
        ["Plan ended: another reason", f"{count - 1} sessions cancelled"],
        [f"{count - 1} sessions cancelled", "Plan ended: another reason"],
    )
    assert told[2] == "Session 2 cancelled"
    assert told[3].startswith("Session 3 moved from Tue 1 Dec 2026, 09:00 to Tue 1 Dec 2026, 11:00, chair ")
    assert f"{count} sessions booked" in told
    desk = presenters.history(patient, make_staff(clinic, Role.FRONT_DESK), NOON + 4 * hour)
    assert not any(line.words.startswith("Plan") for line in desk) and len(desk) == 4


def test_the_front_desk_books_by_hand_and_sees_nothing_clinical(
    patient: Patient, prescriber: Staff, clinic: Clinic
) -> None:
    rows = booked(patient, prescriber)
    client = Client()
    client.force_login(make_staff(clinic, Role.FRONT_DESK).user)
    page = words(client.get(f"/planning/{patient.pk}/"))
    read = re.sub(r"<[^>]*>", " ", page.split("<main")[1].split("</main>")[0])  # the form's keys are random letters
    assert "14 sessions booked" in read and not re.search(r"mg\b", read)
    assert client.get(f"/planning/plan/{rows[0].plan_id}/one/").status_code == 200
    stranger = Client()
    stranger.force_login(make_staff(make_clinic(name="Elsewhere"), Role.PRESCRIBER).user)
    assert stranger.get(f"/planning/plan/{rows[0].plan_id}/one/").status_code == 404


def test_the_page_of_a_long_course_asks_a_fixed_number_of_queries(
    as_prescriber: Client, patient: Patient, prescriber: Staff, django_assert_max_num_queries: object
) -> None:
    rows = booked(patient, prescriber)
    for row in rows[:6]:
        open_for(row, prescriber)
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        assert as_prescriber.get(f"/planning/{patient.pk}/").status_code == 200
