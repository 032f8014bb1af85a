"""The base of every clinical row, the timeline, decisions of the core as they were made, and intents to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from ketaclinic.audit.models import AppendOnly, AppendOnlyQuerySet
from ketaclinic.people.models import Clinic, Patient, Person, PersonalAccess, Staff, User

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

    @property
    def author_name(self) -> str:
        """Who wrote it down, as the pages say it."""
        return self.recorded_by.display_name


def one_author(name: str) -> models.CheckConstraint:
    """Return the constraint that a row was written by a member of staff or told by a patient, never both or neither."""
    staff, own = models.Q(recorded_by__isnull=False), models.Q(told_by__isnull=False)
    return models.CheckConstraint(condition=(staff & ~own) | (own & ~staff), name=f"one_author_of_{name}")


class Authored:
    """A row that staff wrote down (``recorded_by``), or that a patient wrote with a sign-in of their own (``told_by``).

    The two are never mixed up: what a patient taps at home was seen by nobody of the clinic.
    """

    recorded_by: Any
    told_by: Any

    @property
    def author(self) -> Person:
        """Who wrote it."""
        found: Person = self.recorded_by or self.told_by
        return found

    @property
    def author_name(self) -> str:
        """Who wrote it, as the pages say it."""
        own: PersonalAccess | None = self.told_by
        if own is None:
            return self.author.display_name
        return f"{own.display_name} ({own.get_role_display().lower()}, own sign-in)"


class AuthoredRow(Authored, ClinicalRow):
    """A clinical row that staff or the patient may write."""

    recorded_by = models.ForeignKey(  # type: ignore[assignment]  # here it may be empty
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    told_by = models.ForeignKey(PersonalAccess, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True


class TimelineEntry(Authored, AppendOnly):
    """One line of a patient's timeline. Written by the action that made it happen, in the same transaction.

    ``stage`` is the room, ``kind`` a stable word for filters and marks, ``title`` the line a person reads,
    ``about_type`` and ``about_id`` the row it speaks of. An amended line is kept and names its successor.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="timeline")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    told_by = models.ForeignKey(PersonalAccess, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
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
        constraints = [one_author("timeline_entry")]
        verbose_name_plural = "timeline entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.title}"


class StoredDecision(AuthoredRow):
    """A decision of the core exactly as it was made: rule pack, facts used, findings. Replayable years later."""

    room = models.CharField(max_length=20)
    question = models.CharField(max_length=60)
    outcome = models.CharField(max_length=40)
    rule_pack = models.CharField(max_length=20)
    facts: models.JSONField[Any, Any] = models.JSONField()
    decision: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["patient", "question", "-at"])]
        constraints = [one_author("stored_decision")]

    def __str__(self) -> str:
        return f"{self.question}: {self.outcome}"


class Intent(AppendOnly):
    """One request that has written: whose, about which patient, under which key, a fingerprint of it. Kept for ever.

    Written in the transaction of the effect: where there is a row, there is the effect, and it is not done again.
    ``path`` holds ids and no names.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=64)
    route = models.CharField(max_length=80)
    path = models.CharField(max_length=300)
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField()

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_intent_per_key")]

    def __str__(self) -> str:
        return f"{self.route} at {self.at:%Y-%m-%d %H:%M}"


class IntentAnswer(models.Model):
    """What the request was answered, to be said again; removed after ``settings.KEEP_ANSWERS_DAYS``.

    ``body`` is compressed, and empty with ``complete`` false where it was too large to keep.
    """

    intent = models.OneToOneField(Intent, on_delete=models.PROTECT, primary_key=True, related_name="answer")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField()
    headers: models.JSONField[Any, Any] = models.JSONField()
    messages: models.JSONField[Any, Any] = models.JSONField()
    body = models.BinaryField()
    complete = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.status} at {self.at:%Y-%m-%d %H:%M}"


class WriteTrial(models.Model):
    """One row, written for no other reason than to learn whether writing works again."""

    tried_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.tried_at:%Y-%m-%d %H:%M}"
