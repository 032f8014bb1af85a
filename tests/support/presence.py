"""A signed-in session for tests, complete and confirmed, whatever time the test's clock shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ketaclinic.access.actor import standing_of
from ketaclinic.access.models import Presence
from ketaclinic.access.store import row_key

NEVER_OLD = datetime(2200, 1, 1, tzinfo=UTC)
"""Begun, active and confirmed in the future: neither idle nor over at any moment a test lives in."""


def make_presence(user: Any, session_key: str, at: datetime = NEVER_OLD) -> Presence:
    values = {"standing": standing_of(user), "started_at": at, "last_active_at": at, "confirmed_at": at}
    return Presence.objects.update_or_create(
        session_key=row_key(session_key), defaults={**values, "user": user, "address": "127.0.0.1", "device": "Test"}
    )[0]
