"""What every command that needs the record does first, and the ways it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

import click

from ketaclinic.cli.main import REFUSED


class Refused(click.ClickException):
    """The command was understood and refused; one line says why."""

    exit_code = REFUSED

    def show(self, file: Any = None) -> None:
        """Print the line."""
        click.echo(f"ketaclinic: {self.message}", err=True)


def django_ready() -> None:
    """Load Django, once."""
    import django

    django.setup()


def record_ready() -> None:
    """Load Django and see that there is a record: whoever only reads makes no empty one by opening it."""
    django_ready()
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite" and not name.startswith("file:") and not Path(name).exists():
        refuse(f"there is no record in {Path(name).parent}; run: ketaclinic demo, or: ketaclinic serve")


def migrate_quietly() -> bool:
    """Bring tables and row-level security up to date; return whether anything had to be done."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.utils import timezone

    from ketaclinic.config.settings import DATA
    from ketaclinic.config.wall.keeping import owns_the_tables, renew
    from ketaclinic.continuity.actions.safety import safety_copy

    DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return renew()
    if connection.vendor == "postgresql" and not owns_the_tables():
        refuse("only the owner of the tables can bring them up to date; name it in KETACLINIC_OWNER_URL")
    copy = safety_copy(folder=DATA, at=timezone.now(), keep=settings.SAFETY_COPIES)
    if copy is not None:
        click.echo(
            f"Before the upgrade the database was copied to {copy}. To go back: stop the server, put that file",
            err=True,
        )
        click.echo("in the place of the database, and run the version of before.", err=True)
    call_command("migrate", interactive=False, verbosity=0)
    return True


def anchor_what_was_not() -> None:
    """Anchor entries of the audit log that a killed server had committed and not anchored; say what does not agree."""
    from django.db import connection
    from django.utils import timezone

    from ketaclinic.audit.actions import anchor_again
    from ketaclinic.audit.queries import apart_from_anchor
    from ketaclinic.config.wall.keeping import owns_the_tables

    if connection.vendor == "postgresql" and not owns_the_tables():  # behind the second wall nobody sees every chain
        return
    anchor_again(timezone.now())
    for name in apart_from_anchor():
        says = f"the audit log of chain {name} is not what was anchored, or its anchor is gone"
        click.echo(f"ketaclinic: {says}; run: ketaclinic audit verify", err=True)


def print_json(document: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def refuse(message: str) -> NoReturn:
    """End the command with a refusal."""
    raise Refused(message)


def the_clinic(number: int | None) -> Any:
    """Return the clinic with this number, or the only one."""
    from ketaclinic.people.models import Clinic

    if number is not None:
        clinic = Clinic.objects.filter(pk=number).first()
        return clinic or refuse(f"there is no clinic {number}")
    clinics = list(Clinic.objects.order_by("pk")[:2])
    if len(clinics) != 1:
        refuse("there is no clinic yet; run: ketaclinic demo" if not clinics else "name the clinic with --clinic ID")
    return clinics[0]


def the_member_of_staff(clinic: Any, username: str | None, permission: Any) -> Any:
    """Return who acts: the named member of staff, or the clinic's only active administrator.

    What an administrator may not do is done by the only medical director.
    """
    from ketaclinic.people.models import Staff
    from ketaclinic.people.permissions import Role, may

    staff = Staff.objects.of(clinic).filter(is_active=True).select_related("clinic", "user")
    if username is not None:
        member = staff.filter(user__username=username).first() or refuse(f"clinic {clinic.pk} has no such sign-in")
    else:
        theirs = may(Role.ADMINISTRATOR, permission)
        who = "administrator" if theirs else "medical director"
        found = list(staff.filter(role=Role.ADMINISTRATOR) if theirs else staff.filter(is_medical_director=True))
        if len(found) != 1:
            how_many = f"several {who}s" if found else f"no {who}"
            refuse(f"the clinic has {how_many}: name who does this with --by USERNAME")
        member = found[0]
    if not member.may(permission):
        refuse(f"the role {member.get_role_display().lower()} may not do this")
    return member
