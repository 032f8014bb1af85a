"""Results of long-term screens."""

from __future__ import annotations

from django.db import models

from ketaclinic.record.models import ClinicalRow
from ketacore.surveillance.screens import SCREENS


class ScreenResult(ClinicalRow):
    """One screen that was done; ``at`` is when. A screen that was not done has no row: missing is never negative."""

    class Result(models.TextChoices):
        """What it showed."""

        NOTHING_FOUND = "nothing_found", "Nothing found"
        FINDING = "finding", "A finding, see note"

    kind = models.CharField(max_length=24, choices=[(s.kind, s.title) for s in SCREENS])
    result = models.CharField(max_length=16, choices=Result.choices)
    value = models.CharField(max_length=80, blank=True)
    note = models.TextField(blank=True)
    entry_key = models.CharField(max_length=64)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["patient", "kind", "-at"]), models.Index(fields=["clinic", "kind", "-at"])]
        constraints = [models.UniqueConstraint(fields=["clinic", "entry_key"], name="one_screen_result_per_entry")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.at:%Y-%m-%d}: {self.get_result_display()}"
