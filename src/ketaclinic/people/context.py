"""What every template knows about the person looking, and where they can go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from ketaclinic.people.permissions import ROLE_PERMISSIONS, Permission, Role


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the main navigation: what it is called, where it leads, under which addresses it is current."""

    label: str
    url_name: str
    prefixes: tuple[str, ...] = ()
    permission: Permission = Permission.SEE_HOME


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """An entry as the page draws it."""

    label: str
    url: str
    active: bool


_FLOOR = Place("Floor", "treatment:floor", ("/treatment/",), Permission.SEE_FLOOR)
_PATIENTS = Place(
    "Patients",
    "journey:patients",
    ("/patients/", "/screening/", "/consent/", "/planning/", "/followup/", "/surveillance/", "/maintenance/", "/fhir/"),
    Permission.SEE_PATIENTS,
)
_HOME_WORDS = {
    Role.PRESCRIBER: "Decisions",
    Role.THERAPIST: "My day",
    Role.FRONT_DESK: "Today",
    Role.MANAGER: "Overview",
    Role.RESEARCHER: "Registry",
    Role.ADMINISTRATOR: "Home",
}
_POLICIES = Place("Policies", "policy:rules", ("/policy/",), Permission.SEE_RULES)
_STAFF = Place("Staff", "people:staff", ("/staff/",), Permission.MANAGE_STAFF)
_CLINIC = Place("Clinic", "people:clinic", ("/clinic/",), Permission.MANAGE_STAFF)


def places_of(role: Role) -> tuple[Place, ...]:
    """Return the navigation of a role, its first page first; the nurse's first page is the floor itself."""
    home = () if role is Role.NURSE else (Place(_HOME_WORDS[role], "journey:home"),)
    places = (*home, _FLOOR, _PATIENTS, _STAFF, _CLINIC, _POLICIES)
    return tuple(p for p in places if p.permission in ROLE_PERMISSIONS[role])


def navigation_of(role: Role, path: str) -> list[NavigationItem]:
    """Return the entries with their addresses; the one the page belongs to is active."""
    items = []
    for place in places_of(role):
        url = reverse(place.url_name)
        active = path == url or any(path.startswith(p) for p in place.prefixes)
        items.append(NavigationItem(place.label, url, active))
    return items


def who(request: HttpRequest) -> dict[str, Any]:
    """Return ``staff``, ``clinic``, ``at``, ``may`` (permission names) and ``navigation`` for templates."""
    staff = getattr(request, "staff", None)
    role = Role(staff.role) if staff else None
    return {
        "staff": staff,
        "clinic": getattr(request, "clinic", None),
        "at": getattr(request, "at", None),
        "may": {p.value for p in ROLE_PERMISSIONS[role]} if role else set(),
        "navigation": navigation_of(role, request.path) if role else [],
    }
