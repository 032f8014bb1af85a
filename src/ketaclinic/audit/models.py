"""The audit entry, and the base class of everything that is only ever added to."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(TypeError):
    """Code tried to change or delete a row that may only be added to."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Refuses the bulk ways around ``AppendOnly.save``."""

    def bulk_create(self, objs: Any, *args: Any, update_conflicts: bool = False, **kwargs: Any) -> list[Any]:
        """Write new rows; refuse to write over those they meet."""
        if update_conflicts:
            raise AppendOnlyError(f"{self.model.__name__} rows are never changed")
        return super().bulk_create(objs, *args, **kwargs)

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: rows are corrected by amendment."""
        raise AppendOnlyError(f"{self.model.__name__} rows are never changed")

    def update_or_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: rows are corrected by amendment."""
        raise AppendOnlyError(f"{self.model.__name__} rows are never changed")

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse: rows are corrected by amendment."""
        raise AppendOnlyError(f"{self.model.__name__} rows are never changed")

    def delete(self) -> NoReturn:
        """Refuse: rows are corrected by amendment."""
        raise AppendOnlyError(f"{self.model.__name__} rows are never deleted")


class AppendOnly(models.Model):
    """A row that is written once. Subclasses use a manager made from ``AppendOnlyQuerySet``."""

    only_added_to = True
    """Read where the database's own rights are made: the server may not change such rows there either."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new row; refuse to write over one that exists, also where a new object names its key."""
        if not self._state.adding:
            raise AppendOnlyError(f"{type(self).__name__} rows are never changed")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: rows are corrected by amendment."""
        raise AppendOnlyError(f"{type(self).__name__} rows are never deleted")


class ActorKind(models.TextChoices):
    """What kind of actor an entry speaks of."""

    STAFF = "staff", "staff"
    PATIENT = "patient", "patient"
    CAREGIVER = "caregiver", "caregiver"
    DEVICE = "device", "device"
    SYSTEM = "system", "Ketaclinic itself"
    UNKNOWN = "unknown", "nobody who is known"


class Outcome(models.TextChoices):
    """What came of it."""

    DONE = "done", "done"
    REFUSED = "refused", "refused"
    NOT_FOUND = "not_found", "not found"
    FAILED = "failed", "failed"


class AuditEntry(AppendOnly):
    """Who did what, to which object of which patient, when, from where, why, and what came of it.

    Written by ``write_audit`` alone. ``seq`` counts within the clinic; ``hash`` covers every column and the hash
    before it. ``fields`` names what was changed or shown, never a value. ``written_late_at`` is set when the entry
    could not be written at once. No patient is named: ids outlive the rows they point to.
    """

    seq = models.BigIntegerField()
    at = models.DateTimeField()
    written_late_at = models.DateTimeField(null=True)
    clinic_id = models.BigIntegerField(null=True)
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor_id = models.BigIntegerField(null=True)
    actor_role = models.CharField(max_length=20)
    action = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    patient_id = models.BigIntegerField(null=True)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    fields = models.CharField(max_length=400, blank=True)
    reason = models.TextField(blank=True)
    route = models.CharField(max_length=80, blank=True)
    from_address = models.CharField(max_length=45, blank=True)
    device = models.CharField(max_length=16, blank=True)
    request_id = models.CharField(max_length=16, blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic_id", "seq"], name="audit_one_entry_per_number"),
            models.UniqueConstraint(
                fields=["seq"], condition=models.Q(clinic_id__isnull=True), name="audit_one_entry_per_number_of_none"
            ),
        ]
        indexes = [
            models.Index(fields=["clinic_id", "at"]),
            models.Index(fields=["patient_id", "at"]),
        ]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
