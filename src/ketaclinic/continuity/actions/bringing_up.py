"""From a restored database to a running clinic: up to date, signed out, and saying what is missing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from ketaclinic.audit.actions import accept_anchor
from ketaclinic.audit.anchor import Point
from ketaclinic.audit.verifying import first_faults
from ketaclinic.config.wall.keeping import renew
from ketaclinic.continuity.actions.anchored import points_outside
from ketaclinic.continuity.actions.restore import Content
from ketaclinic.continuity.actions.restored import Missing, end_all_sign_ins, mark_restored
from ketaclinic.continuity.actions.sealed import Head
from ketacore.evidence import Refusal


def brought_up(content: Content, head: Head, *, by: str, at: datetime, anchor: Path | None) -> dict[str, Any]:
    """Migrate forward, end every sign-in, mark the restore in every clinic; return what the command prints."""
    outside = points_outside(anchor) if anchor is not None else None
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting:
        call_command("migrate", interactive=False, verbosity=0)
    renew(force=True)  # the restore has left out the second wall of the other machine
    _check_log(outside or [])
    end_all_sign_ins(at)
    missing = Missing(content.made_at, at, None if outside is None else entries_lost(content, outside))
    mark_restored(
        by=by,
        at=at,
        backup_at=content.made_at,
        missing=missing,
        application=content.about["application"],
        sha256=head.sha256,
    )
    accept_anchor(at=at, reason=f"restored from {head.sha256[:12]}")
    tables = content.manifest["tables"]
    return {
        "clinics": [clinic["name"] for clinic in content.about["clinics"]],
        "made_at": content.about["made_at"],
        "rows": sum(table["rows"] for table in tables.values()),
        "tables": len(tables),
        "files": len(content.files),
        "newest_entry": content.manifest["newest_entry"],
        "missing_since": missing.since.isoformat(),
        "missing_until": missing.until.isoformat(),
        "audit_entries_lost": missing.audit_entries,
        "migrated": waiting,
    }


def _check_log(outside: list[Point]) -> None:
    """Raise ``Refusal`` where an entry of the restored audit log is not what was written, or not what was anchored."""
    faults = first_faults(outside)
    if faults:
        raise Refusal("The restored audit log", faults, "Use an older backup, and keep this one.")


def entries_lost(content: Content, outside: list[Point]) -> int:
    """Return how many entries of the audit log are lost at least: those between the backup and the anchor."""
    held = {clinic: seq for clinic, seq, _, _ in content.manifest["audit"]}
    newest: dict[int | None, int] = {}
    for point in outside:
        newest[point.clinic_id] = max(point.seq, newest.get(point.clinic_id, 0))
    return sum(max(seq - held.get(clinic, 0), 0) for clinic, seq in newest.items())
