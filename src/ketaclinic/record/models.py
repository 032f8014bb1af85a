"""The base of every clinical row, the timeline, and the decisions of the core as they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from ketaclinic.audit.models import AppendOnly, AppendOnlyQuerySet
from ketaclinic.people.models import Clinic, Patient, Staff

if TYPE_CHECKING:
    from typing import Self


class ClinicalQuerySet(AppendOnlyQuerySet):
    """Reads of clinical rows: of one clinic, and without the values that were amended."""

    def of(self, clinic: Clinic) -> Self:
        """Return the rows of one clinic; every read starts here."""
        return self.filter(clinic=clinic)

    def current(self) -> Self:
        """Return the rows that no amendment has replaced."""
        return self.filter(amended_by__isnull=True)


class ClinicalRow(AppendOnly):
    """Something that happened to a patient. Written once; a correction is a new row that names the old one.

    ``at`` is when it happened, ``recorded_at`` when it was written down, ``recorded_by`` who did.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="%(class)ss")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    amends = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="amended_by")
    amendment_reason = models.TextField(blank=True)

    objects = ClinicalQuerySet.as_manager()

    class Meta:
        abstract = True


class TimelineEntry(AppendOnly):
    """One line of a patient's timeline. Written by the action that made it happen, in the same transaction.

    ``stage`` is the room, ``kind`` a stable word for filters and marks, ``title`` the line a person reads,
    ``about_type`` and ``about_id`` the row it speaks of. An amended line is kept and names its successor.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="timeline")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20)
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    detail = models.CharField(max_length=400, blank=True)
    about_type = models.CharField(max_length=60, blank=True)
    about_id = models.BigIntegerField(null=True)
    amends = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="amended_by")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["patient", "-at", "-id"])]
        verbose_name_plural = "timeline entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.title}"


class StoredDecision(ClinicalRow):
    """A decision of the core exactly as it was made: rule pack, facts used, findings. Replayable years later."""

    room = models.CharField(max_length=20)
    question = models.CharField(max_length=60)
    outcome = models.CharField(max_length=40)
    rule_pack = models.CharField(max_length=20)
    facts: models.JSONField[Any, Any] = models.JSONField()
    decision: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["patient", "question", "-at"])]

    def __str__(self) -> str:
        return f"{self.question}: {self.outcome}"
