"""Who is asking, in which clinic, at what moment: settled once per request, before any view runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from ketaclinic.people.models import Clinic, Staff


class StaffRequest(HttpRequest):
    """A request as views behind a declared permission see it: ``WhoAndWhen`` has set who, where and when."""

    staff: Staff
    clinic: Clinic
    at: datetime
    htmx: HtmxDetails


Respond = Callable[[HttpRequest], HttpResponse]


class WhoAndWhen:
    """Sets ``request.staff``, ``request.clinic`` and ``request.at``, and speaks the clinic's time zone.

    ``request.at`` is the one reading of the clock in a request: what is shown and what is recorded agree.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        staff = _staff_of(request)
        request.at = timezone.now()  # type: ignore[attr-defined]
        request.staff = staff  # type: ignore[attr-defined]
        request.clinic = staff.clinic if staff else None  # type: ignore[attr-defined]
        if staff is None:
            return self.get_response(request)
        with timezone.override(staff.clinic.zone):
            return self.get_response(request)


def _staff_of(request: HttpRequest) -> Staff | None:
    user = request.user
    if not user.is_authenticated:
        return None
    staff: Staff | None = getattr(user, "staff", None)
    return staff if staff is not None and staff.is_active else None


class DeclaredPermission:
    """Refuses every view that declares no permission: forgetting one closes the door instead of leaving it open."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        """Let declared views pass."""
        if not hasattr(view, "permission"):
            raise PermissionDenied("This page declares no permission.")
        return None
