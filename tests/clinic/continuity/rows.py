"""Every row of a database file, table by table, in no order."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%'"


def all_rows(file: Path) -> dict[str, set[tuple[Any, ...]]]:
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        tables = [row[0] for row in database.execute(_TABLES)]
        return {table: set(database.execute(f'SELECT * FROM "{table}"')) for table in tables}
    finally:
        database.close()
