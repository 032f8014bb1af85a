"""``ketaclinic audit report``: for a patient, a member of staff or a period; sortable, inert, and logged itself."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client

from ketaclinic.audit.actions import write_audit
from ketaclinic.audit.models import AuditEntry
from ketaclinic.cli.main import run
from ketaclinic.people.actions import give_access
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from tests.support.people import NOON, make_clinic, make_patient, make_staff

Told = pytest.CaptureFixture[str]


@pytest.fixture
def administrator(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.ADMINISTRATOR)


@pytest.fixture
def written(administrator: Staff, nurse: Staff, prescriber: Staff, patient: Patient) -> Patient:
    """Three days of entries about two patients, by two people, and one of another clinic."""
    other = make_patient(patient.clinic)
    write_audit("record_vitals", by=nurse, at=NOON, patient_id=patient.pk, reason="=cmd|' /C calc'!A0")
    write_audit("sign_plan", by=prescriber, at=NOON + timedelta(days=1), patient_id=patient.pk, obj=patient)
    write_audit("record_vitals", by=nurse, at=NOON + timedelta(days=2), patient_id=other.pk)
    write_audit("anchor", by=None, at=NOON, clinic_id=patient.clinic_id)
    write_audit("secret", by=make_staff(make_clinic(name="Elsewhere"), Role.NURSE), at=NOON, patient_id=patient.pk)
    return patient


def report(capsys: Told, *arguments: str) -> list[dict[str, str]]:
    clinic = str(Clinic.objects.order_by("pk")[0].pk)
    assert run(["audit", "report", "--clinic", clinic, "--format", "json", *arguments]) == 0
    found: list[dict[str, str]] = json.loads(capsys.readouterr().out)["entries"]
    return found


def test_about_a_patient(written: Patient, capsys: Told) -> None:
    lines = report(capsys, "--patient", written.record_number.lower())
    assert [line["action"] for line in lines] == ["record_vitals", "sign_plan"]
    assert {line["patient"] for line in lines} == {written.record_number}
    assert lines[1]["object"] == f"people.Patient {written.pk}"
    assert written.family_name not in json.dumps(lines)


def test_by_a_member_of_staff(written: Patient, nurse: Staff, capsys: Told) -> None:
    lines = report(capsys, "--staff", nurse.user.username)
    assert [line["action"] for line in lines] == ["record_vitals", "record_vitals"]
    assert nurse.user.username in lines[0]["who"]


def test_by_a_patient_with_a_sign_in_of_their_own(written: Patient, nurse: Staff, capsys: Told) -> None:
    own = give_access(patient=written, by=nurse, at=NOON)
    write_audit("read_chart", by=own, at=NOON, patient_id=written.pk)
    lines = report(capsys, "--own", own.user.username)
    assert [(line["action"], line["role"]) for line in lines] == [("read_chart", "patient")]
    assert AuditEntry.objects.get(action="read_audit").reason.startswith(f"patient {own.pk}, from the first")


def test_of_what_belongs_to_no_clinic(written: Patient, capsys: Told) -> None:
    Client().post("/sign-in/", {"username": "nobody.here", "password": "x"})
    lines = report(capsys, "--installation")
    assert [(line["action"], line["from"]) for line in lines] == [("sign_in_failed", "127.0.0.1")]
    assert "nobody.here" not in json.dumps(lines)
    assert AuditEntry.objects.get(action="read_audit").reason.startswith("the installation, from the first")


def test_of_a_period_by_the_days_of_the_clinic(written: Patient, capsys: Told) -> None:
    lines = report(capsys, "--from", "2026-11-24", "--to", "2026-11-24")
    assert [line["time"] for line in lines] == ["2026-11-24T12:00:00-05:00"]
    assert [line["who"] for line in report(capsys, "--to", "2026-11-23")][-1] == "system"


@pytest.mark.parametrize("sort", ["time", "who", "action", "patient"])
def test_sorted(sort: str, written: Patient, capsys: Told) -> None:
    lines = [str(line[sort]) for line in report(capsys, "--from", "2026-11-23", "--to", "2026-11-25", "--sort", sort)]
    assert len(lines) == 4 and lines == sorted(lines)


def test_a_report_is_logged_with_who_asked_and_for_whom(written: Patient, administrator: Staff, capsys: Told) -> None:
    report(capsys, "--patient", written.record_number)
    entry = AuditEntry.objects.get(action="read_audit")
    assert (entry.actor_id, entry.patient_id) == (administrator.pk, written.pk)
    assert entry.reason.endswith("2 entries")


def test_a_table_for_people_and_a_file_for_spreadsheets(written: Patient, capsys: Told) -> None:
    about = ["audit", "report", "--clinic", str(written.clinic_id), "--patient", written.record_number]
    assert run(about) == 0
    told = capsys.readouterr().out
    assert "2 entries" in told and "record_vitals" in told and "time" in told.splitlines()[0]
    assert run([*about, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[0]["reason"] == "'=cmd|' /C calc'!A0"
    assert run([*about[:4], "--from", "2030-01-01"]) == 0
    assert capsys.readouterr().out == "0 entries\n"


def test_what_is_refused(written: Patient, nurse: Staff, capsys: Told) -> None:
    clinic = ["--clinic", str(written.clinic_id)]
    for arguments, code, says in (
        ([], 2, "name --patient"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], 2, "--from is later than --to"),
        (["--patient", "K-0"], 1, "no patient with that record number"),
        (["--staff", "nobody"], 1, "no such sign-in"),
        (["--own", "nobody"], 1, "no patient or caregiver of this clinic"),
        (["--own", "x", "--staff", "y"], 2, "exclude each other"),
        (["--installation", "--patient", "K-0"], 2, "exclude each other"),
        (["--staff", "nobody", "--by", nurse.user.username], 1, "may not do this"),
    ):
        assert run(["audit", "report", *clinic, *arguments]) == code
        assert says in capsys.readouterr().err
    assert not AuditEntry.objects.filter(action="read_audit").exists()
