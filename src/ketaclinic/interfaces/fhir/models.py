"""One row per file that was sent to the import, with what became of it."""

from __future__ import annotations

from typing import Any

from django.db import models

from ketaclinic.people.models import Clinic, ClinicQuerySet, Patient, Staff


class FhirImport(models.Model):
    """One file: who sent it, how far its import is, what was taken and left, or why it was refused.

    The file itself is not kept. ``report`` is ``ImportReport.as_json()``.
    """

    class State(models.TextChoices):
        """How far it is. Only ``done`` means that anything was stored."""

        READING = "reading", "Reading"
        STORING = "storing", "Storing"
        DONE = "done", "Imported"
        REFUSED = "refused", "Refused"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    file_name = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State.choices, default=State.READING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    progress_at = models.DateTimeField()
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    report: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    refusal = models.CharField(max_length=400, blank=True)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["clinic", "-at"])]

    def __str__(self) -> str:
        return f"{self.file_name}: {self.get_state_display()}"
