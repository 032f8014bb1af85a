"""Reads about people, always within one clinic."""

from __future__ import annotations

from datetime import date
from typing import TypeVar

from django.db.models import F, Model, Q, QuerySet
from django.http import Http404

from ketaclinic.audit.noted import note_missing, note_opened
from ketaclinic.config.wall.standing import opened
from ketaclinic.people.models import (
    Caregiver,
    Clinic,
    EmergencyAccess,
    Patient,
    PatientCorrection,
    PersonalAccess,
    Staff,
    User,
)
from ketaclinic.people.permissions import Permission, Role
from ketaclinic.people.sign_in import PLACES, StaffBackend

Row = TypeVar("Row", bound=Model)


def one_in(rows: QuerySet[Row], what: str, pk: int) -> Row:
    """Return the one object with this key; raises ``Http404`` where ``rows`` hold none.

    Every single object that a request names is opened here, in every room: so that the log knows what was opened, and
    what was asked for that does not exist or belongs to somebody else. ``rows`` are those of one clinic.
    """
    found = rows.filter(pk=pk).first()
    if found is None:
        note_missing(rows.model, pk)
        raise Http404(f"No such {what}.")
    note_opened(found)
    return found


def patient_in(clinic: Clinic, pk: int) -> Patient:
    """Return the patient of this clinic; raises ``Http404`` for one of another clinic or none at all."""
    rows: QuerySet[Patient] = Patient.objects.of(clinic)
    return one_in(rows, "patient in this clinic", pk)


def patients_named(clinic: Clinic, words: str) -> QuerySet[Patient]:
    """Return the clinic's patients whose name or record number begins with each of the words."""
    found = Patient.objects.of(clinic)
    for word in words.split()[:5]:
        found = found.filter(
            Q(family_name__istartswith=word) | Q(given_name__istartswith=word) | Q(record_number__iexact=word)
        )
    return found


def staff_with_role(clinic: Clinic, *roles: str) -> QuerySet[Staff]:
    """Return the clinic's active staff in any of the roles, by name."""
    return Staff.objects.of(clinic).filter(role__in=roles, is_active=True).order_by("display_name")


def staff_of(clinic: Clinic) -> QuerySet[Staff]:
    """Return all staff of the clinic with their sign-in, those who may sign in first."""
    return Staff.objects.of(clinic).select_related("user").order_by("-is_active", "display_name", "pk")


def member_in(clinic: Clinic, pk: int) -> Staff:
    """Return a member of this clinic's staff; raises ``Http404`` for one of another clinic or none at all."""
    rows: QuerySet[Staff] = Staff.objects.of(clinic)
    return one_in(rows.select_related("clinic", "user", "changed_by"), "member of staff in this clinic", pk)


def caregivers_of(patient: Patient) -> QuerySet[Caregiver]:
    """Return who looks after the patient, in the order in which they were named."""
    return Caregiver.objects.of(patient.clinic).filter(patient=patient).order_by("pk")


def caregiver_in(patient: Patient, pk: int) -> Caregiver:
    """Return one caregiver of this patient; raises ``Http404`` for anybody else's."""
    return one_in(caregivers_of(patient), "caregiver of this patient", pk)


def clinic_now(pk: int) -> Clinic:
    """Return the clinic as it stands in the record now."""
    return Clinic.objects.select_related("changed_by").get(pk=pk)


def corrections_of(patient: Patient) -> QuerySet[PatientCorrection]:
    """Return what was corrected in the patient's identity or a caregiver's, newest first, with who did it."""
    return PatientCorrection.objects.of(patient.clinic).filter(patient=patient).select_related("by", "caregiver")


def look_alikes(clinic: Clinic, family_name: str, birth_date: date) -> list[Patient]:
    """Return patients of the clinic with this family name and day of birth: perhaps the same person."""
    rows = Patient.objects.of(clinic).filter(family_name__iexact=family_name.strip(), birth_date=birth_date)[:5]
    found = list(rows)
    for patient in found:
        note_opened(patient)
    return found


def own_access_of(user: User) -> PersonalAccess | None:
    """Return the access to their own care that a sign-in opens, with the clinic; ``None``: none.

    Of whom it speaks is read later: behind the second wall nobody is seen before the clinic is known.
    """
    rows = PersonalAccess.objects.select_related("clinic")
    access: PersonalAccess | None = rows.filter(user=user).first()
    return access


def accesses_of(patient: Patient) -> QuerySet[PersonalAccess]:
    """Return every sign-in to this patient's care, the patient's own first, closed ones too."""
    rows = PersonalAccess.objects.of(patient.clinic).filter(patient=patient)
    return rows.select_related("user", "patient", "caregiver").order_by(F("caregiver").asc(nulls_first=True))


def access_in(patient: Patient, pk: int) -> PersonalAccess:
    """Return one sign-in to this patient's care; raises ``Http404`` for anybody else's."""
    return one_in(accesses_of(patient), "access to this patient's care", pk)


def emergencies_for(staff: Staff) -> QuerySet[EmergencyAccess]:
    """Return the clinic's emergency accesses, newest first: all for who reviews them, else one's own."""
    rows = EmergencyAccess.objects.of(staff.clinic)
    rows = rows if reviews_emergencies(staff) else rows.filter(by=staff)
    return rows.select_related("patient", "by", "closing", "review", "review__by").order_by("-at", "-pk")


def emergencies_to_review(staff: Staff) -> QuerySet[EmergencyAccess]:
    """Return the accesses this person has to look at, oldest first; one's own are for somebody else."""
    rows = EmergencyAccess.objects.of(staff.clinic).unreviewed()
    rows = rows if reviews_emergencies(staff) else rows.none()
    return rows.exclude(by=staff).select_related("patient", "by", "closing").order_by("at", "pk")


def reviews_emergencies(staff: Staff) -> bool:
    """Return whether this person is the manager or the medical director."""
    return staff.may(Permission.REVIEW_EMERGENCY) and (staff.role == Role.MANAGER or staff.is_medical_director)


def emergency_in(clinic: Clinic, pk: int) -> EmergencyAccess:
    """Return an emergency access of this clinic; raises ``Http404`` for any other."""
    rows: QuerySet[EmergencyAccess] = EmergencyAccess.objects.of(clinic)
    return one_in(
        rows.select_related("patient", "by", "closing", "review", "review__by"), "emergency access in this clinic", pk
    )


def patient_numbered(clinic: Clinic, record_number: str) -> Patient | None:
    """Return the patient of this clinic with a record number, written out in full, or ``None``."""
    found: Patient | None = Patient.objects.of(clinic).filter(record_number__iexact=record_number.strip()).first()
    if found is not None:
        note_opened(found)
    return found


def user_named(username: str) -> User | None:
    """Return the sign-in with exactly this name, with the person's place in a clinic or access to their own care."""
    with opened(User, Staff, PersonalAccess, Clinic):
        return User.objects.select_related(*PLACES, "own").filter(username=username).first()


def user_by_pk(pk: int) -> User | None:
    """Return a sign-in that is open, with the person's place in a clinic."""
    return StaffBackend().get_user(pk)
