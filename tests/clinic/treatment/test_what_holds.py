"""What a correction, an undo or an opening may not do to a session, beyond the table of phases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from ketaclinic.people.models import Patient, Staff
from ketaclinic.planning.models import Booking, BookingChange, Plan, PlanEnd
from ketaclinic.record.models import StoredDecision
from ketaclinic.treatment import actions, queries
from ketaclinic.treatment.models import Session, SessionEvent
from ketacore.evidence import Refusal
from ketacore.treatment import events as e
from tests.clinic.treatment.whole import (
    OPENED,
    TODAY,
    checked,
    dosed,
    measured,
    minute,
    observed,
    opened,
    ready_plan,
    sign_everything,
)
from tests.support.clock import Clock
from tests.support.people import NOON, make_patient

STOP = {"outcome": "not_started", "reason": "Felt ill."}


@pytest.fixture
def plan(patient: Patient, prescriber: Staff) -> Plan:
    sign_everything(prescriber)
    return ready_plan(patient, prescriber)


@pytest.fixture
def session(plan: Plan, nurse: Staff) -> Session:
    return opened(plan, nurse)


def only(session: Session, kind: str, at: float) -> SessionEvent:
    return queries.standing_events_of(session, minute(at)).filter(kind=kind).earliest("at")


def test_the_first_device_is_not_moved_into_the_rest_before_the_second(session: Session, nurse: Staff) -> None:
    checked(session, nurse)
    dosed(session, nurse)
    change = {"event": only(session, "device", 50), "by": nurse, "at": minute(50), "reason": "Clock."}
    with pytest.raises(Refusal, match=r"device at 09:35 would no longer follow: SPR-ADM-04"):
        actions.amend_event(happened_at=minute(3), **change)
    assert actions.amend_event(happened_at=minute(-1), **change).at == minute(-1)


def test_a_pause_stays_before_its_end(patient: Patient, nurse: Staff, prescriber: Staff) -> None:
    sign_everything(prescriber)
    session = opened(ready_plan(patient, prescriber, "ketamine-iv"), nurse)
    checked(session, nurse)
    dosed(session, nurse)
    change = {"by": nurse, "at": minute(50), "reason": "Clock."}
    with pytest.raises(Refusal, match="infusion resume at 09:45 would no longer follow"):
        actions.amend_event(event=only(session, "infusion_pause", 50), happened_at=minute(20), **change)
    with pytest.raises(Refusal, match="infusion pause at 09:40 would no longer follow"):
        actions.amend_event(event=only(session, "infusion_start", 50), happened_at=minute(12), **change)


def test_a_lot_is_corrected_after_the_plan_has_ended(session: Session, nurse: Staff, prescriber: Staff) -> None:
    checked(session, nurse)
    dosed(session, nurse)
    first = only(session, "device", 50)
    row = {"clinic": session.clinic, "patient": session.patient, "recorded_by": prescriber, "plan": session.plan}
    PlanEnd.objects.create(**row, at=minute(60), recorded_at=minute(60), why="other", reason="Moved away.")
    said = {**first.payload, "lot": "SYN-9"}
    actions.amend_event(event=first, by=nurse, at=minute(70), reason="Misread.", payload=said)
    kept = StoredDecision.objects.filter(patient=session.patient, question="may_start")
    assert list(kept.values_list("outcome", flat=True)) == ["may_start", "may_start"]


def test_what_never_followed_does_not_hold_up_other_corrections(session: Session, nurse: Staff) -> None:
    """A session that an older release has left without its arrival can still be corrected, and repaired."""
    checked(session, nurse)
    dosed(session, nurse)
    arrived = only(session, "arrived", 50)
    who = {"clinic": session.clinic, "patient": session.patient, "recorded_by": nurse, "at": arrived.at}
    SessionEvent.objects.create(
        **who, session=session, kind="arrived", payload=arrived.payload, recorded_at=minute(50), entry_key="old",
        amends=arrived, amendment_reason="Wrong.", voided=True,
    )  # fmt: skip
    reading = only(session, "vitals", 50)
    said = {"systolic": 120, "diastolic": 80}
    assert actions.amend_event(event=reading, by=nurse, at=minute(51), reason="Typed.", payload=said)


def test_the_signature_somebody_went_home_on_is_not_taken_back(
    session: Session, nurse: Staff, prescriber: Staff
) -> None:
    checked(session, nurse)
    dosed(session, nurse)
    observed(session, nurse, prescriber, 126)
    actions.record_event(session=session, kind="instructions", payload={}, by=nurse, at=minute(125))
    actions.discharge(session=session, by=nurse, at=minute(126), escort="Daniel")
    signed = only(session, "release_signed", 127)
    with pytest.raises(Refusal, match="discharged was written down after it"):
        actions.amend_event(event=signed, by=prescriber, at=minute(127), reason="Too early.", voided=True)


def test_what_was_taken_back_is_not_corrected_and_a_key_means_one_deed(session: Session, nurse: Staff) -> None:
    actions.arrive(session=session, by=nurse, at=minute(-25))
    measured(session, nurse, -10, (128, 80))
    row, change = only(session, "vitals", 0), {"by": nurse, "at": minute(-5), "reason": "Typed."}
    gone = actions.amend_event(event=row, voided=True, entry_key="v", **change)
    assert actions.amend_event(event=row, voided=True, entry_key="v", **change) == gone
    with pytest.raises(Refusal, match="already used for something else"):
        actions.amend_event(event=row, entry_key="v", **change)
    with pytest.raises(Refusal, match="it was taken back"):
        actions.amend_event(event=gone, **change)
    with pytest.raises(Refusal, match="reason: contains characters"):
        actions.amend_event(event=only(session, "arrived", 0), **{**change, "reason": "a\x00"})


def test_one_undo_sent_twice_takes_back_one_entry(session: Session, nurse: Staff) -> None:
    actions.arrive(session=session, by=nurse, at=minute(-25), entry_key="a")
    measured(session, nurse, -24, (128, 80))
    ask = {"session": session, "by": nurse, "at": minute(-20)}
    undone = actions.undo_last(entry_key="u", **ask)
    assert actions.undo_last(entry_key="u", **ask) == undone
    assert only(session, "arrived", -19)
    with pytest.raises(Refusal, match="already used"):
        actions.undo_last(entry_key="a", **ask)


def test_undo_goes_back_and_not_forth(session: Session, nurse: Staff) -> None:
    actions.arrive(session=session, by=nurse, at=minute(-25))
    measured(session, nurse, -24, (128, 80))
    ask = {"session": session, "by": nurse}
    said = {"systolic": 182, "diastolic": 80}
    actions.amend_event(event=only(session, "vitals", 0), by=nurse, at=minute(-23), reason="Typed.", payload=said)
    assert actions.undo_last(at=minute(-22), **ask).payload["systolic"] == 128
    assert actions.undo_last(at=minute(-21), **ask).kind == "arrived"
    assert only(session, "vitals", 0).payload["systolic"] == 128


def test_the_end_of_a_session_is_taken_back_on_its_own_day_and_chair(
    session: Session, nurse: Staff, prescriber: Staff
) -> None:
    actions.stop_session(session=session, by=nurse, at=minute(-20), **STOP)
    ended, change = only(session, "stopped", 0), {"by": nurse, "reason": "Wrong chair.", "voided": True}
    with pytest.raises(Refusal, match="on an earlier day"):
        actions.amend_event(event=ended, at=minute(-20) + timedelta(days=1), **change)
    other = ready_plan(make_patient(session.clinic), prescriber)
    with pytest.raises(Refusal, match="chair 1 is taken by"):
        _on_chair(other, nurse, 1, lambda: actions.amend_event(event=ended, at=minute(-9), **change))
    with pytest.raises(Refusal, match="on the floor again"):
        _on_chair(session.plan, nurse, 3, lambda: actions.amend_event(event=ended, at=minute(-5), **change))
    assert actions.amend_event(event=ended, at=minute(-1), **change).voided


def _on_chair(plan: Plan, nurse: Staff, chair: int, deed: object) -> None:
    """Do something while another session runs, and close that one again."""
    started = minute(-10) if chair == 1 else minute(-6)
    session = actions.open_session(patient=plan.patient, plan=plan, by=nurse, at=started, chair=chair)
    try:
        deed()  # type: ignore[operator]
    finally:
        actions.stop_session(session=session, by=nurse, at=started + timedelta(minutes=2), **STOP)


def test_a_payload_made_in_python_is_read_like_any_other(session: Session, nurse: Staff) -> None:
    with pytest.raises(Refusal, match="longer than 1000"):
        actions.arrive(session=session, by=nurse, at=minute(-25), note="x" * 1_001)
    with pytest.raises(Refusal, match="cannot be shown"):
        actions.record_event(session=session, kind="arrived", payload=e.Arrived("\x00"), by=nurse, at=minute(-25))
    for key in ("k\x00", "k" * 65):
        with pytest.raises(Refusal, match="key of this entry"):
            actions.arrive(session=session, by=nurse, at=minute(-25), entry_key=key)


@pytest.mark.parametrize(
    ("tapped", "kept"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), None),
        (datetime(9999, 12, 31, tzinfo=UTC), None),
        (minute(-26), None),
        (minute(-28), minute(-28.5)),
        (minute(-29), minute(-29)),
        (minute(-31), OPENED),
        (minute(-33), None),
    ],
)
def test_only_a_clock_that_is_a_little_off_counts_as_right(
    session: Session, as_nurse: Client, clock: Clock, tapped: datetime, kept: datetime | None
) -> None:
    clock.at = minute(-28.5)
    sent = {"kind": "arrived", "entry_key": "c1", "at": tapped.isoformat()}
    answer = as_nurse.post(f"/treatment/session/{session.pk}/record/", sent, headers={"Accept": "application/json"})
    assert answer.status_code == (200 if kept else 409), answer.content
    assert [row.at for row in SessionEvent.objects.all()] == ([kept] if kept else [])


def booked(plan: Plan, by: Staff, days: int = 0) -> Booking:
    row = {"clinic": plan.clinic, "patient": plan.patient, "at": NOON, "recorded_at": NOON, "recorded_by": by}
    return Booking.objects.create(
        **row, plan=plan, number=1, phase="induction", planned_on=TODAY, starts_at=OPENED + timedelta(days=days),
        chair=1,
    )  # fmt: skip


def test_the_booking_stands_is_for_today_and_of_this_plan(plan: Plan, nurse: Staff, prescriber: Staff) -> None:
    ask = {"patient": plan.patient, "plan": plan, "by": nurse, "at": OPENED, "chair": 1}
    with pytest.raises(Refusal, match="for another day"):
        actions.open_session(booking=booked(plan, nurse, days=1), **ask)
    foreign = booked(ready_plan(make_patient(plan.clinic), prescriber), nurse)
    with pytest.raises(Refusal, match="not one of this plan"):
        actions.open_session(booking=foreign, **ask)
    cancelled = booked(plan, nurse)
    row = {"clinic": plan.clinic, "patient": plan.patient, "at": NOON, "recorded_at": NOON, "recorded_by": nurse}
    BookingChange.objects.create(**row, booking=cancelled, kind="cancelled", reason="Ill.")
    with pytest.raises(Refusal, match="moved, cancelled or already kept"):
        actions.open_session(booking=cancelled, **ask)
    with pytest.raises(Refusal, match="reason for another dose: contains"):
        actions.open_session(dose_reason="a\x00", **ask)
    kept = booked(plan, nurse)
    session = actions.open_session(booking=kept, **ask)
    actions.stop_session(session=session, by=nurse, at=minute(0), **STOP)
    with pytest.raises(Refusal, match="moved, cancelled or already kept"):
        actions.open_session(booking=kept, **{**ask, "at": minute(1)})
