"""Writing the log. Called inside the transaction of the action it describes: no log, no write."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from django.db import models

from ketaclinic.audit.models import AuditEntry


class Actor(Protocol):
    """Whoever acts: a member of staff."""

    pk: int
    clinic_id: int
    role: str


def write_audit(
    action: str,
    *,
    by: Actor,
    at: datetime,
    patient_id: int | None = None,
    obj: models.Model | None = None,
    reason: str = "",
) -> AuditEntry:
    """Add one entry; ``obj`` is what the action made or touched."""
    return AuditEntry.objects.create(
        at=at,
        clinic_id=by.clinic_id,
        actor_id=by.pk,
        actor_role=by.role,
        action=action,
        patient_id=patient_id,
        object_type=obj._meta.label if obj is not None else "",
        object_id=str(obj.pk) if obj is not None else "",
        reason=reason,
    )
