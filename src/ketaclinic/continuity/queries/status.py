"""How old the printed sheets are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

OLDEST = timedelta(minutes=5)
"""Sheets older than this are no use for a session that is running."""


@dataclass(frozen=True, slots=True)
class SheetStatus:
    """When the sheets of a clinic were last written, and which could not be."""

    at: datetime | None
    files: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def stale(self, now: datetime) -> bool:
        """Return whether they are too old, missing, or not complete."""
        return self.at is None or now - self.at > OLDEST or bool(self.failed)

    def minutes(self, now: datetime) -> int | None:
        """Return their age in whole minutes."""
        return None if self.at is None else max(0, int((now - self.at).total_seconds() // 60))


def sheet_status(folder: Path, clinic_id: int) -> SheetStatus:
    """Return the state of a clinic's sheets in a folder; what cannot be read was not written."""
    try:
        told: dict[str, Any] = json.loads((folder / "status.json").read_text(encoding="utf-8"))
        mine = told["clinics"][str(clinic_id)]
        return SheetStatus(datetime.fromisoformat(told["at"]), tuple(mine["files"]), tuple(mine["failed"]))
    except (OSError, ValueError, KeyError, TypeError):
        return SheetStatus(None)
