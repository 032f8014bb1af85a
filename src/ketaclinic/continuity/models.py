"""What must be known for ever about a restore: which stretch of time is missing, and who has seen that."""

from __future__ import annotations

from django.db import models

from ketaclinic.audit.models import AppendOnly, AppendOnlyQuerySet
from ketaclinic.people.models import Clinic, Staff


class Restoration(AppendOnly):
    """The record of this clinic was restored at ``at`` from a backup of ``backup_at``.

    Entries between ``complete_until`` and ``missing_until`` are not in the record: they are to be entered again.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    backup_at = models.DateTimeField()
    complete_until = models.DateTimeField()
    missing_until = models.DateTimeField()
    application = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    detail = models.CharField(max_length=400, blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"restored {self.at:%Y-%m-%d %H:%M} from {self.backup_at:%Y-%m-%d %H:%M}"


class RestorationSeen(AppendOnly):
    """Somebody who answers for the clinic has read which entries a restore has lost."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    restoration = models.OneToOneField(Restoration, on_delete=models.PROTECT, related_name="seen")
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "restorations seen"

    def __str__(self) -> str:
        return f"seen {self.at:%Y-%m-%d %H:%M}"
