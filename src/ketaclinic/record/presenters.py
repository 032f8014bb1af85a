"""One way of saying that something was written down later than it happened, wherever it is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from django.utils import timezone

LATE_AFTER = timedelta(minutes=2)
"""An entry written down later than this after it happened says so. Policy: as far as a tablet's clock may be off."""


class Written(Protocol):
    """A row that tells when it happened, when it was written down, and by whom."""

    at: datetime
    recorded_at: datetime

    @property
    def author_name(self) -> str:
        """Who wrote it down."""
        ...


def is_late(row: Written) -> bool:
    """Return whether a row was written down after the fact."""
    return row.recorded_at - row.at > LATE_AFTER


def entered_late(row: Written) -> str:
    """Return "entered late by NAME at TIME", with the day where it is another one; empty for what was not late."""
    if not is_late(row):
        return ""
    happened, written = timezone.localtime(row.at), timezone.localtime(row.recorded_at)
    day = "" if written.date() == happened.date() else f"{written.day} {written:%b %Y}, "
    return f"entered late by {row.author_name} at {day}{written.hour}:{written:%M}"
