"""The audit log under attack: entries to attack, an anchor to hold them against, and the owner's own SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.db import connection

from ketaclinic.audit import anchor, chain
from ketaclinic.audit.actions import write_audit
from ketaclinic.audit.walls import DOWN, UP
from tests.support.people import NOON
from tests.support.walls import walls

CLINIC = 7


def write_entries(number: int, clinic_id: int = CLINIC) -> None:
    """Write entries of a made-up nurse and a made-up prescriber about made-up patients."""
    for n in range(number):
        by = SimpleNamespace(pk=n % 3 + 1, clinic_id=clinic_id, role="nurse" if n % 3 else "prescriber")
        reason = "“said” so, 100 % sure\nreally" if n % 2 else ""
        write_audit("record_vitals", by=by, at=NOON + timedelta(seconds=n), patient_id=n % 5 + 1, reason=reason)


@contextmanager
def as_owner() -> Iterator[Any]:
    """Yield a cursor of whoever owns the database, with the triggers gone."""
    with connection.cursor() as cursor:
        walls(DOWN)
        yield cursor
        walls(DOWN)
        walls(UP)


def key_of(seq: int, clinic_id: int = CLINIC) -> int:
    """Return the database's own key of an entry."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {chain.TABLE} WHERE clinic_id = %s AND seq = %s", [clinic_id, seq])
        return int(cursor.fetchone()[0])


def hash_again(cursor: Any, first: int, last: int | None = None, clinic_id: int = CLINIC) -> None:
    """Compute the hashes of a stretch of the chain anew and link it, as an attacker with the source code would."""
    from ketaclinic.audit.verifying import rows_of

    rows = [row for row in rows_of(clinic_id) if row.seq >= first - 1 and (last is None or row.seq <= last)]
    previous = rows.pop(0).hash if rows and rows[0].seq == first - 1 else ""
    for row in rows:
        own = chain.digest(previous, row.seq, chain.body_of(row.values))
        cursor.execute(
            f"UPDATE {chain.TABLE} SET previous_hash = %s, hash = %s WHERE id = %s", [previous, own, row.key]
        )
        previous = own


def anchored_in(folder: Path, settings: Any) -> Path:
    """Keep the anchor in a folder, as a clinic does."""
    settings.AUDIT_ANCHOR = folder / "anchor"
    return folder / "anchor"


def forget_open_files() -> None:
    """Close the head files, as the end of a process does."""
    import os

    for head in anchor._open.values():
        os.close(head.file)
    anchor._open.clear()
