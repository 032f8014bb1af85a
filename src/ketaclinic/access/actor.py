"""Who acts before anybody is known: the audit names them, and for a person without a place in a clinic too."""

from __future__ import annotations

from dataclasses import dataclass

from ketaclinic.audit.actions import Actor
from ketaclinic.audit.models import ActorKind
from ketaclinic.people.models import PersonalAccess, Staff, User


@dataclass(slots=True)
class Outsider:
    """Somebody who has not proved who they are; ``clinic_id`` of the person they claim to be."""

    clinic_id: int | None = None
    pk: int | None = None
    role: str = ""
    actor_kind: str = ActorKind.UNKNOWN.value


@dataclass(slots=True)
class Server:
    """Whoever has the server itself in hand, at its command line."""

    clinic_id: int | None = None
    pk: int | None = None
    role: str = ""
    actor_kind: str = ActorKind.SYSTEM.value


def actor_of(user: User) -> Actor:
    """Return who a signed-in person is to the audit."""
    return place_of(user) or Outsider()


def place_of(user: User | None) -> Staff | PersonalAccess | None:
    """Return the person's place in a clinic, or their access to their own care."""
    place: Staff | PersonalAccess | None = getattr(user, "staff", None) or getattr(user, "own", None)
    return place


def clinic_id_of(user: User | None) -> int | None:
    """Return the clinic the person belongs to, if any."""
    place = place_of(user)
    return place.clinic_id if place is not None else None


def standing_of(user: User) -> str:
    """Return what a person is to the clinic, in one line; a session ends when it changes."""
    place = place_of(user)
    if place is None:
        return "no place"
    return f"{place.clinic_id} {place.role}{' director' if getattr(place, 'is_medical_director', False) else ''}"
