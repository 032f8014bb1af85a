"""The way in, kept in the session of somebody who is not signed in yet: password first, second factor next.

Nobody is signed in before both are proved: until then ``request.user`` is nobody, so every other page is closed
without having to think of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme

from ketaclinic.access import factors
from ketaclinic.access.actions.sessions import begin_presence
from ketaclinic.access.actor import actor_of
from ketaclinic.access.proving import needs_factor
from ketaclinic.access.throttle import forgive
from ketaclinic.access.where import device_words, remember_device, where
from ketaclinic.config.proxies import client_address
from ketaclinic.people.models import User
from ketaclinic.people.queries import user_by_pk

_PENDING = "access.pending"
_CODES_DUE = "access.codes_due"
TIME_TO_GO_ON = timedelta(minutes=15)
BACKEND = "ketaclinic.people.sign_in.StaffBackend"


@dataclass(frozen=True, slots=True)
class Pending:
    """Somebody who has given their password (or used an invitation) and owes the second factor."""

    user_pk: int
    password_mark: str
    begun_at: str
    next: str


def safe_next(request: HttpRequest, target: str) -> str:
    """Return the page of ours to go on to, the first page for anything else."""
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if target and allowed else "/"


def hold(request: HttpRequest, user: User, at: datetime, next_page: str) -> None:
    """Remember who has given their password; the session gets a new id."""
    request.session.flush()
    held = Pending(user.pk, user.get_session_auth_hash(), at.isoformat(), next_page)
    request.session[_PENDING] = asdict(held)


def held_person(request: HttpRequest, at: datetime) -> tuple[User, Pending] | None:
    """Return who owes the second factor; nobody when it took too long, or the sign-in was closed or changed since."""
    told = request.session.get(_PENDING)
    if not isinstance(told, dict):
        return None
    held = Pending(**told)
    user = user_by_pk(held.user_pk)
    late = at - datetime.fromisoformat(held.begun_at) >= TIME_TO_GO_ON
    if user is None or late or not constant_time_compare(user.get_session_auth_hash(), held.password_mark):
        return None
    return user, held


def next_step(request: HttpRequest, user: User, at: datetime, next_page: str) -> HttpResponse:
    """Lead somebody whose password is right to the second factor, to setting one up, or in."""
    if factors.has_factor(user):
        hold(request, user, at, next_page)
        return redirect("access:second")
    if needs_factor(user, where(request)):
        hold(request, user, at, next_page)
        return redirect("access:set_up")
    return enter(request, user, at, next_page, way="password")


def enter(request: HttpRequest, user: User, at: datetime, next_page: str, *, way: str) -> HttpResponse:
    """Sign somebody in who has proved everything that is asked of them; ``way`` says by what, for the log."""
    place = where(request)
    codes_due = bool(request.session.get(_CODES_DUE))
    request.session.flush()
    request.session.clear_expired()
    login(request, user, backend=BACKEND)
    if codes_due:
        request.session[_CODES_DUE] = True
    begin_presence(
        user=user,
        session_key=_key_of(request),
        by=actor_of(user),
        at=at,
        way=way,
        address=client_address(request),
        device=device_words(request),
    )
    forgive(user, place)
    response = redirect("access:recovery_codes") if codes_due else redirect(safe_next(request, next_page))
    if codes_due:
        request.session["access.next"] = next_page
    return remembered(request, response, user)


def remembered(request: HttpRequest, response: HttpResponse, user: User) -> HttpResponse:
    """Return the reply with which the browser will be known again."""
    remember_device(request, response, user)
    return response


def owe_codes(request: HttpRequest) -> None:
    """Remember that new recovery codes wait to be shown, once."""
    request.session[_CODES_DUE] = True


def codes_are_due(request: HttpRequest) -> bool:
    """Return whether new recovery codes wait to be shown."""
    return bool(request.session.get(_CODES_DUE))


def codes_are_kept(request: HttpRequest) -> str:
    """Forget that codes were due; return the page to go on to."""
    request.session.pop(_CODES_DUE, None)
    return str(request.session.pop("access.next", ""))


def _key_of(request: HttpRequest) -> str:
    if not request.session.session_key:
        request.session.save()
    return str(request.session.session_key)
