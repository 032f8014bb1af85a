"""A copy of a SQLite database from before an upgrade: the way back."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from ketaclinic.continuity.actions.folders import database_file, is_sqlite, sync_file

FOLDER = "before-migration"


def safety_copy(*, folder: Path, at: datetime, keep: int) -> Path | None:
    """Copy the database into the data folder, keeping the newest ``keep``; ``None`` where there is nothing to copy.

    The copy is as readable as the database beside it. PostgreSQL has its own means: take a backup before.
    """
    file = database_file() if is_sqlite() else folder / "none"
    if keep == 0 or not file.is_file() or not _has_rows(file):
        return None
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft, copy = place / "draft.part", place / f"{at:%Y%m%d-%H%M%S}.sqlite3"
    draft.unlink(missing_ok=True)
    draft.touch(0o600)
    with sqlite3.connect(file) as source, sqlite3.connect(draft) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    source.close()
    target.close()
    sync_file(draft)
    draft.rename(copy)
    sync_file(place)
    for old in sorted(place.glob("*.sqlite3"))[:-keep]:
        old.unlink()
    return copy


def _has_rows(file: Path) -> bool:
    connection = sqlite3.connect(file)
    try:
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'people_clinic'").fetchone()[0]
        return bool(tables) and connection.execute("SELECT count(*) FROM people_clinic").fetchone()[0] > 0
    finally:
        connection.close()
