"""Signed-in browsers: they begin, are locked, unlocked, confirmed, and end."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction

from ketaclinic.access import unwritten
from ketaclinic.access.actor import actor_of, standing_of
from ketaclinic.access.models import Presence
from ketaclinic.access.store import row_key
from ketaclinic.audit.actions import Actor, write_audit
from ketaclinic.audit.chain import patience
from ketaclinic.audit.spool import write_or_keep
from ketaclinic.people.models import User

TOUCHED_EVERY = timedelta(minutes=1)
"""How exactly the last activity is known; keeps a page from costing a write."""
TOUCH_WAITS_MS = 200


@transaction.atomic
def begin_presence(
    *, user: User, session_key: str, by: Actor, at: datetime, way: str, address: str, device: str
) -> Presence:
    """Record a browser that has just been signed in, and by what; rows of sessions long over go."""
    Presence.objects.filter(user=user, started_at__lt=at - settings.LONGEST_SESSION).delete()
    presence: Presence = Presence.objects.create(
        user=user,
        session_key=row_key(session_key),
        standing=standing_of(user),
        started_at=at,
        last_active_at=at,
        confirmed_at=at,
        address=address,
        device=device,
    )
    write_audit("sign_in", by=by, at=at, obj=presence, reason=f"by {way}, {device}")
    return presence


def touch(presence: Presence, at: datetime) -> None:
    """Remember that somebody was there; at most one write a minute. A page is not kept back where that fails."""
    if at - presence.last_active_at < TOUCHED_EVERY:
        return
    presence.last_active_at = at
    fields = {**unwritten.kept_of(presence), "last_active_at": at}
    try:
        with patience(TOUCH_WAITS_MS):
            Presence.objects.filter(pk=presence.pk, last_active_at__lt=at).update(**fields)
    except DatabaseError:
        unwritten.keep(presence, at)
    else:
        unwritten.forget(presence)


def lock_presence(*, presence: Presence, by: Actor, at: datetime, why: str) -> None:
    """Lock a browser, whether or not that can be written; what it may still show says ``seen_while_locked``."""
    presence.locked_at = presence.locked_at or at
    try:
        with transaction.atomic():
            if Presence.objects.filter(pk=presence.pk, locked_at=None).update(locked_at=at):
                write_audit("lock", by=by, at=at, obj=presence, reason=why)
    except DatabaseError:
        unwritten.keep(presence, at)
        write_or_keep("lock", by=by, at=at, obj=presence, reason=why)


def confirm_presence(*, presence: Presence, by: Actor, at: datetime) -> None:
    """Record that the person has proved anew that it is they; a locked browser opens, also where nothing is written.

    What needs a confirmation is a write of its own: where this one fails, that one does.
    """
    action = "unlock" if presence.locked_at else "confirm"
    presence.locked_at, presence.confirmed_at, presence.last_active_at = None, at, at
    try:
        with transaction.atomic():
            write_audit(action, by=by, at=at, obj=presence)
            presence.save(update_fields=["locked_at", "confirmed_at", "last_active_at"])
    except DatabaseError:
        unwritten.keep(presence, at)
        write_or_keep(action, by=by, at=at, obj=presence)
    else:
        unwritten.forget(presence)


@transaction.atomic
def end_presence(*, presence: Presence, by: Actor, at: datetime, why: str) -> None:
    """Sign a browser out on the server: its cookie is worth nothing from the next request on."""
    write_audit("end_session", by=by, at=at, obj=presence, reason=why)
    Session.objects.filter(session_key=presence.session_key).delete()
    Presence.objects.filter(pk=presence.pk).delete()


@transaction.atomic
def end_all_presences(*, user: User, by: Actor, at: datetime, why: str, but: Presence | None = None) -> int:
    """Sign all browsers of a person out, except perhaps the one in hand; return how many there were."""
    others = [presence for presence in Presence.objects.filter(user=user) if presence != but]
    for presence in others:
        end_presence(presence=presence, by=by, at=at, why=why)
    return len(others)


def moved(*, presence: Presence, session_key: str) -> None:
    """Follow a session that got a new key."""
    Presence.objects.filter(pk=presence.pk).update(session_key=row_key(session_key))


def idle_since(presence: Presence, at: datetime) -> bool:
    """Return whether nobody was there for as long as the clinic allows."""
    return at - presence.last_active_at >= settings.IDLE


def over(presence: Presence, at: datetime) -> bool:
    """Return whether the session has lasted as long as any may, or the person's standing has changed since."""
    return at - presence.started_at >= settings.LONGEST_SESSION or presence.standing != standing_of(presence.user)


def confirmed_lately(presence: Presence, at: datetime) -> bool:
    """Return whether the person has just proved that it is they."""
    return at - presence.confirmed_at < settings.FRESH


def by_whom(presence: Presence) -> Actor:
    """Return the person of a presence as the audit names them."""
    return actor_of(presence.user)
