"""What every template knows about the person looking."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from ketaclinic.people.permissions import ROLE_PERMISSIONS, Role


def who(request: HttpRequest) -> dict[str, Any]:
    """Return ``staff``, ``clinic``, ``at`` and ``may`` (a set of permission names) for templates."""
    staff = getattr(request, "staff", None)
    return {
        "staff": staff,
        "clinic": getattr(request, "clinic", None),
        "at": getattr(request, "at", None),
        "may": {p.value for p in ROLE_PERMISSIONS[Role(staff.role)]} if staff else set(),
    }
