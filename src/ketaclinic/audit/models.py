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


class AuditEntry(AppendOnly):
    """Who did what, to which object of which patient, when, and why."""

    at = models.DateTimeField()
    clinic_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    actor_role = models.CharField(max_length=20)
    action = models.CharField(max_length=60)
    patient_id = models.BigIntegerField(null=True)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["clinic_id", "at"]),
            models.Index(fields=["patient_id", "at"]),
        ]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
