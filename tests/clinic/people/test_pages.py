"""Taking people in, correcting them, running the clinic: each page as its people use it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.audit.models import AuditEntry
from ketaclinic.people.actions import change_staff, correct_caregiver, correct_patient, name_caregiver
from ketaclinic.people.models import Caregiver, Clinic, Patient, PatientCorrection, Staff, User
from ketaclinic.people.permissions import Role
from ketacore.evidence import Refusal
from tests.support.people import NOON, make_clinic, make_patient, make_staff

PERSON = {
    "given_name": "Synthetic",
    "family_name": "Newcomer",
    "birth_date": "1980-02-03",
    "sex": "female",
    "phone": "",
    "email": "",
    "language": "en",
}
SETTINGS = {
    "name": "Synthetic Clinic",
    "address": "1 Test Road",
    "phone": "+1 555 0100",
    "emergency_contact": "On call: +1 555 0100",
    "time_zone": "America/Chicago",
    "jurisdiction": "US-PA",
    "chairs": "4",
    "rems_certified_on": "2025-01-01",
    "rems_certified_until": "2027-01-01",
}
MEMBER = {
    "display_name": "Synthetic New",
    "role": "nurse",
    "username": "synthetic.new",
}


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff.user)
    return client


@pytest.fixture
def administrator(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.ADMINISTRATOR)


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return signed_in(make_staff(clinic, Role.FRONT_DESK))


def test_the_desk_registers_a_person_and_sees_no_chart(desk: Client, clinic: Clinic) -> None:
    assert desk.get("/patients/new/").status_code == 200
    reply = desk.post("/patients/new/", PERSON)
    person = Patient.objects.get(family_name="Newcomer")
    assert reply["Location"] == f"/patients/{person.pk}/details/"
    assert desk.get(reply["Location"]).status_code == 200
    assert desk.get(f"/patients/{person.pk}/").status_code == 403
    assert person.clinic == clinic and person.record_number.startswith("K-")


def test_a_look_alike_has_to_be_ruled_out(desk: Client) -> None:
    desk.post("/patients/new/", PERSON)
    assert desk.post("/patients/new/", PERSON).status_code == 409
    assert desk.post("/patients/new/", {**PERSON, "another_person": "on"}).status_code == 302
    assert Patient.objects.filter(family_name="Newcomer").count() == 2


@pytest.mark.parametrize("day", ["2090-01-01", "1700-01-01", "30 February", ""])
def test_an_impossible_birth_day_is_refused(desk: Client, day: str) -> None:
    assert desk.post("/patients/new/", {**PERSON, "birth_date": day}).status_code == 422
    assert not Patient.objects.exists()


def test_a_form_cannot_choose_clinic_or_number(desk: Client, clinic: Clinic) -> None:
    other = make_clinic(name="Elsewhere")
    desk.post("/patients/new/", {**PERSON, "clinic": other.pk, "record_number": "K-1", "synthetic": ""})
    person = Patient.objects.get(family_name="Newcomer")
    assert (person.clinic, person.record_number != "K-1") == (clinic, True)


def test_a_correction_keeps_the_old_value(desk: Client, patient: Patient) -> None:
    address = f"/patients/{patient.pk}/correct/"
    assert desk.get(address).status_code == 200
    changed = {**PERSON, "given_name": "Renamed", "deceased_on": "", "reason": "misspelt on the referral"}
    assert desk.post(address, changed).status_code == 302
    text = desk.get(f"/patients/{patient.pk}/details/").content.decode()
    assert "Renamed" in text and "misspelt on the referral" in text and "Synthetic" in text
    assert AuditEntry.objects.filter(action="correct_patient", patient_id=patient.pk).exists()


@pytest.mark.parametrize(("died", "reason"), [("2090-01-01", "x"), ("1900-01-01", "x"), ("", "")])
def test_an_impossible_correction_is_refused(desk: Client, patient: Patient, died: str, reason: str) -> None:
    reply = desk.post(f"/patients/{patient.pk}/correct/", {**PERSON, "deceased_on": died, "reason": reason})
    assert reply.status_code == 422
    patient.refresh_from_db()
    assert patient.deceased_on is None


def test_a_correction_needs_a_reason(patient: Patient, nurse: Staff) -> None:
    with pytest.raises(Refusal, match="no reason"):
        correct_patient(patient=patient, by=nurse, at=NOON, reason=" ", given_name="X")


def test_caregivers_are_named_and_changed(desk: Client, patient: Patient) -> None:
    address = f"/patients/{patient.pk}/caregivers/new/"
    assert desk.get(address).status_code == 200
    assert desk.post(address, {"name": ""}).status_code == 422
    desk.post(address, {"name": "Girlitz Carer", "relationship": "partner", "phone": "1", "may_escort": "on"})
    carer = Caregiver.objects.get(patient=patient)
    address = f"/patients/{patient.pk}/caregivers/{carer.pk}/"
    assert desk.get(address).status_code == 200
    desk.post(address, {"name": "Girlitz Carer", "relationship": "friend", "phone": "2"})
    carer.refresh_from_db()
    assert (carer.relationship, carer.may_escort) == ("friend", False)
    assert desk.get(f"/patients/{patient.pk}/caregivers/999/").status_code == 404


@pytest.mark.parametrize("tail", ["details/", "correct/", "caregivers/new/"])
def test_people_of_another_clinic_are_not_found(desk: Client, tail: str) -> None:
    foreign = make_patient(make_clinic(name="Elsewhere"))
    assert desk.get(f"/patients/{foreign.pk}/{tail}").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "prescriber taken"},
        {"email": "no address"},
        {"role": "king"},
        {"is_medical_director": "on"},
        {"display_name": ""},
    ],
)
def test_a_wrong_member_is_refused(administrator: Staff, wrong: dict[str, Any]) -> None:
    assert signed_in(administrator).post("/staff/new/", {**MEMBER, **wrong}).status_code == 422
    assert not User.objects.filter(username="synthetic.new").exists()


def test_a_taken_user_name_is_refused(administrator: Staff) -> None:
    taken = {**MEMBER, "username": administrator.user.username.upper()}
    assert signed_in(administrator).post("/staff/new/", taken).status_code == 422


def test_nobody_locks_the_clinic_out(administrator: Staff) -> None:
    client = signed_in(administrator)
    for data in ({"do": "close"}, {"display_name": "x", "role": "nurse"}):
        client.post(f"/staff/{administrator.pk}/", data)
        administrator.refresh_from_db()
        assert administrator.is_active and administrator.role == Role.ADMINISTRATOR


def test_staff_of_another_clinic_are_not_found(administrator: Staff) -> None:
    foreign = make_staff(make_clinic(name="Elsewhere"), Role.NURSE)
    assert signed_in(administrator).get(f"/staff/{foreign.pk}/").status_code == 404


def test_the_clinics_settings_are_changed(administrator: Staff) -> None:
    client = signed_in(administrator)
    assert client.get("/clinic/").status_code == 200
    assert client.post("/clinic/", SETTINGS).status_code == 302
    clinic = Clinic.objects.get(pk=administrator.clinic_id)
    assert (clinic.time_zone, clinic.jurisdiction, clinic.rems_certified_until) == (
        "America/Chicago",
        "US-PA",
        date(2027, 1, 1),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"emergency_contact": ""},
        {"time_zone": "Middle/Earth"},
        {"jurisdiction": "everywhere"},
        {"rems_certified_until": "2020-01-01"},
        {"chairs": "-1"},
    ],
)
def test_wrong_settings_are_refused(administrator: Staff, wrong: dict[str, str]) -> None:
    assert signed_in(administrator).post("/clinic/", {**SETTINGS, **wrong}).status_code == 422


def test_what_was_known_about_a_caregiver_is_kept(desk: Client, patient: Patient, nurse: Staff) -> None:
    carer = name_caregiver(patient=patient, by=nurse, at=NOON, name="Girlitz Carer", phone="1")
    correct_caregiver(caregiver=carer, by=nurse, at=NOON, reason="moved", phone="2", may_escort=False)
    kept = PatientCorrection.objects.filter(caregiver=carer).values_list("field", "old_value", "new_value", "reason")
    assert set(kept) == {("phone", "1", "2", "moved"), ("may_escort", "True", "False", "moved")}
    text = desk.get(f"/patients/{patient.pk}/details/").content.decode()
    assert "Caregiver Girlitz Carer, telephone: 2" in text and "was <del>1</del>" in text
    assert "may take the patient home: no" in text


def test_staff_of_another_clinic_name_and_correct_nobody(patient: Patient, nurse: Staff) -> None:
    carer = name_caregiver(patient=patient, by=nurse, at=NOON, name="Girlitz Carer")
    member = make_staff(patient.clinic)
    elsewhere = make_clinic(name="Elsewhere")
    stranger, chief = make_staff(elsewhere, Role.NURSE), make_staff(elsewhere, Role.ADMINISTRATOR)
    deeds: list[Callable[[], object]] = [
        lambda: name_caregiver(patient=patient, by=stranger, at=NOON, name="X"),
        lambda: correct_patient(patient=patient, by=stranger, at=NOON, reason="x", given_name="X"),
        lambda: correct_caregiver(caregiver=carer, by=stranger, at=NOON, name="X"),
        lambda: change_staff(member=member, by=chief, at=NOON, display_name="X"),
    ]
    for deed in deeds:
        with pytest.raises(PermissionDenied, match="another clinic"):
            deed()
    assert not PatientCorrection.objects.exists()
    assert list(Caregiver.objects.values_list("name", flat=True)) == ["Girlitz Carer"]
