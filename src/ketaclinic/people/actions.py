"""Taking people in."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Caregiver, Clinic, Patient, PatientIdentifier, Staff
from ketaclinic.people.permissions import Permission, check_may

FIRST_RECORD_NUMBER = 20_001


def next_record_number(clinic: Clinic) -> str:
    """Return the next free record number of the clinic (``K-20417``)."""
    last = (Patient.objects.of(clinic).filter(record_number__regex=r"^K-\d+$").aggregate(last=Max("record_number")))[
        "last"
    ]
    return f"K-{int(last[2:]) + 1 if last else FIRST_RECORD_NUMBER}"


@transaction.atomic
def register_patient(
    *,
    by: Staff,
    at: datetime,
    given_name: str,
    family_name: str,
    birth_date: date,
    sex: str = Patient.Sex.UNKNOWN,
    phone: str = "",
    email: str = "",
    language: str = "en",
    deceased_on: date | None = None,
    identifiers: tuple[tuple[str, str], ...] = (),
    synthetic: bool = False,
) -> Patient:
    """Take a person into the clinic of the acting member of staff."""
    check_may(by, Permission.REGISTER_PATIENT if not identifiers else Permission.IMPORT_RECORD)
    patient: Patient = Patient.objects.create(
        clinic=by.clinic,
        record_number=next_record_number(by.clinic),
        given_name=given_name,
        family_name=family_name,
        birth_date=birth_date,
        sex=sex,
        phone=phone,
        email=email,
        language=language,
        deceased_on=deceased_on,
        registered_at=at,
        synthetic=synthetic or by.clinic.synthetic,
    )
    PatientIdentifier.objects.bulk_create(
        PatientIdentifier(clinic=by.clinic, patient=patient, system=system, value=value)
        for system, value in identifiers
    )
    write_audit("register_patient", by=by, at=at, patient_id=patient.pk, obj=patient)
    return patient


@transaction.atomic
def name_caregiver(
    *, patient: Patient, by: Staff, at: datetime, name: str, relationship: str = "", phone: str = ""
) -> Caregiver:
    """Record someone who looks after the patient and may fetch them."""
    check_may(by, Permission.CONFIRM_RIDE)
    caregiver: Caregiver = Caregiver.objects.create(
        clinic=patient.clinic,
        patient=patient,
        name=name,
        relationship=relationship,
        phone=phone,
        synthetic=patient.synthetic,
    )
    write_audit("name_caregiver", by=by, at=at, patient_id=patient.pk, obj=caregiver)
    return caregiver
