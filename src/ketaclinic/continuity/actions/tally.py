"""How many rows a table has and what they say, as two numbers that do not depend on the order of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

UNKEPT = frozenset({"django_session"})
"""Tables whose rows are not backed up: a restore ends every sign-in, so nobody comes back in with an old cookie."""
_WIDTH = 1 << 256


@dataclass(slots=True)
class Tally:
    """Count and sum of the SHA-256 of every row of one table."""

    rows: int = 0
    total: int = 0

    def add(self, row: bytes) -> None:
        """Count one row as it was written."""
        self.rows += 1
        self.total = (self.total + int.from_bytes(sha256(row).digest())) % _WIDTH

    def as_json(self) -> dict[str, Any]:
        """Return both numbers for the manifest."""
        return {"rows": self.rows, "hash": f"{self.total:064x}"}


def differences(wanted: Mapping[str, Mapping[str, Any]], found: Mapping[str, Tally]) -> list[str]:
    """Return, table by table, what a restored database does not have as the manifest says."""
    wrong = [f"{table}: the table is missing" for table in sorted(set(wanted) - set(found))]
    wrong += [f"{table}: not in the manifest" for table in sorted(set(found) - set(wanted))]
    for table in sorted(set(wanted) & set(found)):
        have = found[table].as_json()
        if have["rows"] != wanted[table]["rows"]:
            wrong.append(f"{table}: {have['rows']} rows instead of {wanted[table]['rows']}")
        elif have["hash"] != wanted[table]["hash"]:
            wrong.append(f"{table}: rows differ from those backed up")
    return wrong
