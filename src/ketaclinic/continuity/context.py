"""What every page warns of: a restore nobody has read of, printed sheets that are too old."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from ketaclinic.continuity.queries.restorations import unseen_restoration
from ketaclinic.continuity.queries.status import sheet_status
from ketaclinic.people.permissions import Permission


def banners(request: HttpRequest) -> dict[str, Any]:
    """Return ``restoration`` for administrators until it is acknowledged, and ``stale_sheets`` for the floor."""
    staff: Any = getattr(request, "staff", None)
    if staff is None:
        return {}
    told: dict[str, Any] = {}
    if staff.may(Permission.MANAGE_STAFF):
        told["restoration"] = unseen_restoration(staff.clinic)
    if settings.SERVING and staff.may(Permission.SEE_FLOOR):
        status = sheet_status(settings.DOWNTIME, staff.clinic_id)
        told["stale_sheets"] = status.stale(request.at)  # type: ignore[attr-defined]  # set by WhoAndWhen
    return told
