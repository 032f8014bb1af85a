"""What a backup says about itself, read from the very moment that was copied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Protocol

from ketaclinic.continuity.actions.packing import Member
from ketaclinic.continuity.actions.tally import Tally

FORMAT = 1
AUDIT_TABLE = "audit_auditentry"


class Snapshot(Protocol):
    """One moment of a database, SQLite or PostgreSQL."""

    vendor: str
    tables: dict[str, tuple[str, ...]]
    tallies: dict[str, Tally]

    def rows(self, query: str, /) -> list[tuple[Any, ...]]:
        """Return what a query finds at this moment."""

    def members(self) -> Iterable[Member]:
        """Yield the whole database, filling the tallies on the way."""

    def tally_all(self) -> None:
        """Fill the tallies without keeping anything."""

    def close(self) -> None:
        """Let the moment go."""


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The newest entry of a clinic's audit log: its number in the chain, its hash, when it was written."""

    clinic_id: int | None
    seq: int
    hash: str
    at: str


def application_version() -> str:
    """Return the version of this program."""
    return version("ketaclinic")


def about(snapshot: Snapshot, installation: str, at: datetime) -> dict[str, Any]:
    """Return what must be known before anything is loaded."""
    return {
        "format": FORMAT,
        "application": application_version(),
        "database": snapshot.vendor,
        "installation": installation,
        "made_at": at.isoformat(),
        "migrations": sorted(f"{app}.{name}" for app, name in snapshot.rows("SELECT app, name FROM django_migrations")),
        "clinics": [
            {"id": pk, "name": name} for pk, name in snapshot.rows("SELECT id, name FROM people_clinic ORDER BY id")
        ],
    }


def closing(snapshot: Snapshot, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is known once everything was read: counts, hashes, the newest entry, the heads of the audit log."""
    newest = newest_entry(snapshot)
    return {
        "tables": {name: tally.as_json() for name, tally in snapshot.tallies.items()},
        "files": dict(files),
        "newest_entry": newest.isoformat() if newest else None,
        "audit": [[head.clinic_id, head.seq, head.hash, head.at] for head in audit_heads(snapshot)],
    }


def newest_entry(snapshot: Snapshot) -> datetime | None:
    """Return when the newest row of the record was written down."""
    columns = [(table, "recorded_at") for table, names in snapshot.tables.items() if "recorded_at" in names]
    columns += [(AUDIT_TABLE, "at")] if AUDIT_TABLE in snapshot.tables else []
    found = [snapshot.rows(f"SELECT max({column}) FROM {table}")[0][0] for table, column in columns]
    return max((moment(value) for value in found if value is not None), default=None)


def audit_heads(snapshot: Snapshot) -> list[AuditHead]:
    """Return the newest audit entry of every clinic; without a chain its key stands for its number."""
    columns = snapshot.tables.get(AUDIT_TABLE, ())
    if not columns:
        return []
    seq = "seq" if "seq" in columns else "id"
    digest = "hash" if "hash" in columns else "''"
    rows = snapshot.rows(
        f"SELECT e.clinic_id, e.{seq}, {digest}, e.at FROM {AUDIT_TABLE} e JOIN "
        f"(SELECT clinic_id AS c, max({seq}) AS newest FROM {AUDIT_TABLE} GROUP BY clinic_id) m "
        f"ON e.{seq} = m.newest AND (e.clinic_id = m.c OR (e.clinic_id IS NULL AND m.c IS NULL)) ORDER BY e.clinic_id"
    )
    return [AuditHead(clinic, seq, _word(digest), moment(at).isoformat()) for clinic, seq, digest, at in rows]


def _word(digest: Any) -> str:
    return digest if isinstance(digest, str) else bytes(digest).hex()


def moment(value: Any) -> datetime:
    """Return a time as either database keeps it, aware."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
