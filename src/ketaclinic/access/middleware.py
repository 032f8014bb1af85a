"""The doorkeeper: no signed-in session without its presence; locked ones see nothing, signing ones confirm."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from ketaclinic.access import held
from ketaclinic.access.actions import sessions
from ketaclinic.access.models import Presence
from ketaclinic.access.queries import presence_of
from ketaclinic.config.causes import causes_of
from ketaclinic.people.models import User

Answer = Callable[..., HttpResponseBase]
logger = logging.getLogger(__name__)


class Sessions(SessionMiddleware):
    """Django's sessions; a page is given out although what it did to the session could not be kept.

    Reading goes on when nothing can be written, and a write that has had its effect is not called failed. Signing in
    and out are neither: they fail as they are.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Keep the session where that can be done."""
        try:
            return super().process_response(request, response)
        except (DatabaseError, SessionInterrupted) as error:
            if isinstance(error, SessionInterrupted) and not _could_not_write(error):
                raise
            if request.method not in ("GET", "HEAD") and not getattr(request, "effect_kept", False):
                raise
            logger.warning("session not kept (%s)", type(error).__name__)
            return response


def _could_not_write(error: BaseException) -> bool:
    """Return whether the database itself failed: Django takes that, too, for a session which somebody has ended."""
    return any(isinstance(cause, OperationalError | InternalError) for cause in causes_of(error))


class WhoIsThere(AuthenticationMiddleware):
    """Sets ``request.user`` as Django does, but from the presence: session, person, place and clinic in two reads."""

    def process_request(self, request: HttpRequest) -> None:
        """Find the person when somebody first asks for them."""
        super().process_request(request)
        request.presence = None  # type: ignore[attr-defined]
        request.user = SimpleLazyObject(partial(_person, request))  # type: ignore[assignment]


def _person(request: HttpRequest) -> User | AnonymousUser:
    presence = request.presence = presence_of(request)  # type: ignore[attr-defined]
    return presence.user if presence is not None else AnonymousUser()


class Doorkeeper:
    """Stands before every view. Comes after ``WhoAndWhen``: it reads ``request.at``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; a session that nobody answers for is nobody's."""
        at: datetime = request.at  # type: ignore[attr-defined]
        presence: Presence | None = request.presence if request.user.is_authenticated else None  # type: ignore[attr-defined]
        if presence is not None and sessions.over(presence, at):
            sessions.end_presence(presence=presence, by=sessions.by_whom(presence), at=at, why="time or place changed")
            presence = None
        if presence is None and SESSION_KEY in request.session:
            _nobody(request)
        if presence is not None and presence.locked_at is None and sessions.idle_since(presence, at):
            sessions.lock_presence(presence=presence, by=sessions.by_whom(presence), at=at, why="nobody was there")
        request.presence = presence  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Let the view answer, or ask for proof first."""
        presence: Presence | None = request.presence  # type: ignore[attr-defined]
        if presence is None:
            return None
        if presence.locked_at is not None:
            if getattr(view, "while_locked", False):
                return None
            return _ask(request, presence, held.locked)
        if _must_confirm(request, view, kwargs, presence):
            return _ask(request, presence, held.confirm)
        if not getattr(view, "polling", False) and held.RESENT not in request.headers:
            sessions.touch(presence, request.at)  # type: ignore[attr-defined]
        if request.method == "POST" and any(held.proof_in(request)) and not getattr(view, "takes_proof", False):
            held.take_proof_out(request)  # it was not asked for any more
        return None


def _nobody(request: HttpRequest) -> None:
    request.session.flush()
    request.user = AnonymousUser()
    request.staff = request.clinic = None  # type: ignore[attr-defined]


def _must_confirm(request: HttpRequest, view: Callable[..., Any], address: dict[str, Any], presence: Presence) -> bool:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return False
    if held.password_again(request):
        return True
    asks = getattr(view, "fresh_when", None)
    if not getattr(view, "fresh", "") or (asks is not None and not asks(request, **address)):
        return False
    return not sessions.confirmed_lately(presence, request.at)  # type: ignore[attr-defined]


def _ask(request: HttpRequest, presence: Presence, answer: Answer) -> HttpResponseBase | None:
    """Do the deed if the proof came along and holds; otherwise ask for it, with everything that was typed."""
    if request.method != "POST" or not any(held.proof_in(request)):
        return answer(request, presence)
    trouble = held.trouble_with_proof(request, presence)
    if trouble is not None:
        return answer(request, presence, trouble)
    held.take_proof_out(request)
    return None
