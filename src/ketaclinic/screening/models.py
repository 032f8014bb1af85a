"""History, imported or asked; antidepressant trials; the prescriber's decision. Rows are only ever added."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ketaclinic.people.models import Staff
from ketaclinic.record.models import ClinicalRow, StoredDecision

PRODUCTS = {"esketamine-nasal": "Esketamine nasal", "ketamine-iv": "Ketamine IV"}
"""Products a person can be a candidate for, with the words people use."""


class SourcedRow(ClinicalRow):
    """A row that another system may have sent; ``source_system`` and ``source_id`` are blank when entered by hand.

    The same source row arrives once per clinic: importing again changes nothing. ``corrected_here`` marks a row of a
    source that staff of the clinic amended: the source does not write over it.
    """

    source_system = models.CharField(max_length=200, blank=True)
    source_id = models.CharField(max_length=200, blank=True)
    corrected_here = models.BooleanField(default=False)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "source_system", "source_id"],
                condition=~Q(source_id="") & Q(amends__isnull=True),
                name="%(class)s_once_per_source",
            )
        ]
        indexes = [models.Index(fields=["patient", "-at"], name="%(class)s_of_patient")]

    @property
    def imported(self) -> bool:
        """Whether another system sent this row."""
        return bool(self.source_system)

    @property
    def as_sent(self) -> SourcedRow:
        """The newest row that the source sent, behind what was corrected here."""
        row: SourcedRow = self
        while row.corrected_here and isinstance(row.amends, SourcedRow):
            row = row.amends
        return row


class CodedRow(SourcedRow):
    """A row that carries a code of a terminology, and the words that were shown for it."""

    code_system = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=60, blank=True)
    display = models.CharField(max_length=300)

    class Meta(SourcedRow.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.display


class Problem(CodedRow):
    """A condition, now or in the past."""

    class Status(models.TextChoices):
        """Clinical status as FHIR names it; ``refuted`` is a clinician's answer to a wrong entry."""

        ACTIVE = "active", "active"
        RECURRENCE = "recurrence", "recurrence"
        RELAPSE = "relapse", "relapse"
        INACTIVE = "inactive", "inactive"
        REMISSION = "remission", "remission"
        RESOLVED = "resolved", "resolved"
        REFUTED = "refuted", "refuted"
        UNKNOWN = "unknown", "not stated"

    onset_on = models.DateField(null=True, blank=True)
    abated_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.UNKNOWN)


class Medication(CodedRow):
    """A medicine with its period; ``ingredient`` in plain lower-case words, blank when nobody knows it."""

    class Status(models.TextChoices):
        """Status of a medication statement as FHIR names it."""

        ACTIVE = "active", "active"
        ON_HOLD = "on-hold", "on hold"
        STOPPED = "stopped", "stopped"
        COMPLETED = "completed", "completed"
        ERROR = "entered-in-error", "entered in error"
        UNKNOWN = "unknown", "not stated"

    ingredient = models.CharField(max_length=200, blank=True)
    dose_text = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.UNKNOWN)
    started_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)


class Allergy(CodedRow):
    """An allergy or intolerance."""

    class Criticality(models.TextChoices):
        """How dangerous a reaction would be."""

        LOW = "low", "low"
        HIGH = "high", "high"
        UNABLE = "unable-to-assess", "not assessed"

    criticality = models.CharField(max_length=20, choices=Criticality.choices, blank=True)
    status = models.CharField(max_length=20, choices=Problem.Status.choices, default=Problem.Status.UNKNOWN)


class Procedure(CodedRow):
    """A procedure that was done."""

    performed_on = models.DateField(null=True, blank=True)


class VitalSign(SourcedRow):
    """One measurement; a blood pressure carries the diastolic value in ``value_2``."""

    class Kind(models.TextChoices):
        """What was measured."""

        BLOOD_PRESSURE = "blood_pressure", "Blood pressure"
        HEART_RATE = "heart_rate", "Heart rate"
        OXYGEN_SATURATION = "oxygen_saturation", "Oxygen saturation"
        RESPIRATORY_RATE = "respiratory_rate", "Respiratory rate"
        TEMPERATURE = "temperature", "Temperature"
        WEIGHT = "weight", "Weight"
        HEIGHT = "height", "Height"
        BMI = "bmi", "Body mass index"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    value = models.DecimalField(max_digits=8, decimal_places=2)
    value_2 = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    unit = models.CharField(max_length=20)

    class Meta(SourcedRow.Meta):
        indexes = [models.Index(fields=["patient", "kind", "-at"], name="vitalsign_newest_of_kind")]

    def __str__(self) -> str:
        second = f"/{self.value_2.normalize():f}" if self.value_2 is not None else ""
        return f"{self.value.normalize():f}{second} {self.unit}"


class HistoryAnswer(ClinicalRow):
    """An answer to one question of the history. No row means: not asked.

    ``value`` carries what yes and no cannot (a Child-Pugh class, the day of an event, the indication).
    """

    class Answer(models.TextChoices):
        """What the person said. ``given`` means that ``value`` holds the answer."""

        YES = "yes", "Yes"
        NO = "no", "No"
        NOT_KNOWN = "not_known", "Not known"
        GIVEN = "given", "Given"

    question = models.CharField(max_length=40)
    answer = models.CharField(max_length=10, choices=Answer.choices)
    value = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["patient", "question", "-at"])]

    def __str__(self) -> str:
        return f"{self.question}: {self.value or self.get_answer_display()}"


class AntidepressantTrial(ClinicalRow):
    """One antidepressant that was tried. Blank fields are unknown, never a default."""

    class Outcome(models.TextChoices):
        """What it did for the depression."""

        RESPONSE = "response", "Response"
        PARTIAL = "partial", "Partial response"
        NONE = "none", "No response"
        UNKNOWN = "unknown", "Not known"

    class Reason(models.TextChoices):
        """Why it was stopped. Intolerance is not failure."""

        LACK_OF_EFFECT = "lack_of_effect", "Lack of effect"
        INTOLERANCE = "intolerance", "Not tolerated"
        NON_ADHERENCE = "non_adherence", "Not taken as agreed"
        COST = "cost", "Cost"
        OTHER = "other", "Other"

    class Adherence(models.TextChoices):
        """Whether it was taken as agreed."""

        ADEQUATE = "adequate", "Adequate"
        DOUBTFUL = "doubtful", "Doubtful"
        UNKNOWN = "unknown", "Not known"

    class InformationSource(models.TextChoices):
        """Where the information came from."""

        RECORDS = "records", "Records"
        PHARMACY = "pharmacy", "Pharmacy fills"
        RECALL = "recall", "Patient's recall"

    drug = models.CharField(max_length=80)
    max_daily_dose_mg = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    started_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    ongoing = models.BooleanField(default=False)
    days_at_dose = models.PositiveSmallIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.UNKNOWN)
    reason_stopped = models.CharField(max_length=20, choices=Reason.choices, blank=True)
    adherence = models.CharField(max_length=10, choices=Adherence.choices, default=Adherence.UNKNOWN)
    current_episode = models.BooleanField(null=True, blank=True)
    source = models.CharField(max_length=10, choices=InformationSource.choices, blank=True)

    class Meta:
        indexes = [models.Index(fields=["patient", "-at"])]

    def __str__(self) -> str:
        dose = f" {self.max_daily_dose_mg.normalize():f} mg" if self.max_daily_dose_mg is not None else ""
        return f"{self.drug}{dose}"


class CandidacyDecision(ClinicalRow):
    """What the prescriber decided for one product, why, and the assessment that lay on the table.

    ``overrides`` holds, for each stop that was passed, the rule id and the reason that was given for it.
    """

    class Verdict(models.TextChoices):
        """Treat, wait or decline."""

        TREAT = "treat", "Treat"
        WAIT = "wait", "Wait"
        DECLINE = "decline", "Decline"

    product = models.CharField(max_length=20, choices=list(PRODUCTS.items()))
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.TextField()
    decision = models.ForeignKey(StoredDecision, on_delete=models.PROTECT, related_name="+")
    overrides: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict, blank=True)
    second_signer = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["patient", "product", "-at"]), models.Index(fields=["clinic", "-at"])]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}: {PRODUCTS.get(self.product, self.product)}"
