"""What was read, who signed it, who took it back. All rows are only ever added to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from ketaclinic.audit.models import AppendOnly, AppendOnlyQuerySet
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.record.models import ClinicalRow

if TYPE_CHECKING:
    from typing import Self


class Product(models.TextChoices):
    """What a consent is given for. The words are those of the core."""

    ESKETAMINE_NASAL = "esketamine-nasal", "Esketamine nasal spray"
    KETAMINE_IV = "ketamine-iv", "IV ketamine"


class ConsentTextQuerySet(AppendOnlyQuerySet):
    """Texts of one clinic."""

    def of(self, clinic: Clinic) -> Self:
        """Return the rows of one clinic; every read starts here."""
        return self.filter(clinic=clinic)


class ConsentText(AppendOnly):
    """One version of the wording for one product in one language, signed off by the medical director.

    ``sections`` is a list of ``{"heading", "paragraphs", "elements"}`` where ``elements`` are the ids of the
    consent checklist (``CON-01`` …) that the section covers; ``questions`` a list of ``{"id", "question", "answer"}``
    for the teach-back. ``renews_earlier`` marks a text with a new material risk: signatures under an
    earlier version then have to be renewed.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    product = models.CharField(max_length=30, choices=Product.choices)
    version = models.CharField(max_length=20)
    language = models.CharField(max_length=5, default="en")
    title = models.CharField(max_length=160)
    sections: models.JSONField[Any, Any] = models.JSONField()
    questions: models.JSONField[Any, Any] = models.JSONField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of title, sections and questions.")
    dose_limit = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    dose_unit = models.CharField(max_length=10, blank=True)
    effective_from = models.DateField()
    renews_earlier = models.BooleanField(default=False)
    signed_off_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = ConsentTextQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "product", "language", "version"], name="one_text_per_product_language_version"
            )
        ]
        indexes = [models.Index(fields=["clinic", "product", "language", "-effective_from"])]

    def __str__(self) -> str:
        return f"{self.title} ({self.version}, {self.language})"

    @property
    def elements(self) -> tuple[str, ...]:
        """The ids of the checklist elements that the text covers, in the order of the text."""
        return tuple(dict.fromkeys(e for section in self.sections for e in section["elements"]))


class ConsentSignature(ClinicalRow):
    """The patient's signature under one text, with the clinician who witnessed it. ``at`` is when it was signed."""

    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="signatures")
    product = models.CharField(max_length=30, choices=Product.choices)
    patient_name = models.CharField(max_length=160)
    witness = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=5)
    interpreter = models.CharField(max_length=120, blank=True)
    copy_given = models.BooleanField()
    capacity_assessed = models.BooleanField()
    questions_answered = models.BooleanField()
    teach_back: models.JSONField[Any, Any] = models.JSONField(default=list)
    registry_research = models.BooleanField(null=True)

    class Meta:
        indexes = [models.Index(fields=["patient", "product", "-at"])]

    def __str__(self) -> str:
        return f"Consent for {self.get_product_display()} of {self.at:%Y-%m-%d}"


class ConsentWithdrawal(ClinicalRow):
    """The patient took consent back; ``at`` is when they said so. Treatment with the product may not go on."""

    product = models.CharField(max_length=30, choices=Product.choices)
    signature = models.ForeignKey(ConsentSignature, on_delete=models.PROTECT, related_name="withdrawals")
    said = models.TextField(blank=True, help_text="In the patient's own words, if they gave a reason.")

    class Meta:
        indexes = [models.Index(fields=["patient", "product", "-at"])]

    def __str__(self) -> str:
        return f"Withdrawal for {self.get_product_display()} of {self.at:%Y-%m-%d}"
