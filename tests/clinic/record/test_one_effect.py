"""One intent, one effect: by pressing twice, by sending again, by sending something else under the same key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ketaclinic.access.models import Presence
from ketaclinic.audit.models import AuditEntry
from ketaclinic.people.models import Caregiver, Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.record import trouble
from ketaclinic.record.actions import forget_answers
from ketaclinic.record.models import Intent, IntentAnswer
from ketacore.evidence import Refusal
from tests.support.clock import Clock
from tests.support.people import make_patient, make_staff

SOMEBODY = {
    "given_name": "Synthetic",
    "family_name": "Newcomer",
    "birth_date": "1980-02-03",
    "sex": "female",
    "language": "en",
}


def bare(staff: Staff) -> Client:
    """A browser that sends only what the test says: no key of its own is added."""
    client = Client(HTTP_IDEMPOTENCY_KEY="")
    client.force_login(staff.user)
    return client


def carer(patient: Patient) -> str:
    return f"/patients/{patient.pk}/caregivers/new/"


@pytest.fixture
def device(nurse: Staff) -> Client:
    return bare(nurse)


def test_a_write_without_a_key_is_refused_and_says_what_to_do(device: Client, clinic: Clinic) -> None:
    for key in ({}, {"intent_key": "short"}, {"intent_key": "x" * 65}, {"intent_key": "<script>alert(1)</script>"}):
        reply = device.post("/patients/new/", {**SOMEBODY, **key})
        assert reply.status_code == 400
        assert "Open the page again" in reply.text and "script>alert" not in reply.text
    assert not Patient.objects.of(clinic).exists()
    as_json = device.post("/patients/new/", SOMEBODY, headers={"Accept": "application/json"})
    assert as_json.status_code == 400 and as_json.json()["do"].startswith("Open the page again")


def test_signing_in_and_out_need_no_key(nurse: Staff) -> None:
    device = Client(HTTP_IDEMPOTENCY_KEY="")
    said = {"username": nurse.user.username, "password": "correct horse battery"}
    assert device.post("/sign-in/", said).status_code == 302
    assert device.post("/sign-out/").status_code == 302
    assert device.post("/design/theme/", {"theme": "dark"}).status_code == 302
    assert Intent.objects.count() == 0


@pytest.mark.parametrize("where", ["field", "header"])
def test_twice_the_same_is_done_once_and_answered_the_same(device: Client, patient: Patient, where: str) -> None:
    key = uuid4().hex
    form = {"name": "Synthetic Carer", "drawn_for": signed(patient)}
    given: dict[str, Any] = {"headers": {"Idempotency-Key": key}} if where == "header" else {}
    form |= {"intent_key": key} if where == "field" else {}
    first = device.post(carer(patient), form, **given)
    again = device.post(carer(patient), form, **given)
    assert (first.status_code, first["Location"]) == (again.status_code, again["Location"])
    assert "Ketaclinic-Answer" not in first and again["Ketaclinic-Answer"] == "again"
    assert Caregiver.objects.get().name == "Synthetic Carer"
    assert AuditEntry.objects.filter(action="name_caregiver").count() == 1


def signed(patient: Patient) -> str:
    from ketaclinic.people.drawn import drawn_for_value

    return drawn_for_value(patient.pk)


def test_what_is_said_after_a_write_is_said_once(device: Client, patient: Patient) -> None:
    form = {"name": "Synthetic Carer"}
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    device.post(carer(patient), form, **head)
    reply = device.post(carer(patient), form, **head, follow=True)
    assert reply.text.count("Synthetic Carer is named as caregiver.") == 1


def test_the_first_answer_is_given_though_its_words_were_never_seen(device: Client, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    device.post(carer(patient), {"name": "Synthetic Carer"}, **head)
    session = device.session
    del session["_messages"]
    session.save()
    reply = device.post(carer(patient), {"name": "Synthetic Carer"}, **head, follow=True)
    assert "Synthetic Carer is named as caregiver." in reply.text


@pytest.mark.parametrize("change", ["body", "address"])
def test_the_same_key_for_something_else_is_refused_with_words(device: Client, patient: Patient, change: str) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    device.post(carer(patient), {"name": "Synthetic Carer"}, **head)
    other = carer(make_patient(patient.clinic)) if change == "address" else carer(patient)
    name = "Synthetic Carer" if change == "address" else "Somebody Else"
    reply = device.post(other, {"name": name}, **head)
    assert reply.status_code == 422
    assert "already sent with something else" in reply.text and "Open the page again" in reply.text
    assert Caregiver.objects.count() == 1


def test_a_refused_form_does_not_use_its_key_up(device: Client, clinic: Clinic) -> None:
    key = uuid4().hex
    wrong = {**SOMEBODY, "birth_date": "2999-01-01", "intent_key": key, "drawn_for": nobody()}
    assert device.post("/patients/new/", wrong).status_code == 422
    assert Intent.objects.count() == 0 and not Patient.objects.of(clinic).exists()
    corrected = {**wrong, "birth_date": "1980-02-03"}
    assert device.post("/patients/new/", corrected).status_code == 302
    assert device.post("/patients/new/", corrected).status_code == 302
    assert Patient.objects.of(clinic).count() == 1


def nobody() -> str:
    from ketaclinic.people.drawn import drawn_for_value

    return drawn_for_value(None)


def test_another_persons_key_is_another_key(clinic: Clinic, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": "the-same-key-for-both"}}
    for _ in range(2):
        reply = bare(make_staff(clinic, Role.NURSE)).post(carer(patient), {"name": "Synthetic Carer"}, **head)
        assert reply.status_code == 302 and "Ketaclinic-Answer" not in reply
    assert Caregiver.objects.count() == 2


def test_who_may_not_leaves_nothing_under_the_key(clinic: Clinic, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    assert bare(make_staff(clinic, Role.RESEARCHER)).post(carer(patient), {"name": "X"}, **head).status_code == 403
    assert bare(make_staff(clinic, Role.NURSE)).post(carer(patient), {"name": ""}, **head).status_code == 422
    assert (
        bare(make_staff(clinic, Role.NURSE)).post("/patients/999999/caregivers/new/", {"name": "X"}, **head).status_code
        == 404
    )
    assert Client(HTTP_IDEMPOTENCY_KEY="").post(carer(patient), {"name": "X"})["Location"].startswith("/sign-in/")
    assert Intent.objects.count() == 0


def test_who_may_no_more_is_not_told_the_first_answer(prescriber: Staff, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    assert bare(prescriber).post(carer(patient), {"name": "Synthetic Carer"}, **head).status_code == 302
    Staff.objects.filter(pk=prescriber.pk).update(role=Role.RESEARCHER, is_medical_director=False)
    later = bare(Staff.objects.get(pk=prescriber.pk))
    assert later.post(carer(patient), {"name": "Synthetic Carer"}, **head).status_code == 403
    (entry,) = AuditEntry.objects.filter(actor_role="researcher")
    assert (entry.action, entry.outcome, entry.patient_id) == ("attempt", "refused", patient.pk)


def test_a_place_that_was_closed_is_not_told_the_first_answer(nurse: Staff, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    assert bare(nurse).post(carer(patient), {"name": "Synthetic Carer"}, **head).status_code == 302
    Staff.objects.filter(pk=nurse.pk).update(is_active=False)
    reply = bare(Staff.objects.get(pk=nurse.pk)).post(carer(patient), {"name": "Synthetic Carer"}, **head)
    assert reply["Location"].startswith("/sign-in/") and "Ketaclinic-Answer" not in reply


def test_a_page_about_a_patient_that_is_given_again_leaves_an_entry(as_prescriber: Client, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    allergy = {"kind": "allergy", "display": "Synthetic", "reaction": "", "severity": ""}
    first = as_prescriber.post(f"/screening/{patient.pk}/add/allergy/", allergy, **head)
    assert first.status_code == 302
    Intent.objects.get().answer.__class__.objects.update(status=200, headers={})
    assert as_prescriber.post(f"/screening/{patient.pk}/add/allergy/", allergy, **head).status_code == 200
    (entry,) = AuditEntry.objects.filter(action="read_chart")
    assert (entry.patient_id, entry.object_type) == (patient.pk, "record.Intent")


# ---- what writes no row of its own -----------------------------------------------------------------------------------


def other_device(member: Staff) -> Presence:
    Client().force_login(member.user)
    return Presence.objects.filter(user=member.user).latest("pk")


def test_a_write_that_only_deletes_is_done_once_and_answered_the_same(device: Client, nurse: Staff) -> None:
    address = f"/account/devices/{other_device(nurse).pk}/end/"
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    first, again = device.post(address, **head), device.post(address, **head)
    assert (first.status_code, first["Location"]) == (again.status_code, again["Location"]) == (302, "/account/")
    assert Intent.objects.get().route == "access:end_device"


def test_a_refusal_after_a_write_that_only_deletes_takes_it_back(
    device: Client, nurse: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise Refusal("Going on", ["a later step may not"], "Nothing.")

    presence = other_device(nurse)
    monkeypatch.setattr("ketaclinic.access.views.own.messages.success", refuse)
    reply = device.post(f"/account/devices/{presence.pk}/end/", headers={"Idempotency-Key": uuid4().hex})
    assert reply.status_code == 409
    assert Presence.objects.filter(pk=presence.pk).exists()
    assert not AuditEntry.objects.filter(action="end_session").exists()


def test_what_is_taken_out_of_the_record_is_made_anew(as_prescriber: Client, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    for _ in range(2):
        assert as_prescriber.post(f"/fhir/export/{patient.pk}/bundle/", **head).status_code == 200
    assert AuditEntry.objects.filter(action="export_record").count() == 2 and not IntentAnswer.objects.exists()


def test_an_intent_names_who_where_and_when_and_no_names(device: Client, nurse: Staff, patient: Patient) -> None:
    key = uuid4().hex
    device.post(carer(patient), {"name": "Synthetic Carer"}, headers={"Idempotency-Key": key})
    row = Intent.objects.get()
    assert (row.user, row.clinic, row.key, row.route) == (nurse.user, nurse.clinic, key, "people:name_caregiver")
    assert row.patient == patient
    assert row.path == carer(patient) and len(row.fingerprint) == 64
    assert "Carer" not in f"{row.path}{row.route}{row.fingerprint}"
    assert str(row).startswith("people:name_caregiver at 2026-11-23") and str(row.answer).startswith("302")


def test_a_late_replay_is_still_refused_when_its_answer_is_gone(device: Client, patient: Patient, clock: Clock) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    device.post(carer(patient), {"name": "Synthetic Carer"}, **head)
    clock.pass_days(int(settings.KEEP_ANSWERS_DAYS) + 1)
    device.post(carer(patient), {"name": "Another Carer"}, headers={"Idempotency-Key": uuid4().hex})
    assert forget_answers(at=clock.at) in (0, 1), "a write of the day has removed it, or this call does"
    assert IntentAnswer.objects.count() == 1 and Intent.objects.count() == 2
    reply = device.post(carer(patient), {"name": "Synthetic Carer"}, **head)
    assert reply.status_code == 409 and "was not done again" in reply.text
    assert Caregiver.objects.filter(name="Synthetic Carer").count() == 1


def test_old_answers_go_with_the_writes_of_the_day(device: Client, patient: Patient, clock: Clock) -> None:
    for days in (0, int(settings.KEEP_ANSWERS_DAYS) + 1):
        clock.pass_days(days)
        device.post(carer(patient), {"name": "Synthetic Carer"}, headers={"Idempotency-Key": uuid4().hex})
        clock.pass_minutes(61)
        device.post(carer(patient), {"name": "Synthetic Carer"}, headers={"Idempotency-Key": uuid4().hex})
    assert IntentAnswer.objects.filter(at__lt=clock.at - timedelta(days=settings.KEEP_ANSWERS_DAYS)).count() == 0


def test_an_answer_too_large_to_keep_is_not_made_up(device: Client, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    with patch("ketaclinic.record.actions.LARGEST_ANSWER_KEPT", 0):
        device.post(carer(patient), {"name": "Synthetic Carer"}, **head)
    assert device.post(carer(patient), {"name": "Synthetic Carer"}, **head).status_code == 409


def test_the_same_file_under_another_key_is_another_import(as_prescriber: Client) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    key = uuid4().hex
    replies = [
        as_prescriber.post(
            "/fhir/import/",
            {"file": SimpleUploadedFile("x.json", content), "intent_key": key, "drawn_for": nobody()},
        )
        for content in (b"{}", b"{}", b'{"a": 1}')
    ]
    assert [r.status_code for r in replies] == [302, 302, 422], "the second is the first again, the third is another"
    assert replies[0]["Location"] == replies[1]["Location"]


# ---- a patient's form in another patient's record ------------------------------------------------------------------


def test_a_form_drawn_for_one_patient_never_writes_into_another(device: Client, patient: Patient) -> None:
    other = make_patient(patient.clinic)
    for form in ({"name": "Synthetic Carer"}, {"name": ""}):
        sent = {**form, "intent_key": uuid4().hex, "drawn_for": signed(patient)}
        reply = device.post(carer(other), sent)
        assert reply.status_code == 409
        assert "opened for another patient" in reply.text and other.family_name not in reply.text
    assert not Caregiver.objects.exists()


@pytest.mark.parametrize("told", ["", "7", "7:forged", "0:forged"])
def test_a_spoilt_or_missing_patient_is_refused(device: Client, patient: Patient, told: str) -> None:
    sent = {"name": "Synthetic Carer", "intent_key": uuid4().hex} | ({"drawn_for": told} if told else {})
    assert device.post(carer(patient), sent).status_code == (409 if told else 400)
    assert not Caregiver.objects.exists()


# ---- trouble --------------------------------------------------------------------------------------------------------


class SqliteError(Exception):
    """Stands for an error of the driver, with its code."""

    def __init__(self, code: int) -> None:
        super().__init__("synthetic")
        self.sqlite_errorcode = code


class PostgresError(Exception):
    """Stands for an error of the driver, with its state."""

    def __init__(self, state: str) -> None:
        super().__init__("synthetic")
        self.sqlstate = state


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SqliteError(5), "busy"),
        (SqliteError(517), "busy"),
        (SqliteError(13), "storage"),
        (SqliteError(10 | 3 << 8), "storage"),
        (SqliteError(8), "storage"),
        (SqliteError(1), None),
        (PostgresError("40P01"), "busy"),
        (PostgresError("40001"), "busy"),
        (PostgresError("55P03"), "busy"),
        (PostgresError("08006"), "busy"),
        (PostgresError("53100"), "storage"),
        (PostgresError("23505"), None),
        (OSError(28, "No space left on device"), "storage"),
        (OSError(2, "No such file"), None),
        (ValueError("x"), None),
    ],
)
def test_trouble_is_told_from_a_fault(error: Exception, kind: str | None) -> None:
    wrapped = OperationalError("wrapped")
    wrapped.__cause__ = error
    assert trouble.trouble_of(error) == trouble.trouble_of(wrapped) == kind


def test_a_lock_that_passes_is_waited_for(device: Client, patient: Patient) -> None:
    with failing(SqliteError(5), times=2):
        reply = device.post(carer(patient), {"name": "Synthetic Carer"}, headers={"Idempotency-Key": uuid4().hex})
    assert reply.status_code == 302 and Caregiver.objects.count() == 1


class failing:
    """Let the audit log fail as a database does, ``times`` times, after everything else of the write was written."""

    def __init__(self, error: Exception, times: int = 99) -> None:
        self.error, self.left = error, times
        self.patch = patch("ketaclinic.people.actions.write_audit", self)

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        self.left -= 1
        if self.left >= 0:
            raise OperationalError("synthetic") from self.error

    def __enter__(self) -> None:
        self.patch.start()

    def __exit__(self, *error: object) -> None:
        self.patch.stop()


def test_a_lock_that_stays_is_told_and_the_same_key_works_later(device: Client, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    with failing(SqliteError(5)):
        reply = device.post(carer(patient), {"name": "Synthetic Carer"}, **head)
        as_json = device.post(
            carer(patient), {"name": "C"}, headers={"Idempotency-Key": uuid4().hex, "Accept": "application/json"}
        )
    assert reply.status_code == as_json.status_code == 503
    assert reply["Retry-After"] == "5" and "Nothing of what you sent was saved" in reply.text
    assert as_json.json()["because"] == ["Nothing of what you sent was saved."]
    assert "Synthetic Carer is named" not in device.get("/patients/").text, "no line tells of what did not happen"
    assert not Caregiver.objects.exists()
    assert device.post(carer(patient), {"name": "Synthetic Carer"}, **head).status_code == 302


def test_a_full_disk_is_told_on_every_page_until_a_write_succeeds(device: Client, patient: Patient) -> None:
    head = {"headers": {"Idempotency-Key": uuid4().hex}}
    with failing(SqliteError(13)):
        reply = device.post(carer(patient), {"name": "Synthetic Carer"}, **head)
    assert reply.status_code == 507 and "Nothing can be saved" in reply.text
    assert "NOTHING CAN BE SAVED" in device.get("/patients/").text
    assert not Caregiver.objects.exists()
    assert device.post(carer(patient), {"name": "Synthetic Carer"}, **head).status_code == 302
    assert "NOTHING CAN BE SAVED" not in device.get("/patients/").text


def test_a_fault_of_the_program_stays_one(nurse: Staff, patient: Patient) -> None:
    device = Client(raise_request_exception=False)
    device.force_login(nurse.user)
    with patch("ketaclinic.people.actions.write_audit", side_effect=ValueError("synthetic")):
        reply = device.post(carer(patient), {"name": "Synthetic Carer"})
    assert reply.status_code == 500 and "Something went wrong here" in reply.text
    assert not Caregiver.objects.exists() and Intent.objects.count() == 0


def test_a_page_that_cannot_be_read_says_so(nurse: Staff) -> None:
    device = Client(raise_request_exception=False)
    device.force_login(nurse.user)
    error = OperationalError("synthetic")
    error.__cause__ = PostgresError("57P01")
    with patch("ketaclinic.people.views.queries.patient_in", side_effect=error):
        assert device.get("/patients/1/details/").status_code == 503


def test_reading_pages_writes_nothing(as_nurse: Client, patient: Patient, django_assert_num_queries: Any) -> None:
    from django.test.utils import CaptureQueriesContext

    as_nurse.get("/patients/")
    with CaptureQueriesContext(connection) as asked:
        for page in ("/patients/", f"/patients/{patient.pk}/details/"):
            assert as_nurse.get(page).status_code == 200
    wrote = [
        q["sql"] for q in asked if q["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE") and "audit" not in q["sql"]
    ]
    assert wrote == []


# ---- any order of sending and sending again --------------------------------------------------------------------------


@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_however_often_and_in_whatever_order_each_intent_has_one_effect(
    order: list[int], device: Client, patient: Patient
) -> None:
    run, before = uuid4().hex[:20], Caregiver.objects.count()
    answers: dict[int, str] = {}
    for number in order:
        head = {"Idempotency-Key": f"{run}-{number}"}
        reply = device.post(carer(patient), {"name": f"Carer {number}"}, headers=head)
        assert reply.status_code == 302
        assert answers.setdefault(number, reply["Location"]) == reply["Location"]
    assert Caregiver.objects.count() - before == len(set(order))
