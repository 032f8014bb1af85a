"""What people change about their own sign-in: password, second factors, recovery codes."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction

from ketaclinic.access import factors
from ketaclinic.access.actions.sessions import end_all_presences
from ketaclinic.access.actor import actor_of
from ketaclinic.access.models import Presence
from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import User
from ketacore.evidence import Refusal


@transaction.atomic
def change_password(*, user: User, password: str, at: datetime, here: Presence) -> None:
    """Set one's own password; every other browser is signed out."""
    user.set_password(password)
    user.save(update_fields=["password"])
    write_audit("change_password", by=actor_of(user), at=at)
    end_all_presences(user=user, by=actor_of(user), at=at, why="the password was changed", but=here)


@transaction.atomic
def note_factor(*, user: User, what: str, at: datetime) -> bool:
    """Write down that a second factor was set up; return whether recovery codes were made with it."""
    write_audit("add_second_factor", by=actor_of(user), at=at, reason=what)
    if Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).exists():
        return False
    factors.new_recovery_codes(user)
    return True


@transaction.atomic
def renew_codes(*, user: User, at: datetime) -> None:
    """Make new recovery codes; the old ones hold no longer."""
    factors.new_recovery_codes(user)
    write_audit("renew_recovery_codes", by=actor_of(user), at=at)


@transaction.atomic
def remove_factor(*, user: User, pk: int, needed: bool, at: datetime) -> None:
    """Take one second factor away; raises ``Refusal`` for the last one of somebody who needs one."""
    User.objects.select_for_update().get(pk=user.pk)  # one after the other: two tabs could take both of two
    mine = factors.factors_of(user)
    gone = next((factor for factor in mine if factor.pk == pk), None)
    if gone is None:
        raise Refusal("Removing it", ["it is not there any more"], "Open the page again.")
    if needed and len(mine) == 1:
        raise Refusal(
            "Removing the last second factor", ["staff sign in with two factors"], "Set up another one first."
        )
    gone.delete()
    write_audit("remove_second_factor", by=actor_of(user), at=at, reason=gone.get_type_display())
