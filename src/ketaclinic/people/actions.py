"""Taking people in, correcting who they are, and running the clinic's staff list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Length
from django.utils.crypto import get_random_string

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import (
    Caregiver,
    Clinic,
    EmergencyAccess,
    EmergencyClosing,
    EmergencyReview,
    Patient,
    PatientCorrection,
    PatientIdentifier,
    PersonalAccess,
    Staff,
    User,
)
from ketaclinic.people.permissions import Permission, Role, check_in_clinic, check_may
from ketaclinic.people.queries import reviews_emergencies
from ketacore.evidence import Refusal

FIRST_RECORD_NUMBER = 20_001
EASY_TO_READ = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and figures that nobody takes for one another on paper."""
REASON_LENGTH = 20
"""Letters a reason for an emergency, and its review, need at least: one word explains nothing to whoever reads it."""


def next_record_number(clinic: Clinic) -> str:
    """Return the next free record number of the clinic (``K-20417``)."""
    last = (
        Patient.objects.of(clinic)
        .filter(record_number__regex=r"^K-\d+$")
        .order_by(Length("record_number").desc(), "-record_number")
        .values_list("record_number", flat=True)
        .first()
    )
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
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    name: str,
    relationship: str = "",
    phone: str = "",
    may_escort: bool = True,
) -> Caregiver:
    """Record someone who looks after the patient; ``may_escort`` says whether they may fetch them."""
    check_may(by, Permission.CONFIRM_RIDE)
    check_in_clinic(by, patient)
    caregiver: Caregiver = Caregiver.objects.create(
        clinic=patient.clinic,
        patient=patient,
        name=name,
        relationship=relationship,
        phone=phone,
        may_escort=may_escort,
        synthetic=patient.synthetic,
    )
    write_audit("name_caregiver", by=by, at=at, patient_id=patient.pk, obj=caregiver)
    return caregiver


@transaction.atomic
def correct_patient(*, patient: Patient, by: Staff, at: datetime, reason: str, **fields: Any) -> Patient:
    """Correct who a patient is. Each changed field leaves its old value, the author, the time and the reason.

    Raises ``Refusal`` without a reason. Fields that already have the value are left alone.
    """
    check_may(by, Permission.REGISTER_PATIENT)
    check_in_clinic(by, patient)
    changed = _changes(patient, fields)
    if changed and not reason.strip():
        raise Refusal("Correcting the patient", ["no reason was given"], "Say why the entry was wrong.")
    PatientCorrection.objects.bulk_create(
        PatientCorrection(
            clinic_id=patient.clinic_id,
            patient=patient,
            field=name,
            old_value=old,
            new_value=new,
            reason=reason,
            by=by,
            at=at,
        )
        for name, old, new in changed
    )
    _set(patient, fields, changed)
    if changed:
        write_audit(
            "correct_patient",
            by=by,
            at=at,
            patient_id=patient.pk,
            obj=patient,
            fields=_named(changed),
            reason=reason,
        )
    return patient


@transaction.atomic
def correct_caregiver(*, caregiver: Caregiver, by: Staff, at: datetime, reason: str = "", **fields: Any) -> Caregiver:
    """Change what is known about a caregiver; each changed field leaves its old value, the author and the time.

    A reason may be left out: a new telephone number does not say that the old one was wrong.
    """
    check_may(by, Permission.CONFIRM_RIDE)
    check_in_clinic(by, caregiver)
    changed = _changes(caregiver, fields)
    PatientCorrection.objects.bulk_create(
        PatientCorrection(
            clinic_id=caregiver.clinic_id,
            patient_id=caregiver.patient_id,
            caregiver=caregiver,
            field=name,
            old_value=old,
            new_value=new,
            reason=reason,
            by=by,
            at=at,
        )
        for name, old, new in changed
    )
    _set(caregiver, fields, changed)
    if changed:
        write_audit(
            "correct_caregiver",
            by=by,
            at=at,
            patient_id=caregiver.patient_id,
            obj=caregiver,
            fields=_named(changed),
            reason=reason,
        )
    return caregiver


@transaction.atomic
def add_staff(
    *,
    by: Staff,
    at: datetime,
    username: str,
    display_name: str,
    role: str,
    is_medical_director: bool = False,
    email: str = "",
) -> Staff:
    """Give a person a place in the clinic of the acting administrator, and a sign-in that no password opens yet."""
    check_may(by, Permission.MANAGE_STAFF)
    _check_director(role, is_medical_director)
    user = User.objects.create_user(username=username, email=email, password=None)
    member: Staff = Staff.objects.create(
        user=user,
        clinic=by.clinic,
        role=role,
        display_name=display_name,
        is_medical_director=is_medical_director,
        synthetic=by.clinic.synthetic,
    )
    write_audit("add_staff", by=by, at=at, obj=member, reason=f"{display_name}, {member.get_role_display()}")
    return member


@transaction.atomic
def change_staff(*, member: Staff, by: Staff, at: datetime, **fields: Any) -> Staff:
    """Change a member's name, role, directorship, or whether they may sign in; the audit entry keeps the old values.

    Raises ``Refusal`` where the clinic would be left without an administrator, or somebody locks themselves out.
    """
    check_may(by, Permission.MANAGE_STAFF)
    check_in_clinic(by, member)
    role = fields.get("role", member.role)
    active = fields.get("is_active", member.is_active)
    _check_director(role, fields.get("is_medical_director", member.is_medical_director))
    if member.pk == by.pk and (not active or role != member.role):
        raise Refusal(
            "Changing your own place",
            ["you would lock yourself out"],
            "Ask another administrator to do it.",
        )
    Clinic.objects.select_for_update().get(pk=member.clinic_id)  # two administrators could close each other out
    _check_administrator_remains(member, role, active)
    changed = _changes(member, fields)
    _set(member, fields, changed)
    if changed:
        _sign(member, by, at)
        write_audit("change_staff", by=by, at=at, obj=member, fields=_named(changed), reason=_told(changed))
    return member


@transaction.atomic
def change_clinic(*, by: Staff, at: datetime, **fields: Any) -> Clinic:
    """Change the settings of the acting administrator's clinic; the audit entry keeps the old values."""
    check_may(by, Permission.MANAGE_STAFF)
    clinic = by.clinic
    if not str(fields.get("emergency_contact", clinic.emergency_contact)).strip():
        raise Refusal(
            "Changing the clinic",
            ["every aftercare sheet names whom to call, and nobody was named"],
            "Give an emergency contact.",
        )
    changed = _changes(clinic, fields)
    _set(clinic, fields, changed)
    if changed:
        _sign(clinic, by, at)
        write_audit("change_clinic", by=by, at=at, obj=clinic, fields=_named(changed), reason=_told(changed))
    return clinic


@transaction.atomic
def give_access(*, patient: Patient, by: Staff, at: datetime, caregiver: Caregiver | None = None) -> PersonalAccess:
    """Give a patient, or one of their caregivers, a sign-in to what is about this patient; open a closed one again.

    The sign-in has no password yet: a one-time link lets the person choose it (room ``access``). Its user name says
    nothing about the person.
    """
    check_may(by, Permission.GIVE_OWN_ACCESS)
    check_in_clinic(by, patient)
    if caregiver is not None and caregiver.patient_id != patient.pk:
        raise Refusal("Giving access", ["this person does not look after this patient"], "Name them as caregiver.")
    before: PersonalAccess | None = (
        PersonalAccess.objects.of(patient.clinic).filter(patient=patient, caregiver=caregiver).first()
    )
    if before is not None and before.is_active:
        return before
    access = before or PersonalAccess(
        user=User.objects.create_user(username=f"care-{get_random_string(10, EASY_TO_READ)}"),
        clinic_id=patient.clinic_id,
        patient=patient,
        caregiver=caregiver,
        synthetic=patient.synthetic,
    )
    access.is_active = True
    access.save()
    write_audit("give_access", by=by, at=at, patient_id=patient.pk, obj=access, reason=access.get_role_display())
    return access


@transaction.atomic
def withdraw_access(*, access: PersonalAccess, by: Staff, at: datetime, reason: str = "") -> PersonalAccess:
    """Close the sign-in of a patient or caregiver: it opens nothing from the next page on, and its password is gone.

    Their links and signed-in browsers belong to the room ``access``, whose ``withdraw_from_care`` ends them too.
    """
    check_may(by, Permission.GIVE_OWN_ACCESS)
    check_in_clinic(by, access)
    if access.is_active:
        access.is_active = False
        access.save(update_fields=["is_active"])
        access.user.set_unusable_password()
        access.user.save(update_fields=["password"])
        write_audit("withdraw_access", by=by, at=at, patient_id=access.patient_id, obj=access, reason=reason)
    return access


@transaction.atomic
def open_emergency(*, patient: Patient, by: Staff, at: datetime, reason: str) -> EmergencyAccess:
    """Open one chart for reading to somebody whose role may not see it; it closes by itself, and is reviewed.

    Asked again while it is open, the same access is returned. Raises ``Refusal`` without a reason worth reviewing.
    """
    check_may(by, Permission.OPEN_EMERGENCY)
    check_in_clinic(by, patient)
    already = by.emergency_for(patient.pk, at)
    if already is not None:
        return already
    if len(reason.strip()) < REASON_LENGTH:
        raise Refusal(
            "Opening the chart",
            [f"the reason is shorter than {REASON_LENGTH} letters"],
            "Say what is happening and what you need to know: somebody else will review it.",
        )
    access: EmergencyAccess = EmergencyAccess.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        by=by,
        reason=reason.strip(),
        at=at,
        until=at + settings.EMERGENCY_ACCESS,
    )
    write_audit("open_emergency", by=by, at=at, patient_id=patient.pk, obj=access, reason=access.reason)
    return access


@transaction.atomic
def close_emergency(*, access: EmergencyAccess, by: Staff, at: datetime) -> EmergencyAccess:
    """Close an emergency access before its time is over: who opened it, or who reviews it. Closed already, it is so."""
    check_may(by, Permission.SEE_EMERGENCIES)
    check_in_clinic(by, access)
    if access.by_id != by.pk and not reviews_emergencies(by):
        because = "it is open for somebody else"
        raise Refusal("Closing the emergency access", [because], "The manager or the medical director can close it.")
    held: EmergencyAccess = EmergencyAccess.objects.of(by.clinic).select_for_update().get(pk=access.pk)
    if EmergencyAccess.objects.of(by.clinic).open_at(at).filter(pk=held.pk).exists():
        closing = EmergencyClosing.objects.create(clinic_id=held.clinic_id, access=held, by=by, at=at)
        write_audit("close_emergency", by=by, at=at, patient_id=held.patient_id, obj=closing)
    return held


@transaction.atomic
def review_emergency(*, access: EmergencyAccess, by: Staff, at: datetime, outcome: str, note: str) -> EmergencyReview:
    """Record what the manager or the medical director made of an emergency access that was not their own."""
    check_may(by, Permission.REVIEW_EMERGENCY)
    check_in_clinic(by, access)
    refused = "Reviewing the emergency access"
    if not reviews_emergencies(by):
        raise Refusal(refused, ["this is for the manager or the medical director"], "Ask one of them.")
    if access.by_id == by.pk:
        raise Refusal(refused, ["you opened the chart yourself"], "Somebody else has to review it.")
    before = EmergencyReview.objects.of(by.clinic).filter(access=access).select_related("by").first()
    if before is not None:
        raise Refusal(refused, [f"{before.by} has reviewed it"], "Nothing more is to be done.")
    if outcome not in EmergencyReview.Outcome.values:
        raise Refusal(refused, ["no outcome is chosen"], "Choose one, and say what you found.")
    if len(note.strip()) < REASON_LENGTH:
        why = f"what you found is told in less than {REASON_LENGTH} letters"
        raise Refusal(refused, [why], "Say what you found, and what follows.")
    review: EmergencyReview = EmergencyReview.objects.create(
        clinic_id=access.clinic_id, access=access, by=by, outcome=outcome, note=note.strip(), at=at
    )
    told = f"{review.get_outcome_display()}: {review.note}"
    write_audit("review_emergency", by=by, at=at, patient_id=access.patient_id, obj=review, reason=told)
    return review


@transaction.atomic
def found_clinic(*, name: str, emergency_contact: str, at: datetime) -> Clinic:
    """Make a clinic; everything else about it its administrator fills in. For the server's command line."""
    clinic = Clinic.objects.create(name=name, emergency_contact=emergency_contact)
    write_audit("found_clinic", by=None, at=at, obj=clinic, clinic_id=clinic.pk)
    return clinic


_Change = tuple[str, str, str]


def _changes(row: models.Model, fields: Mapping[str, Any]) -> list[_Change]:
    return [(k, _word(getattr(row, k)), _word(v)) for k, v in fields.items() if getattr(row, k) != v]


def _word(value: Any) -> str:
    return "" if value is None else str(value)


def _set(row: models.Model, fields: Mapping[str, Any], changed: list[_Change]) -> None:
    names = _named(changed)
    for name in names:
        setattr(row, name, fields[name])
    if names:
        row.save(update_fields=names)


def _named(changed: list[_Change]) -> list[str]:
    return [name for name, _old, _new in changed]


def _sign(row: Clinic | Staff, by: Staff, at: datetime) -> None:
    """Say on the row who changed it last, for whoever has its form open meanwhile."""
    row.changed_by, row.changed_at = by, at
    row.save(update_fields=["changed_by", "changed_at"])


def _told(changed: list[_Change]) -> str:
    return "; ".join(f"{name}: {old or 'empty'} → {new or 'empty'}" for name, old, new in changed)


def _check_director(role: str, is_medical_director: bool) -> None:
    if is_medical_director and role != Role.PRESCRIBER:
        raise Refusal(
            "Naming a medical director",
            [f"a {Role(role).label.lower()} signs no clinic policies"],
            "Choose the role prescriber, or take the mark away.",
        )


def _check_administrator_remains(member: Staff, role: str, active: bool) -> None:
    if member.role != Role.ADMINISTRATOR or (active and role == Role.ADMINISTRATOR):
        return
    others = Staff.objects.of(member.clinic).filter(role=Role.ADMINISTRATOR, is_active=True).exclude(pk=member.pk)
    if not others.exists():
        raise Refusal(
            "Changing the last administrator",
            ["nobody could manage the staff list any more"],
            "Add another administrator first.",
        )
