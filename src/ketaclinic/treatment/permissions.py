"""May this person record it? Most entries are for whoever runs the session; some are the prescriber's alone."""

from __future__ import annotations

from collections.abc import Mapping

from ketaclinic.people.permissions import Permission
from ketacore.treatment import EventKind

NEEDED: Mapping[EventKind, Permission] = {
    EventKind.PRESCRIBER_DECISION: Permission.OVERRIDE_STOP,
    EventKind.RELEASE_SIGNED: Permission.SIGN_RELEASE,
    EventKind.INSTRUCTIONS: Permission.GIVE_AFTERCARE,
}
"""Kinds that need more than ``RUN_SESSION``."""


def permission_for(kind: EventKind) -> Permission:
    """Return the permission an entry of this kind needs."""
    return NEEDED.get(kind, Permission.RUN_SESSION)
