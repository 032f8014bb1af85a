"""The idle lock and the confirmation "it is I", for pages and for scripts."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ketaclinic.access import entering, held
from ketaclinic.access.actions import sessions
from ketaclinic.access.models import Presence
from ketaclinic.people.permissions import public, redirect_to_sign_in, seen_while_locked

View = Callable[[Any, Presence], HttpResponseBase]


def _of_a_session(view: View) -> Callable[[Any], HttpResponseBase]:
    """Ask a stranger to sign in; the view is handed the presence."""

    @wraps(view)
    def with_presence(request: Any) -> HttpResponseBase:
        presence: Presence | None = request.presence
        return redirect_to_sign_in(request) if presence is None else view(request, presence)

    return with_presence


@seen_while_locked
@public
@never_cache
@require_GET
@_of_a_session
def state(request: Any, presence: Presence) -> HttpResponseBase:
    """Tell the page's script whether the session is locked, and in how many seconds it will be."""
    left = (presence.last_active_at + settings.IDLE - request.at).total_seconds()
    return JsonResponse({"locked": presence.locked_at is not None, "seconds": max(0, int(left))})


state.polling = True  # type: ignore[attr-defined]


@public
@never_cache
@require_POST
@_of_a_session
def here(request: Any, presence: Presence) -> HttpResponseBase:
    """Take note that somebody types or taps; the page sends this at most once a minute, and only then."""
    return HttpResponse(status=204)


@seen_while_locked
@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_of_a_session
def locked(request: Any, presence: Presence) -> HttpResponseBase:
    """Show the lock page; POST locks at once. The alarms of the floor stay to be seen, without names."""
    trouble = None
    if request.method == "POST" and presence.locked_at is None:
        sessions.lock_presence(presence=presence, by=sessions.by_whom(presence), at=request.at, why="by hand")
        return redirect("access:locked")
    if request.method == "POST":
        trouble = held.trouble_with_proof(request, presence)
    if presence.locked_at is None:
        return redirect(entering.safe_next(request, request.GET.get("next", "")))
    return held.held_page(request, presence, "lock", trouble, held.LOCKED if trouble else 200)


@seen_while_locked
@public
@never_cache
@require_POST
@_of_a_session
def unlock(request: Any, presence: Presence) -> HttpResponseBase:
    """Unlock for a script, or from the lock page."""
    return _prove(request, presence, held.locked)


@public
@never_cache
@require_POST
@_of_a_session
def confirm(request: Any, presence: Presence) -> HttpResponseBase:
    """Confirm for a script that then sends again what waits."""
    return _prove(request, presence, held.confirm)


unlock.takes_proof = confirm.takes_proof = True  # type: ignore[attr-defined]


def _prove(request: Any, presence: Presence, ask: Callable[..., HttpResponseBase]) -> HttpResponseBase:
    trouble = held.trouble_with_proof(request, presence)
    return JsonResponse({"confirmed": True}) if trouble is None else ask(request, presence, trouble)


@seen_while_locked
@public
@never_cache
@require_POST
def sign_out(request: Any) -> HttpResponse:
    """End the session on the server."""
    if request.presence is not None:
        presence = request.presence
        sessions.end_presence(presence=presence, by=sessions.by_whom(presence), at=request.at, why="signed out")
    logout(request)
    return redirect("access:sign_in")
