"""Which parts of a record a page shows: what an entry about reading names as its fields."""

from __future__ import annotations

BY_ROOM = {
    "people": "identity contact caregivers",
    "screening": "history medicines allergies problems vitals candidacy",
    "consent": "consent",
    "planning": "plan bookings",
    "treatment": "session doses vitals",
    "aftercare": "instructions contacts",
    "followup": "scores alerts",
    "surveillance": "screens",
    "maintenance": "proposal benefit",
    "fhir": "identity",
}
BY_ROUTE = {
    "journey:home": "identity worklist",
    "journey:patients": "identity stage bookings",
    "journey:chart": "identity caregivers medicines allergies problems scores alerts sessions consent plan screens",
    "journey:timeline": "identity timeline",
    "journey:duties": "identity duties",
    "journey:findings": "history candidacy",
    "treatment:floor": "identity session doses vitals bookings",
    "treatment:floor_live": "identity session doses vitals bookings",
    "treatment:wall": "session doses vitals",
    "treatment:wall_live": "session doses vitals",
    "followup:alerts": "identity alerts",
    "aftercare:contacts": "identity contacts",
}


def content_of(route: str) -> str:
    """Return the parts of the record that a page shows, by its route; a new room stands under its own name."""
    room = route.rsplit(":", 1)[0]
    return BY_ROUTE.get(route) or BY_ROOM.get(room, room)
