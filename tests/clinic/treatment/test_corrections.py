"""Corrections and undo leave a session that still holds together; hostile entries leave nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.record.models import StoredDecision
from ketaclinic.treatment import actions, queries
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.models import Session, SessionEvent
from ketacore.evidence import Refusal
from ketacore.treatment import phase
from tests.clinic.treatment.whole import OPENED, checked, dosed, measured, minute, opened, ready_plan, sign_everything
from tests.support.clock import Clock
from tests.support.people import make_clinic, make_patient, make_staff


@pytest.fixture
def session(patient: Patient, prescriber: Staff, nurse: Staff) -> Session:
    sign_everything(prescriber)
    return opened(ready_plan(patient, prescriber), nurse)


def standing(session: Session, kind: str, at: float) -> list[SessionEvent]:
    return list(queries.standing_events_of(session, minute(at)).filter(kind=kind))


@pytest.mark.parametrize("change", [{"voided": True}, {"happened_at": minute(2)}])
def test_the_arrival_of_somebody_dosed_is_not_taken_back(
    session: Session, nurse: Staff, change: dict[str, Any]
) -> None:
    checked(session, nurse)
    dosed(session, nurse)
    arrived = standing(session, "arrived", 50)[0]
    with pytest.raises(Refusal, match="would no longer follow"):
        actions.amend_event(event=arrived, by=nurse, at=minute(50), reason="Wrong.", **change)
    assert phase(facts_of(session, minute(50)), minute(50)) == "observation"


def test_a_corrected_first_dose_keeps_its_decision(session: Session, nurse: Staff) -> None:
    checked(session, nurse)
    dosed(session, nurse)
    first = standing(session, "device", 50)[0]
    before = StoredDecision.objects.filter(question="may_start").count()
    change = {"by": nurse, "at": minute(50), "reason": "Two minutes earlier.", "happened_at": minute(-2)}
    actions.amend_event(event=first, **change)
    assert StoredDecision.objects.filter(question="may_start").count() == before + 1


def test_undoing_a_correction_brings_the_reading_back(session: Session, nurse: Staff) -> None:
    checked(session, nurse)
    row = standing(session, "vitals", 0)[0]
    change = {"event": row, "by": nurse, "at": minute(-5), "reason": "Cuff slipped."}
    actions.amend_event(**change, payload={"systolic": 138, "diastolic": 84})
    actions.undo_last(session=session, by=nurse, at=minute(-4))
    (stands,) = standing(session, "vitals", 0)
    assert (stands.payload, stands.at) == (row.payload, row.at)


def test_an_old_entry_is_corrected_not_undone(session: Session, nurse: Staff) -> None:
    checked(session, nurse)
    with pytest.raises(Refusal, match="from the last 15 minutes"):
        actions.undo_last(session=session, by=nurse, at=minute(60))


def test_the_pad_is_kept_as_a_whole_or_not_at_all(session: Session, as_nurse: Client, clock: Clock) -> None:
    clock.at = minute(-20)
    path = f"/treatment/session/{session.pk}/record/"
    as_nurse.post(path, {"kind": "arrived", "entry_key": "a"})
    pad = {"kind": "pad", "heart_rate": "77", "entry_key": "p"}
    refused = as_nurse.post(path, {**pad, "moaas": "9"})
    assert refused.status_code == 409
    assert not standing(session, "vitals", 0)
    as_nurse.post(path, {**pad, "heart_rate": "78", "moaas": "5"})
    assert [row.payload["heart_rate"] for row in standing(session, "vitals", 0)] == [78]


@pytest.mark.parametrize(("when", "status"), [("0001-01-01T00:00:00Z", 409), ("2026-11-24T13:59:00Z", 302)])
def test_a_time_before_the_session_is_refused(
    session: Session, as_nurse: Client, clock: Clock, when: str, status: int
) -> None:
    clock.at = minute(-20)
    path = f"/treatment/session/{session.pk}/record/"
    reply = as_nurse.post(path, {"kind": "arrived", "entry_key": "a", "at": when})
    assert reply.status_code == status
    assert SessionEvent.objects.filter(session=session).exists() is (status == 302)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("answer", {"question": "bogus", "answer": "yes"}),
        ("escort", {"name": "x" * 1_001, "here": True}),
        ("arrived", {"note": "a\x00b"}),
        ("alert_acknowledged", {"alert": "none"}),
    ],
)
def test_what_means_nothing_here_is_not_written_down(
    session: Session, nurse: Staff, kind: str, payload: dict[str, Any]
) -> None:
    with pytest.raises(Refusal):
        actions.record_event(session=session, kind=kind, payload=payload, by=nurse, at=minute(-20))
    assert not SessionEvent.objects.filter(session=session).exists()


def test_who_may_be_opened_a_session_is_checked_in_the_action(
    session: Session, patient: Patient, nurse: Staff, prescriber: Staff
) -> None:
    ask: dict[str, Any] = {"by": nurse, "at": OPENED, "chair": 2}
    with pytest.raises(Refusal, match="on the floor already"):
        actions.open_session(patient=patient, plan=session.plan, **ask)
    other = make_patient(patient.clinic)
    with pytest.raises(Refusal, match="does not stand for this patient"):
        actions.open_session(patient=other, plan=session.plan, **ask)
    plan = ready_plan(other, prescriber)
    Patient.objects.filter(pk=other.pk).update(deceased_on=(OPENED - timedelta(days=1)).date())  # heard meanwhile
    with pytest.raises(Refusal, match="on record as deceased"):
        actions.open_session(patient=other, plan=plan, **ask)
    stranger = make_staff(make_clinic(name="Elsewhere"), Role.NURSE)
    with pytest.raises(PermissionDenied):
        actions.open_session(patient=other, plan=plan, **{**ask, "by": stranger})
    with pytest.raises(PermissionDenied):
        actions.arrive(session=session, by=stranger, at=minute(-20))
    with pytest.raises(PermissionDenied):
        measured(session, stranger, -10, (120, 80))
