"""``ketaclinic staff``: the first administrator, and the way back for the last one."""

from __future__ import annotations

from typing import Any

import click

from ketaclinic.cli.groups import Group
from ketaclinic.cli.starting import django_ready, migrate_quietly, refuse, the_clinic


def _address(_ctx: click.Context, _param: click.Parameter, given: str) -> str:
    """Return an address of the web that a link can begin with."""
    if not given.startswith(("http://", "https://")):
        raise click.BadParameter("write it as browsers reach the server, as in https://clinic.example")
    return given


_ADDRESS = click.option(
    "--address",
    callback=_address,
    default="http://127.0.0.1:8000",
    show_default=True,
    help="How the clinic's browsers reach the server; the link begins with it.",
)


@click.group(cls=Group, name="staff")
def command() -> None:
    """Invite a person, or let somebody back in who lost every second factor.

    Both print a link that holds once. Hand it over in person; whoever has it becomes that person.
    """


@command.command(name="invite")
@click.argument("username")
@click.option("--name", required=True, help="Name as others see it.")
@click.option("--role", help="Their place in the clinic; may be left out for a clinic's first administrator.")
@click.option("--clinic", "number", type=int, help="Number of the clinic, if there are several.")
@click.option("--found", help="Found a new clinic with this name; needs --emergency-contact.")
@click.option("--emergency-contact", default="", help="Whom patients call outside opening hours.")
@_ADDRESS
def invite(
    username: str,
    name: str,
    role: str | None,
    number: int | None,
    found: str | None,
    emergency_contact: str,
    address: str,
) -> int:
    """Make a place for USERNAME and print their link: the first administrator of an empty installation."""
    django_ready()
    migrate_quietly()
    from django.db import transaction
    from django.utils import timezone

    from ketaclinic.access.actions.places import invite_from_server
    from ketaclinic.people.actions import found_clinic
    from ketaclinic.people.models import Staff
    from ketaclinic.people.permissions import Role

    if not name.strip():
        refuse("--name is empty: it is how others see the person")
    _check_username(username)
    if role is not None and role not in Role.values:
        refuse(f"there is no role {role}; choose from: {', '.join(Role.values)}")
    longest = Staff._meta.get_field("display_name").max_length or 0
    if len(name) > longest:
        refuse(f"a name has at most {longest} letters")
    at = timezone.now()
    if found and not emergency_contact:
        refuse("a new clinic needs --emergency-contact: it is printed on every aftercare sheet")
    with transaction.atomic():  # a user name that is taken leaves no clinic without an administrator behind
        clinic = found_clinic(name=found, emergency_contact=emergency_contact, at=at) if found else _there(number)
        member, token = _or_refuse(
            invite_from_server,
            clinic=clinic,
            username=username,
            display_name=name,
            role=role or _role_of_the_first(clinic),
            at=at,
        )
    click.echo(f"{member.display_name}, {member.get_role_display()} of {member.clinic}.", err=True)
    _print(address, token)
    return 0


def _role_of_the_first(clinic: Any) -> str:
    from ketaclinic.people.models import Staff
    from ketaclinic.people.permissions import Role

    if Staff.objects.of(clinic).filter(role=Role.ADMINISTRATOR, is_active=True).exists():
        refuse(f"the clinic has an administrator; name the place with --role: {', '.join(Role.values)}")
    return Role.ADMINISTRATOR.value


@command.command(name="reset-second-factor")
@click.argument("username")
@_ADDRESS
def reset_second_factor(username: str, address: str) -> int:
    """Make password and second factors of USERNAME void and print a link through which they choose new ones."""
    django_ready()
    from django.utils import timezone

    from ketaclinic.access.actions.places import reset_sign_in
    from ketaclinic.access.actor import Server
    from ketaclinic.people.queries import user_named

    member = getattr(user_named(username), "staff", None)
    if member is None or not member.is_active:
        refuse("there is no open sign-in of that name")
    token = reset_sign_in(member=member, by=Server(clinic_id=member.clinic_id), at=timezone.now())
    _print(address, token)
    return 0


def _check_username(username: str) -> None:
    from django.core.exceptions import ValidationError

    from ketaclinic.people.models import User

    try:
        User.username_validator(username)
    except ValidationError:
        refuse("a user name has letters, digits and @ . + - _ only")


def _there(number: int | None) -> Any:
    from ketaclinic.people.models import Clinic

    if not Clinic.objects.exists():
        refuse("there is no clinic yet; found one with --found NAME --emergency-contact WHOM")
    return the_clinic(number)


def _or_refuse(action: Any, **given: Any) -> Any:
    from ketacore.evidence import Refusal

    try:
        return action(**given)
    except Refusal as refusal:
        refuse(f"{refusal.refused}: {'; '.join(refusal.because)}. {refusal.do}")


def _print(address: str, token: str) -> None:
    from django.conf import settings
    from django.urls import reverse

    hours = int(settings.INVITATION.total_seconds() // 3600)
    click.echo(f"{address.rstrip('/')}{reverse('access:use_link', args=[token])}")
    click.echo(f"Holds once, for {hours} hours.", err=True)
