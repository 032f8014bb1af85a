"""One-time links through which people choose their own password and second factor."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction

from ketaclinic.access import factors
from ketaclinic.access.actions.sessions import end_all_presences
from ketaclinic.access.actor import actor_of
from ketaclinic.access.models import Invitation
from ketaclinic.access.queries import token_hash
from ketaclinic.audit.actions import Actor, write_audit
from ketaclinic.people.models import Staff, User

_PURPOSE_WORDS = dict(Invitation.Purpose.choices)


@transaction.atomic
def invite(*, user: User, purpose: str, by: Actor, at: datetime) -> tuple[Invitation, str]:
    """Make a link for a person and return it with its token, which is shown this once; earlier links hold no longer.

    Whatever password and second factors the person had are void, and all their sessions end: the link is the only
    way in. For any ``User``; what they may do afterwards hangs on their place, not on the link.
    """
    Invitation.objects.filter(user=user, used_at=None, withdrawn_at=None).update(withdrawn_at=at)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    factors.remove_all(user)
    end_all_presences(user=user, by=by, at=at, why="a new invitation was made")
    token = secrets.token_urlsafe(32)
    invitation: Invitation = Invitation.objects.create(
        user=user,
        purpose=purpose,
        token_hash=token_hash(token),
        made_at=at,
        made_by=by if isinstance(by, Staff) else None,
        expires_at=at + settings.INVITATION,
    )
    write_audit("invite", by=by, at=at, obj=invitation, reason=_PURPOSE_WORDS[purpose])
    return invitation, token


@transaction.atomic
def withdraw_invitations(*, user: User, by: Actor, at: datetime) -> int:
    """Make every open link of a person void; return how many there were."""
    open_ones = list(Invitation.objects.filter(user=user, used_at=None, withdrawn_at=None))
    for invitation in open_ones:
        write_audit("withdraw_invitation", by=by, at=at, obj=invitation)
    Invitation.objects.filter(pk__in=[invitation.pk for invitation in open_ones]).update(withdrawn_at=at)
    return len(open_ones)


@transaction.atomic
def accept_invitation(*, invitation: Invitation, password: str, at: datetime) -> User | None:
    """Let the invited person choose their password; return them, or ``None`` if the link was used meanwhile."""
    mine = Invitation.objects.filter(pk=invitation.pk, used_at=None, withdrawn_at=None, expires_at__gt=at)
    if not mine.update(used_at=at):
        return None
    user = invitation.user
    user.set_password(password)
    user.save(update_fields=["password"])
    write_audit("accept_invitation", by=actor_of(user), at=at, obj=invitation)
    return user
