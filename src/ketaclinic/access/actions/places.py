"""Places in the clinic and the sign-ins that belong to them: invited, closed, opened again, recovered."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from ketaclinic.access import factors
from ketaclinic.access.actions.invitations import invite, withdraw_invitations
from ketaclinic.access.actions.sessions import end_all_presences
from ketaclinic.access.actor import Server
from ketaclinic.access.models import Invitation
from ketaclinic.audit.actions import Actor, write_audit
from ketaclinic.people.actions import add_staff, change_staff, withdraw_access
from ketaclinic.people.models import Clinic, PersonalAccess, Staff, User
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketacore.evidence import Refusal


@transaction.atomic
def invite_member(
    *,
    by: Staff,
    at: datetime,
    username: str,
    display_name: str,
    role: str,
    is_medical_director: bool = False,
    email: str = "",
) -> tuple[Staff, str]:
    """Make a place for a person and a link to hand over; return both. They choose password and factor themselves."""
    member = add_staff(
        by=by,
        at=at,
        username=username,
        display_name=display_name,
        role=role,
        is_medical_director=is_medical_director,
        email=email,
    )
    _, token = invite(user=member.user, purpose=Invitation.Purpose.JOIN, by=by, at=at)
    return member, token


@transaction.atomic
def close_place(*, member: Staff, by: Staff, at: datetime) -> Staff:
    """Close a person's place: all their sessions end at once, password, second factors and links are void."""
    change_staff(member=member, by=by, at=at, is_active=False)
    member.user.set_unusable_password()
    member.user.save(update_fields=["password"])
    _end_ways_in(user=member.user, by=by, at=at, why="the place was closed")
    return member


def _end_ways_in(*, user: User, by: Staff, at: datetime, why: str) -> None:
    """Make void what would let a person in, or let them stay, who has no password any more."""
    withdraw_invitations(user=user, by=by, at=at)
    factors.remove_all(user)
    end_all_presences(user=user, by=by, at=at, why=why)


@transaction.atomic
def open_place_again(*, member: Staff, by: Staff, at: datetime) -> str:
    """Open a closed place; return the token of the new link without which nobody gets in."""
    change_staff(member=member, by=by, at=at, is_active=True)
    _, token = invite(user=member.user, purpose=Invitation.Purpose.RETURN, by=by, at=at)
    return token


@transaction.atomic
def recover_member(*, member: Staff, by: Staff, at: datetime) -> str:
    """Help somebody who lost password or every second factor; return the token of a new link to hand over.

    Raises ``Refusal`` for one's own place (one has both) and for a closed one.
    """
    check_may(by, Permission.MANAGE_STAFF)
    check_in_clinic(by, member)
    if member.pk == by.pk:
        raise Refusal(
            "Resetting your own sign-in", ["you are signed in with it"], "Change it under Sign-in and devices."
        )
    if not member.is_active:
        raise Refusal("Making a link", ["this place is closed"], "Open it again; that makes a link too.")
    return reset_sign_in(member=member, by=by, at=at)


@transaction.atomic
def reset_sign_in(*, member: Staff, by: Actor, at: datetime) -> str:
    """Make a link for a member who lost their way in; what they had is void."""
    write_audit("reset_second_factor", by=by, at=at, obj=member)
    _, token = invite(user=member.user, purpose=Invitation.Purpose.RECOVER, by=by, at=at)
    return token


@transaction.atomic
def invite_from_server(
    *, clinic: Clinic, username: str, display_name: str, role: str, at: datetime
) -> tuple[Staff, str]:
    """Make a place for a person from the server's command line; return it with the token of their link.

    Raises ``Refusal`` for a user name that is taken.
    """
    if User.objects.filter(username__iexact=username).exists():
        raise Refusal("Inviting", ["this user name is taken"], "Choose another one.")
    by = Server(clinic_id=clinic.pk)
    user = User.objects.create_user(username=username, password=None)
    member: Staff = Staff.objects.create(
        user=user, clinic=clinic, role=role, display_name=display_name, synthetic=clinic.synthetic
    )
    write_audit("add_staff", by=by, at=at, obj=member, reason=f"{display_name}, {member.get_role_display()}")
    _, token = invite(user=user, purpose=Invitation.Purpose.JOIN, by=by, at=at)
    return member, token


@transaction.atomic
def invite_to_care(*, access: PersonalAccess, by: Staff, at: datetime) -> str:
    """Make a one-time link for a patient or caregiver and return its token: they choose their password themselves."""
    check_may(by, Permission.GIVE_OWN_ACCESS)
    check_in_clinic(by, access)
    if not access.is_active:
        raise Refusal("Making a link", ["this access was withdrawn"], "Give access again first.")
    known = access.user.has_usable_password()
    purpose = Invitation.Purpose.RECOVER if known else Invitation.Purpose.JOIN
    _, token = invite(user=access.user, purpose=purpose, by=by, at=at)
    return token


@transaction.atomic
def withdraw_from_care(*, access: PersonalAccess, by: Staff, at: datetime) -> None:
    """Close the sign-in of a patient or caregiver for good: given again, it is opened by a new link only."""
    withdraw_access(access=access, by=by, at=at)
    _end_ways_in(user=access.user, by=by, at=at, why="the access was withdrawn")
