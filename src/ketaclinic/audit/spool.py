"""Entries about reading that could not be written at once: kept in memory until the database can be written again.

Reading goes on when the disk is full or the database is locked. Each such entry is logged as one line with ids only,
and written later with its own moment and the moment of writing. So is one about a screen that was locked or opened
again (``write_or_keep``). Nothing that changes the record passes through here.
"""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime
from threading import Lock
from typing import Any, Unpack

from django.db import DatabaseError, InterfaceError, transaction

from ketaclinic.audit.actions import Actor, Told, append_entry, columns_of, write_audit
from ketaclinic.audit.chain import patience
from ketaclinic.audit.models import Outcome

HELD = 10_000
"""Entries kept at most; beyond it the oldest is given up, counted, and the number written down."""
PATIENCE_MS = 2_000
logger = logging.getLogger(__name__)
_LOGGED = (
    "clinic_id",
    "actor_id",
    "action",
    "outcome",
    "patient_id",
    "object_type",
    "object_id",
    "route",
    "request_id",
)


class Spool:
    """The entries of one process that wait."""

    def __init__(self, held: int = HELD) -> None:
        self._waiting: deque[dict[str, Any]] = deque()
        self._held = held
        self._given_up = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def write(self, columns: dict[str, Any], now: datetime) -> bool:
        """Write an entry and whatever waits; keep it when that cannot be done. Return whether it is written."""
        with self._lock:
            try:
                with patience(PATIENCE_MS):
                    self._catch_up(now)
                    append_entry(columns)
            except (DatabaseError, InterfaceError) as error:
                self._keep(columns, error)
                return False
        return True

    def _keep(self, columns: dict[str, Any], error: Exception) -> None:
        told = " ".join(f"{name}={columns[name]}" for name in _LOGGED if columns.get(name) not in (None, ""))
        logger.error("audit entry kept in memory (%s): at=%s %s", type(error).__name__, columns["at"], told)
        if len(self._waiting) >= self._held:
            self._waiting.popleft()
            self._given_up += 1
        self._waiting.append(columns)

    def _catch_up(self, now: datetime) -> None:
        """Write what waits, all or none; nearly always there is nothing."""
        if not self._waiting:
            return
        waiting, given_up = list(self._waiting), self._given_up
        with transaction.atomic():
            for columns in waiting:
                append_entry({**columns, "written_late_at": now})
            if given_up:
                write_audit(
                    "lose_entries", by=None, at=now, outcome=Outcome.FAILED, reason=f"{given_up} entries about reading"
                )
        self._waiting.clear()
        self._given_up = 0
        logger.warning("%s audit entries kept in memory are written now", len(waiting))


spool = Spool()
"""The spool of this process."""


def write_or_keep(action: str, *, by: Actor | None, at: datetime, **told: Unpack[Told]) -> None:
    """Add one entry as ``write_audit`` does, late if it must be: about who is there, never about the record."""
    spool.write(columns_of(action, by=by, at=at, **told), at)
