"""What the clinician judges and answers: the benefit so far, and the proposal for the next session."""

from __future__ import annotations

from django.db import models

from ketaclinic.planning.models import Booking, Plan
from ketaclinic.record.models import ClinicalRow, StoredDecision


class NextSessionAnswer(ClinicalRow):
    """What a prescriber made of a proposal: accepted it, chose another day, or stopped – with the reason.

    The proposal answered is ``decision`` exactly as it was made; ``proposed_from`` and ``proposed_until`` its window.
    """

    class Answer(models.TextChoices):
        """The answer."""

        ACCEPT = "accept", "A day inside the proposed window"
        OTHER_DATE = "other_date", "Another day"
        STOP = "stop", "No further session now"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="next_session_answers")
    answer = models.CharField(max_length=12, choices=Answer.choices)
    decision = models.ForeignKey(StoredDecision, on_delete=models.PROTECT, related_name="+")
    proposed_from = models.DateField(null=True, blank=True)
    proposed_until = models.DateField(null=True, blank=True)
    next_on = models.DateField(null=True, blank=True)
    reason = models.TextField(blank=True)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["patient", "-at"]), models.Index(fields=["plan", "-at"])]

    def __str__(self) -> str:
        return f"{self.get_answer_display()}: {self.next_on or 'no day'}"


class BenefitEvaluation(ClinicalRow):
    """Whether the treatment helps, as a prescriber judged it on a day; what follows from it is another decision."""

    class Benefit(models.TextChoices):
        """The judgement."""

        BENEFIT = "benefit", "It helps"
        UNCLEAR = "unclear", "Not clear yet"
        NONE = "none", "It does not help"
        WORSE = "worse", "Worse than before"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="benefit_evaluations")
    benefit = models.CharField(max_length=10, choices=Benefit.choices)
    reason = models.TextField()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["clinic", "patient", "-at"])]

    def __str__(self) -> str:
        return f"{self.get_benefit_display()}, {self.at:%Y-%m-%d}"
