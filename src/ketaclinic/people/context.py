"""What every template knows about the person looking, and where they can go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from ketaclinic.people.permissions import ROLE_PERMISSIONS, Permission, Role, acting


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
_STAFF = Place("Staff", "access:staff", ("/staff/",), Permission.MANAGE_STAFF)
_EMERGENCIES = Place("Emergency", "people:emergencies", ("/emergency/",), Permission.OPEN_EMERGENCY)
_CLINIC = Place("Clinic", "people:clinic", ("/clinic/",), Permission.MANAGE_STAFF)


def places_of(role: Role) -> tuple[Place, ...]:
    """Return the navigation of a role, its first page first; the nurse's first page is the floor itself."""
    home = () if role is Role.NURSE else (Place(_HOME_WORDS[role], "journey:home"),)
    places = (*home, _FLOOR, _PATIENTS, _STAFF, _CLINIC, _POLICIES, _EMERGENCIES)
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
    """Return who looks, where and when, what they may do (permission names) and where they can go, for templates.

    ``staff`` is a member of staff, ``own`` a patient or caregiver, ``actor`` whichever of the two it is; ``emergency``
    the emergency access by which this page is seen; ``theme`` light, dark or nothing. Patients and caregivers have one
    page, so nothing to navigate.
    """
    staff, actor = getattr(request, "staff", None), acting(request)
    return {
        "staff": staff,
        "own": getattr(request, "own", None),
        "actor": actor,
        "clinic": getattr(request, "clinic", None),
        "at": getattr(request, "at", None),
        "may": {p.value for p in actor.permissions} if actor else set(),
        "navigation": navigation_of(Role(staff.role), request.path) if staff else [],
        "emergency": getattr(request, "emergency", None),
        "theme": request.COOKIES.get(settings.THEME_COOKIE_NAME, ""),
    }
