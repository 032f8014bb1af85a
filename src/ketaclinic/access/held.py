"""What a session gets that is locked, or that must confirm: a page or JSON which loses nothing that was typed.

The page carries every field as it came, asks for the password (or a passkey), and sends both to the same address:
the deed is done in that one request. Fields of ours are taken out before the view reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from ketaclinic.access import factors
from ketaclinic.access.actions import sessions
from ketaclinic.access.models import Presence
from ketaclinic.access.proving import proved_again
from ketaclinic.access.throttle import TooManyAttempts
from ketaclinic.people.answers import wants_json
from ketaclinic.people.permissions import Permission

PASSWORD, CREDENTIAL = "access-password", "access-credential"
OURS = (PASSWORD, CREDENTIAL, "csrfmiddlewaretoken")
LOCKED, CONFIRM, TOO_MANY = 423, 401, 429
MARK = "Ketaclinic-Held"
"""Header of every answer that asks for proof instead of doing the deed; nothing was written."""
RESENT = "Ketaclinic-Resent"
"""Header of an entry that a page sends again by itself: no sign that somebody is there."""


def password_again(request: HttpRequest) -> bool:
    """Return whether what is asked for takes no proof but the password, every time."""
    match = request.resolver_match
    return match is not None and bool(getattr(match.func, "password_again", False))


def proof_in(request: HttpRequest) -> tuple[str, str]:
    """Return the password and the passkey's answer that came along, empty where none did or none counts."""
    passkey = "" if password_again(request) else request.POST.get(CREDENTIAL, "")
    return request.POST.get(PASSWORD, ""), passkey


def take_proof_out(request: HttpRequest) -> None:
    """Leave only what belongs to the view: a password is nothing that a form should ever see."""
    left = QueryDict(mutable=True)
    for name, values in request.POST.lists():
        if name not in (PASSWORD, CREDENTIAL):
            left.setlist(name, values)
    left._mutable = False
    request.POST = left  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was wrong with a proof, and how many seconds to wait if somebody failed too often."""

    words: str
    wait_seconds: int = 0


def trouble_with_proof(request: HttpRequest, presence: Presence) -> Trouble | None:
    """Look at the proof that came along; unlock or confirm the session if it holds."""
    at: datetime = request.at  # type: ignore[attr-defined]
    try:
        proved = proved_again(request, presence, *proof_in(request), at)
    except TooManyAttempts as closed:
        return Trouble(f"Too many attempts. Wait {closed.minutes} min.", closed.seconds)
    if not proved:
        return Trouble("That was not right. Nothing was lost: try once more.")
    sessions.confirm_presence(presence=presence, by=sessions.by_whom(presence), at=at)
    return None


def locked(request: HttpRequest, presence: Presence, trouble: Trouble | None = None) -> HttpResponseBase:
    """Answer a request of a locked session."""
    here = f"{reverse('access:locked')}?{urlencode({'next': _page_in_hand(request)})}"
    if wants_json(request):
        return _as_json(LOCKED, "lock", trouble, unlock=reverse("access:unlock"))
    if getattr(request, "htmx", False) and request.method == "GET":
        reply = HttpResponse(status=LOCKED)
        reply["HX-Redirect"] = here
        return _marked(reply, "lock")
    if request.method in ("GET", "HEAD"):
        return _marked(redirect(here), "lock")
    return held_page(request, presence, "lock", trouble, LOCKED)


def confirm(request: HttpRequest, presence: Presence, trouble: Trouble | None = None) -> HttpResponseBase:
    """Answer a deed that needs the person to confirm that it is they."""
    if wants_json(request):
        return _as_json(CONFIRM, "confirm", trouble, confirm=reverse("access:confirm"))
    return held_page(request, presence, "confirm", trouble, CONFIRM)


def held_page(
    request: HttpRequest, presence: Presence, kind: str, trouble: Trouble | None, status: int
) -> HttpResponse:
    """Show the page that asks for the proof and carries what was typed to the address it was sent to."""
    staff = getattr(request, "staff", None)
    context = {
        "kind": kind,
        "deed": _deed(request) if kind == "confirm" else "",
        "every_time": password_again(request),
        "wrong": trouble.words if trouble else "",
        "person": staff or presence.user.get_username(),
        "username": presence.user.get_username(),
        "action": request.get_full_path(),
        "typed": _typed(request) if request.method == "POST" else [],
        "lost_files": [str(file) for file in request.FILES.values()] if request.method == "POST" else [],
        "back": _page_in_hand(request),
        "passkeys": _passkeys_count(request, presence),
        "shows_floor": kind == "lock" and staff is not None and staff.may(Permission.SEE_FLOOR),
    }
    return _marked(render(request, "access/held.html", context, status=_status(status, trouble)), kind, trouble)


def _deed(request: HttpRequest) -> str:
    """Return what is about to be done, where the view names it."""
    match = request.resolver_match
    return str(getattr(match.func, "fresh", "")) if match is not None else ""


def _passkeys_count(request: HttpRequest, presence: Presence) -> bool:
    usable = factors.passkeys_work_at(request) and not password_again(request)
    return usable and factors.has_passkey(presence.user)


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.POST.lists() if name not in OURS for value in values]


def _as_json(status: int, kind: str, trouble: Trouble | None, **address: str) -> HttpResponse:
    because = "the screen is locked" if kind == "lock" else "the last confirmation was too long ago"
    said = {
        "refused": "Not done yet",
        "because": [trouble.words if trouble else because],
        "do": "Confirm that it is you; nothing was lost.",
        **address,
    }
    return _marked(JsonResponse(said, status=_status(status, trouble)), kind, trouble)


def _status(status: int, trouble: Trouble | None) -> int:
    return TOO_MANY if trouble and trouble.wait_seconds else status


def _page_in_hand(request: HttpRequest) -> str:
    """Return the page the person looks at: the one asked for, or the one that sent the form."""
    if request.method == "GET" and not getattr(request, "htmx", False):
        return request.get_full_path()
    looking = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(looking, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(looking)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"


def _marked(response: HttpResponse, kind: str, trouble: Trouble | None = None) -> HttpResponse:
    response[MARK] = kind
    response["Cache-Control"] = "no-store"
    if trouble and trouble.wait_seconds:
        response["Retry-After"] = str(trouble.wait_seconds)
    return response
