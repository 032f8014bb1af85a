"""The log cannot be written: what changes the record is refused, what only reads goes on and is told of later."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse

from ketaclinic.access.factors import has_factor
from ketaclinic.audit.chain import TABLE
from ketaclinic.audit.models import AuditEntry
from ketaclinic.audit.spool import Spool, spool
from ketaclinic.audit.verifying import verify_chain
from ketaclinic.interfaces.fhir.actions import export_patient
from ketaclinic.people.actions import name_caregiver
from ketaclinic.people.models import Caregiver, Clinic, Patient, PatientCorrection, Staff
from ketaclinic.people.permissions import Role
from tests.clinic.access.people import Phone, type_password
from tests.support.clock import Clock, install
from tests.support.people import NOON, make_staff

pytestmark = pytest.mark.django_db(transaction=True)

REFUSE = {
    "sqlite": (
        f"CREATE TRIGGER disk_full BEFORE INSERT ON {TABLE} BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        "DROP TRIGGER IF EXISTS disk_full",
    ),
    "postgresql": (
        f"ALTER TABLE {TABLE} ADD CONSTRAINT disk_full CHECK (false) NOT VALID",
        f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS disk_full",
    ),
}


@contextmanager
def unwritable() -> Iterator[None]:
    """Let the database refuse every new entry of the log, and nothing else."""
    refuse, take = REFUSE[connection.vendor]
    connection.cursor().execute(refuse)
    try:
        yield
    finally:
        connection.cursor().execute(take)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return install(monkeypatch, NOON)


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    spool._waiting.clear()
    yield
    spool._waiting.clear()


@pytest.fixture
def visitor(transactional_db: None, clinic: Clinic) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_staff(clinic, Role.PRESCRIBER).user)
    return client


CARER = {"name": "Synthetic Carer", "relationship": "sister", "phone": "+1 555 0101", "may_escort": "on"}


def test_without_the_log_nothing_clinical_is_written(visitor: Client, patient: Patient) -> None:
    address = reverse("people:name_caregiver", args=[patient.pk])
    with unwritable():
        assert visitor.post(address, CARER).status_code == 500
        assert Caregiver.objects.count() == 0
    assert visitor.post(address, CARER).status_code == 302
    assert Caregiver.objects.count() == 1


@pytest.mark.real_sign_in
def test_a_second_factor_is_set_up_with_its_entry_or_not_at_all(
    transactional_db: None, nurse: Staff, clock: Clock
) -> None:
    client = Client(raise_request_exception=False)
    type_password(client, nurse.user.username)
    client.get("/sign-in/set-up/")
    phone = Phone(client.session["access.app_secret"])
    with unwritable():
        assert client.post("/sign-in/set-up/", {"code": phone.shows(clock.at)}).status_code == 500
    assert not has_factor(nurse.user)
    assert client.post("/sign-in/set-up/", {"code": phone.shows(clock.at)}).status_code == 302
    assert has_factor(nurse.user)


def test_a_correction_is_kept_with_its_entry_or_not_at_all(nurse: Staff, patient: Patient) -> None:
    before = Patient.objects.values().get(pk=patient.pk)
    from ketaclinic.people.actions import correct_patient

    with unwritable(), pytest.raises(DatabaseError):
        correct_patient(patient=patient, by=nurse, at=NOON, reason="Misheard.", family_name="Renamed")
    assert Patient.objects.values().get(pk=patient.pk) == before
    assert PatientCorrection.objects.count() == 0


def test_nothing_leaves_the_clinic_unlogged(prescriber: Staff, visitor: Client, patient: Patient) -> None:
    with unwritable():
        with pytest.raises(DatabaseError):
            export_patient(patient=patient, by=prescriber, at=NOON)
        reply = visitor.post(reverse("fhir:export_bundle", args=[patient.pk]))
    assert reply.status_code == 500
    assert patient.record_number not in reply.content.decode()


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """Yield the spool's logger, heard directly: whatever else set up logging in this process takes nothing away."""
    logger = logging.getLogger("ketaclinic.audit.spool")
    for name in ("propagate", "disabled"):
        monkeypatch.setattr(logger, name, False)
    caplog.set_level(logging.INFO, logger=logger.name)
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)
    logger.addHandler(caplog.handler)
    yield logger
    logger.removeHandler(caplog.handler)


def test_reading_goes_on_and_is_written_late_with_its_own_moment(
    visitor: Client, patient: Patient, clock: Clock, caplog: pytest.LogCaptureFixture, heard: logging.Logger
) -> None:
    chart, details = (reverse(name, args=[patient.pk]) for name in ("journey:chart", "people:patient"))
    with unwritable(), caplog.at_level(logging.ERROR):
        assert visitor.get(chart).status_code == 200
        read_at = clock.at
        clock.pass_minutes(3)
        assert visitor.get(reverse("people:patient", args=[987_654])).status_code == 404
    assert AuditEntry.objects.count() == 0 and len(spool) == 2
    told = [record.getMessage() for record in caplog.records if record.name == heard.name]
    assert len(told) == 2 and f"patient_id={patient.pk}" in told[0] and "\n" not in told[0]
    assert patient.family_name not in "".join(told)
    clock.pass_minutes(3)
    assert visitor.get(details).status_code == 200
    late, missing, now = AuditEntry.objects.order_by("seq")
    assert (late.at, late.written_late_at, late.route) == (read_at, clock.at, "journey:chart")
    assert (missing.at, missing.written_late_at, missing.outcome) == (
        read_at + timedelta(minutes=3),
        clock.at,
        "not_found",
    )
    assert (now.at, now.written_late_at) == (clock.at, None)
    assert len(spool) == 0
    assert verify_chain(patient.clinic_id).fault is None


def test_the_spool_is_bounded_and_says_what_it_gave_up(patient: Patient, nurse: Staff) -> None:
    small = Spool(held=3)
    columns = {
        "at": NOON, "clinic_id": patient.clinic_id, "actor_kind": "staff", "actor_id": nurse.pk, "actor_role": "nurse",
        "action": "read_chart", "outcome": "done", "patient_id": patient.pk, "object_type": "", "object_id": "",
        "fields": "", "reason": "", "route": "", "from_address": "", "device": "", "request_id": "",
    }  # fmt: skip
    with unwritable():
        assert [small.write({**columns, "request_id": str(n)}, NOON) for n in range(5)] == [False] * 5
    assert len(small) == 3
    assert small.write(columns, NOON)
    kept = AuditEntry.objects.filter(action="read_chart").order_by("pk").values_list("request_id", flat=True)
    assert list(kept) == ["2", "3", "4", ""]
    assert AuditEntry.objects.get(action="lose_entries").reason == "2 entries about reading"


def test_what_was_refused_is_told_although_the_request_was_rolled_back(
    visitor: Client, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form turned down after half of its writing: the rows are gone, the attempt is kept."""
    from ketacore.evidence import Refusal

    def half(**said: Any) -> None:
        name_caregiver(**said)
        raise Refusal("Naming a caregiver", ["half of it was written"], "Start again.")

    from django.db import transaction

    monkeypatch.setattr("ketaclinic.people.actions.name_caregiver", transaction.atomic(half))
    assert visitor.post(reverse("people:name_caregiver", args=[patient.pk]), CARER).status_code == 409
    assert Caregiver.objects.count() == 0
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.outcome, entry.patient_id) == ("attempt", "refused", patient.pk)
