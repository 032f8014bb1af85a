"""``ketaclinic database``: what the owner of a PostgreSQL database does for its server."""

from __future__ import annotations

from typing import Any

import click

from ketaclinic.cli.groups import Group
from ketaclinic.cli.starting import anchor_what_was_not, django_ready, migrate_quietly, refuse


@click.group(cls=Group, name="database")
def command() -> None:
    """Prepare a PostgreSQL database for the server."""


@command.command(name="update")
def update() -> int:
    """Bring the tables, their row-level security and the anchor of the audit log up to date.

    Runs under KETACLINIC_OWNER_URL, or DATABASE_URL where the server shares it.
    """
    django_ready()
    changed = migrate_quietly()
    anchor_what_was_not()
    click.echo("The database was brought up to date." if changed else "The database is up to date.")
    return 0


@command.command(name="roles")
def roles() -> int:
    """Make the role of DATABASE_URL, and grant it what the server needs and nothing more.

    Needs KETACLINIC_OWNER_URL: the owner of the tables, who may make roles, or let somebody else have made it. The
    role owns nothing, is no superuser and is held by row-level security. Doing it again changes nothing.
    """
    django_ready()
    from django.conf import settings
    from django.db import connection

    from ketaclinic.config.wall.keeping import renew, server_role

    if connection.vendor != "postgresql" or not server_role():
        refuse("roles need PostgreSQL: the owner in KETACLINIC_OWNER_URL, the server in DATABASE_URL")
    if server_role() == settings.DATABASES["default"]["USER"]:
        refuse("KETACLINIC_OWNER_URL and DATABASE_URL name the same role; the server needs one of its own")
    made = _role_made(server_role(), settings.SERVER_PASSWORD)
    migrate_quietly()
    renew(force=True)
    click.echo(f"Role {server_role()} {'was made' if made else 'was there'}; it has what the server needs.")
    return 0


def _role_made(role: str, password: str) -> bool:
    """Make the role unless it is there; refuse one that nothing holds."""
    from django.db import connection
    from psycopg import sql

    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role])
        there: Any = cursor.fetchone()
        if there is not None and there[0]:
            refuse(f"role {role} is a superuser or may bypass row-level security; name another one in DATABASE_URL")
        if there is not None:
            return False
        words = "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD {}"
        cursor.execute(sql.SQL(words).format(sql.Identifier(role), sql.Literal(password or None)))
    return True
