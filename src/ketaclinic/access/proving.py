"""Proving who one is: password, second factor, and the same again for a locked or a signing session."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import DatabaseError
from django.http import HttpRequest

from ketaclinic.access import factors
from ketaclinic.access.actor import Outsider, actor_of, clinic_id_of
from ketaclinic.access.models import Presence
from ketaclinic.access.throttle import begin_again, begin_attempt, begin_passkey, forgive
from ketaclinic.access.where import Where, mark_of, where
from ketaclinic.audit.actions import write_audit
from ketaclinic.audit.spool import write_or_keep
from ketaclinic.config.proxies import client_address
from ketaclinic.config.wall.standing import let_in
from ketaclinic.people.models import User
from ketaclinic.people.queries import user_named
from ketaclinic.people.sign_in import PUBLIC_PASSWORDS, StaffBackend

APP, RECOVERY = "app", "recovery code"
NO_PASSWORD = "!"
"""Stands for the password of a name that nobody has: no password fits, and looking takes as long."""


def in_the_demo(user: User, place: Where) -> bool:
    """Return whether this is a made-up person of the demo at the machine that shows it."""
    person = getattr(user, "staff", None) or getattr(user, "own", None)
    return bool(settings.DEMO and place.loopback and person is not None and person.synthetic)


def needs_factor(user: User, place: Where) -> bool:
    """Return whether the person may not go on without a second factor: all staff, outside the demo."""
    return getattr(user, "staff", None) is not None and not in_the_demo(user, place)


def password_of(request: HttpRequest, username: str, password: str, at: datetime) -> User | None:
    """Return whose password this is. ``None`` for a wrong one, an unknown name and a closed sign-in alike.

    All take the same steps, so neither the reply nor its time tells them apart: the password is hashed also where
    there is nothing to compare it with. Raises ``TooManyAttempts``.
    """
    place, named = where(request), user_named(username)
    attempt = begin_attempt(username, named, place, at, "password")
    right = named.check_password(password) if named is not None else check_password(password, NO_PASSWORD)
    if named is None or not right or not _open(named) or not _may_be_used(password, named, place):
        _tell_failure(request, "password", named, at)
        return None
    attempt.delete()
    let_in(user=named.pk)  # their second factor is asked for next, and hangs on them
    return named


def _may_be_used(password: str, user: User, place: Where) -> bool:
    return password not in PUBLIC_PASSWORDS or in_the_demo(user, place)


def code_of(request: HttpRequest, user: User, code: str, at: datetime) -> str:
    """Return what kind of code it was, in words; empty for a wrong one. Raises ``TooManyAttempts``."""
    attempt = begin_attempt(user.get_username(), user, where(request), at, "code")
    kind = APP if factors.app_code_holds(user, code, at) else ""
    kind = kind or (RECOVERY if factors.recovery_code_holds(user, code) else "")
    if not kind:
        _tell_failure(request, "code", user, at)
        return ""
    attempt.delete()
    return kind


def passkey_of(request: HttpRequest, user: User | None, credential: Any, at: datetime) -> User | None:
    """Return whose passkey answered, if it holds: that of ``user``, or anybody's. Raises ``TooManyAttempts``."""
    if user is not None:
        attempt = begin_attempt(user.get_username(), user, where(request), at, "passkey")
    else:
        attempt = begin_passkey(factors.passkey_id(credential), where(request), at)
    found = factors.passkey_holds(user, credential, at)
    if found is None or not _open(found):
        _tell_failure(request, "passkey", user, at)
        return None
    attempt.delete()
    return found


def proved_again(request: HttpRequest, presence: Presence, password: str, credential: str, at: datetime) -> bool:
    """Return whether the person of this session has proved that it is they. Raises ``TooManyAttempts``.

    The session is its own known device: nobody elsewhere can use up its attempts. With the password this works also
    where nothing can be written.
    """
    user = presence.user
    here = Where(client_address(request), f"presence-{presence.pk}", frozenset({mark_of(user)}))
    begin_again(user, here, at)
    by_passkey = bool(credential) and factors.passkey_holds(user, _read(credential), at) is not None
    if not by_passkey and not (password and check_password(password, user.password)):
        write_or_keep("proof_failed", by=actor_of(user), at=at, obj=presence)
        return False
    with suppress(DatabaseError):  # what cannot be forgiven now counts on
        forgive(user, here)
    return True


def _open(user: User) -> bool:
    return StaffBackend().user_can_authenticate(user)


def _read(credential: str) -> Any:
    try:
        return json.loads(credential)
    except ValueError:
        return None


def _tell_failure(request: HttpRequest, way: str, named: User | None, at: datetime) -> None:
    """Write the failure down; the name that was typed is not: it may be a password."""
    write_audit(
        "sign_in_failed",
        by=Outsider(clinic_id=clinic_id_of(named)),
        at=at,
        obj=named,
        reason=f"{way}, from {client_address(request)}",
    )
