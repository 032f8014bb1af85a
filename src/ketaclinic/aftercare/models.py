"""Instructions given, and the contact the day after."""

from __future__ import annotations

from typing import Any

from django.db import models

from ketaclinic.record.models import ClinicalRow
from ketaclinic.treatment.models import Session


class InstructionsGiven(ClinicalRow):
    """The aftercare sheet of one session was handed over; ``content`` is what it said."""

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="instructions")
    to_escort = models.BooleanField(default=False)
    content: models.JSONField[Any, Any] = models.JSONField()
    entry_key = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "instructions given"
        indexes = [models.Index(fields=["session"])]
        constraints = [models.UniqueConstraint(fields=["session", "entry_key"], name="one_sheet_per_entry")]

    def __str__(self) -> str:
        return f"Aftercare sheet of {self.at:%Y-%m-%d}"


class NextDayContact(ClinicalRow):
    """Somebody tried to reach the patient after a session, or reached them."""

    class Outcome(models.TextChoices):
        """What came of it."""

        REACHED = "reached", "Reached"
        NOT_REACHED = "not_reached", "Not reached"

    class Wellbeing(models.TextChoices):
        """How the patient is, in the patient's own choice of three."""

        WELL = "well", "Well"
        SOME_COMPLAINTS = "some_complaints", "Some complaints"
        NEEDS_CLINICIAN = "needs_clinician", "Needs a clinician"
        NOT_TOLD = "not_told", "Not told"

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="contacts")
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    wellbeing = models.CharField(max_length=16, choices=Wellbeing.choices, default=Wellbeing.NOT_TOLD)
    note = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["session", "outcome"]), models.Index(fields=["clinic", "-at"])]

    def __str__(self) -> str:
        return f"Contact after the session: {self.get_outcome_display()}"
