"""Reads about people, always within one clinic."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet
from django.http import Http404

from ketaclinic.people.models import Caregiver, Clinic, Patient, PatientCorrection, Staff


def patient_in(clinic: Clinic, pk: int) -> Patient:
    """Return the patient of this clinic; raises ``Http404`` for one of another clinic or none at all."""
    try:
        patient: Patient = Patient.objects.of(clinic).get(pk=pk)
    except Patient.DoesNotExist:
        raise Http404("No such patient in this clinic.") from None
    return patient


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
    member: Staff | None = Staff.objects.of(clinic).select_related("clinic", "user").filter(pk=pk).first()
    if member is None:
        raise Http404("No such member of staff in this clinic.")
    return member


def caregivers_of(patient: Patient) -> QuerySet[Caregiver]:
    """Return who looks after the patient, in the order in which they were named."""
    return Caregiver.objects.of(patient.clinic).filter(patient=patient).order_by("pk")


def caregiver_in(patient: Patient, pk: int) -> Caregiver:
    """Return one caregiver of this patient; raises ``Http404`` for anybody else's."""
    caregiver: Caregiver | None = caregivers_of(patient).filter(pk=pk).first()
    if caregiver is None:
        raise Http404("No such caregiver of this patient.")
    return caregiver


def corrections_of(patient: Patient) -> QuerySet[PatientCorrection]:
    """Return what was corrected in the patient's identity or a caregiver's, newest first, with who did it."""
    return PatientCorrection.objects.of(patient.clinic).filter(patient=patient).select_related("by", "caregiver")


def look_alikes(clinic: Clinic, family_name: str, birth_date: date) -> list[Patient]:
    """Return patients of the clinic with this family name and day of birth: perhaps the same person."""
    return list(Patient.objects.of(clinic).filter(family_name__iexact=family_name.strip(), birth_date=birth_date)[:5])
