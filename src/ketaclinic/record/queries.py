"""Reads of the timeline."""

from __future__ import annotations

from django.db.models import QuerySet

from ketaclinic.people.models import Patient
from ketaclinic.record.models import TimelineEntry


def timeline_of(patient: Patient) -> QuerySet[TimelineEntry]:
    """Return the patient's timeline, newest first, with who wrote each line and what replaced it."""
    return TimelineEntry.objects.filter(patient=patient, clinic_id=patient.clinic_id).select_related(
        "recorded_by", "amended_by", "amended_by__recorded_by"
    )
