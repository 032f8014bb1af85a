"""May this person record it? Most entries are for whoever runs the session; some are the prescriber's alone."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from ketaclinic.people.permissions import Permission
from ketacore.treatment import EventKind

NEEDED: Mapping[EventKind, Permission] = {
    EventKind.PRESCRIBER_DECISION: Permission.OVERRIDE_STOP,
    EventKind.RELEASE_SIGNED: Permission.SIGN_RELEASE,
    EventKind.INSTRUCTIONS: Permission.GIVE_AFTERCARE,
}
"""Kinds that need more than ``RUN_SESSION``."""
SIGNATURES = frozenset({EventKind.PRESCRIBER_DECISION, EventKind.RELEASE_SIGNED})
"""Kinds with which a prescriber answers for what follows: whoever enters one has just confirmed that it is they."""


def permission_for(kind: EventKind) -> Permission:
    """Return the permission an entry of this kind needs."""
    return NEEDED.get(kind, Permission.RUN_SESSION)


def enters_signature(request: HttpRequest, **address: object) -> bool:
    """Return whether the entry that is sent is a signature; ``address`` says nothing about that."""
    return request.POST.get("kind") in SIGNATURES
