"""Reads of the log: for the report and the verification on the command line, and for the log itself. Nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from ketaclinic.audit.anchor import Point, heads, is_kept, name_of, written
from ketaclinic.audit.chain import hash_at
from ketaclinic.audit.models import AuditEntry
from ketaclinic.audit.noted import Noted


def read_since(since: datetime, clinic_id: int, noted: Noted, told: Mapping[str, Any]) -> bool:
    """Return whether the same was written of this device and page since then, about the same object."""
    same = {name: told[name] for name in ("action", "outcome", "patient_id", "object_id")}
    rows = AuditEntry.objects.filter(at__gt=since, clinic_id=clinic_id, **same)
    return rows.filter(device=noted.device, route=noted.route).exists()


def chains() -> dict[int | None, int]:
    """Return the newest number of every chain, by clinic; ``None`` is the installation's own."""
    newest = AuditEntry.objects.order_by().values("clinic_id").annotate(newest=Max("seq"))
    return {row["clinic_id"]: row["newest"] for row in newest}


def apart_from_anchor() -> list[str]:
    """Return the chains that no longer hold their anchored entry or have lost their anchor, as called on paper."""
    standing = heads()
    lost = [name for name in chains() if name not in standing] if is_kept() else []
    apart = [h.clinic_id for h in standing.values() if h.seq and hash_at(h.clinic_id, h.seq) != h.hash]
    return [name_of(name) for name in (*apart, *lost)]


def newest_points(at: datetime) -> list[Point]:
    """Return the newest entry of every chain, for the anchor and for paper."""
    rows = {name: AuditEntry.objects.get(clinic_id=name, seq=seq) for name, seq in chains().items()}
    return [Point(name, row.seq, row.hash, written(at)) for name, row in rows.items()]


def entries_between(
    clinic_id: int | None,
    *,
    patient_id: int | None = None,
    by: Any = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEntry]:
    """Return the entries of a clinic about a patient, by somebody, or of a period, in the order written.

    ``by`` is a member of staff or a patient's or caregiver's own access. Clinic ``None``: those of the installation.
    """
    rows: QuerySet[AuditEntry] = AuditEntry.objects.filter(clinic_id=clinic_id).order_by("seq")
    if patient_id is not None:
        rows = rows.filter(patient_id=patient_id)
    if by is not None:
        rows = rows.filter(actor_kind=getattr(by, "actor_kind", "staff"), actor_id=by.pk)
    if since is not None:
        rows = rows.filter(at__gte=since)
    return rows.filter(at__lt=until) if until is not None else rows
