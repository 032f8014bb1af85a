"""Reads about people, always within one clinic."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import Http404

from ketaclinic.people.models import Clinic, Patient, Staff


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
