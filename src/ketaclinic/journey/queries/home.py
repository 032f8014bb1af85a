"""Reads of the first pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Window

from ketaclinic.people.models import Caregiver, Clinic, Patient
from ketaclinic.treatment.models import Session


@dataclass(frozen=True, slots=True)
class First:
    """The first rows of a list, and how long the list is."""

    rows: tuple[Patient, ...]
    count: int


def first_of(rows: QuerySet[Patient], size: int) -> First:
    """Return the first ``size`` patients of a list and the length of the whole, found in one walk."""
    found = list(rows.select_related("clinic").annotate(length=Window(Count("*")))[:size])
    return First(tuple(found), found[0].length if found else 0)


def caregivers_by_patient(clinic: Clinic, ids: Collection[int]) -> dict[int, str]:
    """Return, by patient, the name of the first caregiver who may fetch them."""
    rows = Caregiver.objects.of(clinic).filter(patient_id__in=ids, may_escort=True).order_by("-pk")
    return dict(rows.values_list("patient_id", "name"))


def opened_bookings(clinic: Clinic, ids: Collection[int]) -> dict[int, int]:
    """Return on which chair the session of each booking takes place that has one already."""
    rows = Session.objects.of(clinic).filter(booking_id__in=ids)
    return {pk: chair for pk, chair in rows.values_list("booking_id", "chair") if pk is not None}
