"""Reads about sessions and invitations."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import check_password
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from ketaclinic.access.models import Invitation, Presence
from ketaclinic.access.store import row_key
from ketaclinic.access.unwritten import recall
from ketaclinic.config.wall.standing import let_in, opened
from ketaclinic.people.models import Clinic, PersonalAccess, Staff, User
from ketaclinic.people.queries import one_in
from ketaclinic.people.sign_in import PLACES, PUBLIC_PASSWORDS, StaffBackend


def presence_of(request: HttpRequest) -> Presence | None:
    """Return the presence of this session with its person, their place and clinic, in one read.

    ``None`` unless sign-in and place are open and the password is still the one the session began with.
    """
    session = request.session
    if SESSION_KEY not in session:
        return None
    let_in(user=int(session[SESSION_KEY]))
    presence: Presence | None = (
        Presence.objects.select_related(*(f"user__{place}" for place in PLACES))
        .filter(session_key=row_key(str(session.session_key)), user_id=session[SESSION_KEY])
        .first()
    )
    if presence is None or not StaffBackend().user_can_authenticate(presence.user):
        return None
    recall(presence)
    same = constant_time_compare(session.get(HASH_SESSION_KEY, ""), presence.user.get_session_auth_hash())
    return presence if same else None


def presences_of(user: User, at: datetime) -> list[Presence]:
    """Return the browsers a person is signed in with, the most recently used first."""
    return list(Presence.objects.filter(user=user, started_at__gt=at - settings.LONGEST_SESSION))


def presence_in(user: User, pk: int) -> Presence:
    """Return one of a person's browsers; raises ``Http404`` for anybody else's."""
    rows: QuerySet[Presence] = Presence.objects.filter(user=user)
    return one_in(rows.select_related("user"), "session of this person", pk)


def token_hash(token: str) -> str:
    """Return what is kept of a link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def invitation_for(token: str, at: datetime) -> Invitation | None:
    """Return the invitation a link belongs to, if it can still be used."""
    return _invitation(at, token_hash=token_hash(token))


def open_invitation(pk: Any, at: datetime) -> Invitation | None:
    """Return an invitation by its number, if it can still be used."""
    return _invitation(at, pk=pk) if pk else None


def _invitation(at: datetime, **which: Any) -> Invitation | None:
    """Find an invitation by what only its owner can know; from there on the database answers for that person."""
    with opened(Invitation, User, Staff, PersonalAccess, Clinic):
        rows = Invitation.objects.select_related(*(f"user__{place}" for place in PLACES))
        found = rows.filter(**which).first()
    if found is None or not found.open_at(at) or not StaffBackend().user_can_authenticate(found.user):
        return None  # also where the place it leads to was closed meanwhile
    let_in(user=found.user_id)
    return found


def open_invitation_of(user: User, at: datetime) -> Invitation | None:
    """Return the person's newest invitation that can still be used."""
    return next((i for i in Invitation.objects.filter(user=user) if i.open_at(at)), None)


def waiting_for(staff: list[Staff], at: datetime) -> set[int]:
    """Return the users among these people whose invitation was not used yet."""
    users = [member.user_id for member in staff]
    rows = Invitation.objects.filter(user_id__in=users, used_at=None, withdrawn_at=None, expires_at__gt=at).values_list(
        "user_id", flat=True
    )
    return set(rows)


def public_sign_ins() -> list[User]:
    """Return the open sign-ins of made-up staff whose password is public. Slow: it checks every different hash."""
    members = Staff.objects.filter(synthetic=True, is_active=True, user__is_active=True).select_related("user")
    hashes = {member.user.password for member in members}
    public = {kept for kept in hashes for word in PUBLIC_PASSWORDS if check_password(word, kept)}
    return [member.user for member in members if member.user.password in public]


def staff_without_factor(but: list[User]) -> int:
    """Return how many open places, besides some, have no second factor yet."""
    having = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES).values("user_id")
    rows = Staff.objects.filter(is_active=True, user__is_active=True).exclude(user_id__in=having)
    return rows.exclude(user__in=[user.pk for user in but]).count()
