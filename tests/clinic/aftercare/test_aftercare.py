"""Handing over the sheet, the contact the day after, and the sheet read back from its PDF."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from pypdf import PdfReader

from ketaclinic.aftercare import actions, facts, queries
from ketaclinic.aftercare.models import InstructionsGiven, NextDayContact
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.planning.actions import book_series
from ketaclinic.record.models import TimelineEntry
from ketaclinic.treatment.models import Session, SessionEvent
from ketacore.evidence import Refusal
from tests.clinic.treatment.whole import minute, opened, ready_plan, sign_everything
from tests.support import clock
from tests.support.people import make_clinic, make_staff

HOME = minute(130)


@pytest.fixture
def session(patient: Patient, prescriber: Staff, nurse: Staff) -> Session:
    sign_everything(prescriber)
    patient.given_name, patient.family_name = "Žofie", "Nguyễn Ωmega"
    patient.save()
    return opened(ready_plan(patient, prescriber), nurse)


@pytest.fixture
def left(session: Session, nurse: Staff) -> Session:
    who = {"clinic": session.clinic, "patient": session.patient, "recorded_by": nurse}
    SessionEvent.objects.create(
        **who, session=session, at=HOME, recorded_at=HOME, kind="discharged", payload={}, entry_key="home"
    )
    return session


def text_of(pdf: bytes) -> str:
    return "".join(p.extract_text() for p in PdfReader(BytesIO(pdf)).pages).replace("\n", " ")


def test_the_sheet_reads_back_from_its_pdf(left: Session, as_nurse: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.install(monkeypatch, HOME + timedelta(minutes=1))
    answer = as_nurse.get(f"/aftercare/session/{left.pk}/sheet.pdf")
    assert answer["Content-Type"] == "application/pdf" and answer["Cache-Control"] == "no-store"
    said = text_of(answer.content)
    for words in (
        "Žofie Nguyễn Ωmega",
        "No driving until the next day, after a restful sleep",
        "Not before Wednesday, 25 November 2026",
        "Session of Tuesday, 24 November 2026, 11:40",
        "ask how you are on Wednesday, 25 November 2026",
        "911",
        "988",
        "+1 555 0100",
        "SYNTHETIC",
        "no emergency service",
    ):
        assert words in said, words


def test_the_sheet_names_the_next_visit(session: Session, prescriber: Staff) -> None:
    book_series(plan=session.plan, by=prescriber, at=minute(0), starts_at=time(9))
    assert any(line.startswith("Your next visit: ") for line in actions.prepare_sheet(session, minute(60)).closing)


def test_the_page_is_given_once_and_kept(session: Session, as_nurse: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.install(monkeypatch, minute(1))
    path = f"/aftercare/session/{session.pk}"
    assert "No driving" in as_nurse.get(f"{path}/").content.decode()
    for _ in range(2):
        assert as_nurse.post(f"{path}/give/", {"to_escort": "on", "entry_key": "g1"}).status_code == 302
    row = InstructionsGiven.objects.get()
    assert row.to_escort and row.content["no_driving_before"] == "2026-11-25" and str(row).endswith("2026-11-24")
    assert list(queries.instructions_of(session)) == [row]
    assert SessionEvent.objects.filter(session=session, kind="instructions").count() == 1
    assert TimelineEntry.objects.filter(kind="instructions").count() == 1


def test_a_reader_may_not_hand_it_over(session: Session, clinic: Clinic) -> None:
    outsider = make_staff(clinic, Role.FRONT_DESK)
    with pytest.raises(PermissionDenied):
        actions.give_instructions(session=session, by=outsider, at=minute(1))
    with pytest.raises(PermissionDenied):
        actions.record_contact(session=session, by=outsider, at=minute(1), outcome="reached")


def test_staff_of_another_clinic_hand_nothing_over(session: Session) -> None:
    stranger = make_staff(make_clinic(name="Elsewhere"), Role.NURSE)
    with pytest.raises(PermissionDenied, match="another clinic"):
        actions.give_instructions(session=session, by=stranger, at=minute(1))
    with pytest.raises(PermissionDenied, match="another clinic"):
        actions.record_contact(session=session, by=stranger, at=minute(1), outcome="reached")
    assert not InstructionsGiven.objects.exists() and not NextDayContact.objects.exists()


def test_a_contact_is_due_the_next_day_until_somebody_was_reached(
    left: Session, as_nurse: Client, nurse: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.install(monkeypatch, HOME)
    clinic = left.clinic
    assert queries.contacts_due(clinic, now.at) == []
    next_day = now.pass_days(1)
    (due,) = queries.contacts_due(clinic, next_day)
    assert (due.session, due.due_on.isoformat(), due.tried) == (left, "2026-11-25", 0)
    path = f"/aftercare/session/{left.pk}/contact/"
    assert str(left.patient) in as_nurse.get("/aftercare/contacts/").content.decode()
    assert as_nurse.get(path).status_code == 200
    assert as_nurse.post(path, {"outcome": "maybe"}).status_code == 200
    assert as_nurse.post(path, {"outcome": "not_reached", "wellbeing": "not_told"}).status_code == 302
    assert [d.tried for d in queries.contacts_due(clinic, next_day)] == [1]
    assert as_nurse.post(path, {"outcome": "reached", "wellbeing": "well", "note": "Slept"}).status_code == 302
    assert queries.contacts_due(clinic, next_day) == []
    newest = queries.contacts_of(left)[0]
    assert (newest.note, str(newest)) == ("Slept", "Contact after the session: Reached")
    with pytest.raises(Refusal, match="nobody was reached"):
        actions.record_contact(session=left, by=nurse, at=next_day, outcome="not_reached", wellbeing="well")
    assert NextDayContact.objects.count() == 2


def test_what_cannot_be_is_said_on_the_form(left: Session, as_nurse: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.install(monkeypatch, HOME + timedelta(days=1))
    path = f"/aftercare/session/{left.pk}/contact/"
    answer = as_nurse.post(path, {"outcome": "not_reached", "wellbeing": "well", "note": "kept words"})
    shown = answer.content.decode()
    assert "nobody was reached, so nothing was told" in shown and "kept words" in shown
    assert not NextDayContact.objects.exists()


def test_an_old_contact_leaves_the_list_and_an_unsigned_policy_makes_none(left: Session, patient: Patient) -> None:
    assert queries.contacts_due(left.clinic, HOME + timedelta(days=15)) == []
    assert queries.contacts_due(left.clinic, HOME + timedelta(days=13))[0].session == left


DEVICE = {
    "number": 1,
    "lot": "L1",
    "expires_on": "2027-06-30",
    "two_green_dots_before": True,
    "not_primed": True,
    "no_green_dots_after": True,
}


@pytest.mark.parametrize("outcome", ["left_without_release", "emergency_transfer"])
@pytest.mark.parametrize("dosed", [True, False])
def test_who_left_without_release_is_contacted_once_drug_was_given(
    session: Session, nurse: Staff, outcome: str, dosed: bool
) -> None:
    def happened(kind: str, payload: dict[str, object], at: datetime, **more: object) -> SessionEvent:
        who = {"clinic": session.clinic, "patient": session.patient, "recorded_by": nurse, "session": session}
        values = {**who, "at": at, "recorded_at": at, "kind": kind, "payload": payload, "entry_key": f"{kind} {at}"}
        row: SessionEvent = SessionEvent.objects.create(**{**values, **more})
        return row

    if dosed:
        happened("device", DEVICE, minute(1))
    else:
        given = happened("device", DEVICE, minute(1))
        happened("device", DEVICE, minute(1), voided=True, amends=given, entry_key="undone")
    happened("stopped", {"outcome": outcome, "reason": "Synthetic"}, minute(40))
    due = queries.contacts_due(session.clinic, minute(40) + timedelta(days=1))
    assert [(d.session, d.due_on.isoformat()) for d in due] == ([(session, "2026-11-25")] if dosed else [])
    assert facts.ended_at(session, minute(90)) == minute(40)


def test_who_was_stopped_and_then_released_is_contacted_once(left: Session, nurse: Staff) -> None:
    who = {"clinic": left.clinic, "patient": left.patient, "recorded_by": nurse, "session": left}
    for kind, payload, at in (
        ("device", DEVICE, minute(1)),
        ("stopped", {"outcome": "left_without_release", "reason": "Came back"}, minute(90)),
    ):
        SessionEvent.objects.create(**who, at=at, recorded_at=at, kind=kind, payload=payload, entry_key=kind)
    assert [d.session for d in queries.contacts_due(left.clinic, HOME + timedelta(days=1))] == [left]
