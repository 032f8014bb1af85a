"""Who is asking, in which clinic, at what moment: settled once per request, before any view runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from ketaclinic.config.wall.standing import let_in, send_away
from ketaclinic.people.models import Clinic, PersonalAccess, Staff
from ketaclinic.people.queries import own_access_of


class StaffRequest(HttpRequest):
    """A request as views behind a declared permission see it: ``WhoAndWhen`` has set who, where and when."""

    staff: Staff
    clinic: Clinic
    at: datetime
    htmx: HtmxDetails


class OwnRequest(HttpRequest):
    """A request as the pages of patients and caregivers see it: whose sign-in it is, where and when."""

    own: PersonalAccess
    clinic: Clinic
    at: datetime
    htmx: HtmxDetails


Respond = Callable[[HttpRequest], HttpResponse]


class SecondWall:
    """Around everything that reads: a request begins and ends with a database that answers for nobody."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        send_away()
        try:
            return self.get_response(request)
        finally:
            send_away()


class WhoAndWhen:
    """Sets ``request.staff`` or ``request.own``, ``request.clinic``, ``request.at``; speaks the clinic's time zone.

    ``request.at`` is the one reading of the clock in a request: what is shown and what is recorded agree.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        staff, own = _places_of(request)
        actor = staff or own
        request.at = timezone.now()  # type: ignore[attr-defined]
        request.staff, request.own = staff, own  # type: ignore[attr-defined]
        request.clinic = actor.clinic if actor else None  # type: ignore[attr-defined]
        if actor is None:
            return self.get_response(request)
        let_in(clinic=actor.clinic_id)
        with timezone.override(actor.clinic.zone):
            return self.get_response(request)


def _places_of(request: HttpRequest) -> tuple[Staff | None, PersonalAccess | None]:
    """Return the person's place among the staff, else the access to their own care; a closed one counts as none.

    Whoever had a place among the staff never falls back to a sign-in of another kind.
    """
    user = request.user
    if not user.is_authenticated:
        return None, None
    staff: Staff | None = getattr(user, "staff", None)
    if staff is not None:
        return (staff if staff.is_active else None), None
    own = own_access_of(user)
    return None, (own if own is not None and own.is_active else None)


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
