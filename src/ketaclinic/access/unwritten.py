"""What could not be written about who is there: kept in this process, so that reading goes on and a lock holds.

Each worker knows its own. Where there are several, one that has not met the person for long asks them to unlock it,
and a lock by hand is known to the others once nobody has been there for as long as the clinic allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ketaclinic.access.models import Presence

FIELDS = ("last_active_at", "confirmed_at", "locked_at")


@dataclass(frozen=True, slots=True)
class Kept:
    """The fields of a presence as they should stand since ``at``."""

    at: datetime
    fields: dict[str, Any]


_kept: dict[int, Kept] = {}


def keep(presence: Presence, at: datetime) -> None:
    """Keep a presence as it should have been written."""
    _kept[presence.pk] = Kept(at, {name: getattr(presence, name) for name in FIELDS})


def forget(presence: Presence) -> None:
    """Keep nothing more: it is written."""
    _kept.pop(presence.pk, None)


def kept_of(presence: Presence) -> dict[str, Any]:
    """Return the fields that wait to be written."""
    kept = _kept.get(presence.pk)
    return kept.fields if kept is not None else {}


def recall(presence: Presence) -> None:
    """Let a presence that was just read know what waits, unless somebody has written about it since."""
    kept = _kept.get(presence.pk)
    if kept is None:
        return
    written = [moment for name in FIELDS if (moment := getattr(presence, name)) is not None]
    if max(written) > kept.at:
        forget(presence)
        return
    for name, value in kept.fields.items():
        setattr(presence, name, value)
