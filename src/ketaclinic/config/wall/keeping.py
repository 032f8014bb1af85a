"""Building the wall, renewing it after each migration, and looking whether all of it stands."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from ketaclinic.config.wall.policies import House, Policy
from ketaclinic.config.wall.seal import CLINIC, OPENED, OWNER, USER, pads, sealed

CONDITIONS = {
    "read": "FOR SELECT USING ({read})",
    "add": "FOR INSERT WITH CHECK ({add})",
    "change": "FOR UPDATE USING ({write}) WITH CHECK ({change})",
    "remove": "FOR DELETE USING ({write})",
}
MIGRATIONS = "django_migrations"
FUNCTIONS = f"""
CREATE TABLE IF NOT EXISTS public.ketaclinic_wall (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), inner_pad bytea, outer_pad bytea, built text NOT NULL DEFAULT '');
INSERT INTO public.ketaclinic_wall DEFAULT VALUES ON CONFLICT DO NOTHING;
CREATE OR REPLACE FUNCTION public.ketaclinic_said(setting text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    told text := current_setting(setting, true);
    said text := left(told, -65);
    seal text := right(told, 64);
BEGIN
    IF coalesce(said, '') = '' THEN RETURN NULL; END IF;
    RETURN (SELECT said FROM public.ketaclinic_wall WHERE encode(sha256(outer_pad || sha256(
        inner_pad || convert_to(setting || '=' || said, 'UTF8'))), 'hex') = seal);
END $$;
CREATE OR REPLACE FUNCTION public.ketaclinic_clinic() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT public.ketaclinic_said('{CLINIC}')::bigint $$;
CREATE OR REPLACE FUNCTION public.ketaclinic_user() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT public.ketaclinic_said('{USER}')::bigint $$;
CREATE OR REPLACE FUNCTION public.ketaclinic_opened(name text) RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT coalesce(name = ANY (string_to_array(public.ketaclinic_said('{OPENED}'), ',')), false) $$;
CREATE OR REPLACE FUNCTION public.ketaclinic_seen(place regclass, number bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE seen boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s WHERE id = $1)', place) INTO seen USING number;
    RETURN seen;
END $$;
"""
"""The key of the seals lies in a table that only its owner reads; ``ketaclinic_said`` gives back what is rightly
sealed. ``ketaclinic_seen`` looks with the eyes of who asks.
"""


def renew(*, force: bool = False, **_: object) -> bool:
    """Build the wall as the models want it, unless it stands so; return whether it was built. PostgreSQL only.

    Needs the owner of the tables. Django calls it after each migration, ``force`` builds in any case.
    """
    if connection.vendor != "postgresql" or not owns_the_tables() or _on_the_way():
        return False
    policies = _standing_tables()
    mark = _mark(policies)
    with transaction.atomic(), connection.cursor() as cursor:
        if not force and _built(cursor) == mark:
            return False
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('ketaclinic wall'))")
        cursor.execute(FUNCTIONS)
        inner, outer = pads()
        cursor.execute("UPDATE public.ketaclinic_wall SET inner_pad = %s, outer_pad = %s", [inner, outer])
        _take_down(cursor)
        for policy in policies:
            _build(cursor, policy)
        _grant(cursor, policies)
        cursor.execute("UPDATE public.ketaclinic_wall SET built = %s", [mark])
    return True


def _on_the_way() -> bool:
    """Return whether migrations are left: the models speak of tables and columns that are not there yet."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def up_to_date() -> bool:
    """Return whether all migrations are applied and the wall stands as the models want it; the server may look too."""
    if _on_the_way():
        return False
    with connection.cursor() as cursor:
        return connection.vendor != "postgresql" or _built(cursor) == _mark(_standing_tables())


def owns_the_tables() -> bool:
    """Return whether this process may change the tables: the owner may, the server's role may not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(pg_has_role(current_user, relowner, 'MEMBER')) FROM pg_class WHERE relname = %s",
            [MIGRATIONS],
        )
        return cursor.fetchone()[0] is not False


def step_aside(**_: object) -> None:
    """Before a migration: policies hold the columns they name fast. Until ``renew`` the server sees no row."""
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(), connection.cursor() as cursor:
        if _built(cursor):
            cursor.execute("UPDATE public.ketaclinic_wall SET built = ''")
            _take_down(cursor)


def _built(cursor: Any) -> str:
    cursor.execute("SELECT to_regclass('public.ketaclinic_wall')")
    if cursor.fetchone()[0] is None:
        return ""
    cursor.execute("SELECT built FROM public.ketaclinic_wall")
    return str(cursor.fetchone()[0])


def _standing_tables() -> list[Policy]:
    there = set(connection.introspection.table_names())
    return [policy for policy in House().policies() if policy.table in there]


def _mark(policies: list[Policy]) -> str:
    return sha256(repr((policies, FUNCTIONS, CONDITIONS, pads(), server_role())).encode()).hexdigest()


def server_role() -> str:
    """Return the role the server connects as, or nothing where it shares the owner's."""
    return str(settings.SERVER_ROLE)


def _take_down(cursor: Any) -> None:
    """Drop the policies; the tables stay locked, and the owner's own door stays."""
    cursor.execute(
        "SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' AND policyname LIKE 'wall\\_%' "
        "AND policyname <> 'wall_owner'"
    )
    for table, name in cursor.fetchall():
        cursor.execute(f"DROP POLICY {_quoted(name)} ON {_quoted(table)}")


def _build(cursor: Any, policy: Policy) -> None:
    if not policy.walled:
        return
    table = _quoted(policy.table)
    cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for name, asks in CONDITIONS.items():
        asked = asks.format(read=policy.read, write=policy.write, add=policy.add, change=policy.change)
        cursor.execute(f"CREATE POLICY wall_{name} ON {table} {asked}")
    acting = f"(current_setting('{OWNER}', true) = 'on')"
    cursor.execute(f"DROP POLICY IF EXISTS wall_owner ON {table}")
    cursor.execute(f"CREATE POLICY wall_owner ON {table} TO CURRENT_USER USING {acting} WITH CHECK {acting}")


def _grant(cursor: Any, policies: list[Policy]) -> None:
    """Give the server's role what it needs, and take back everything else."""
    cursor.execute("REVOKE ALL ON public.ketaclinic_wall FROM PUBLIC")
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [server_role()])
    if cursor.fetchone() is None:
        return
    role = _quoted(server_role())
    cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
    granted = [(policy.table, policy.grant) for policy in policies if policy.grant]
    for table, rights in [*granted, (MIGRATIONS, "SELECT"), ("ketaclinic_wall", "SELECT (built)")]:
        cursor.execute(f"GRANT {rights} ON {_quoted(table)} TO {role}")


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))


# ---- looking at it -------------------------------------------------------------------------------------------------


def faults(raw: Any) -> Iterator[str]:
    """Yield, in words, what is wrong with the wall as a connection of psycopg finds it; nothing when all stands."""
    yield from _faults_of_role(raw)
    behind = {policy.table for policy in House().policies() if policy.walled}
    standing = {
        table
        for table, count in raw.execute(
            "SELECT c.relname, count(p.polname) FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid "
            "WHERE c.relrowsecurity AND c.relforcerowsecurity AND p.polname LIKE 'wall\\_%' GROUP BY c.relname"
        ).fetchall()
        if count == len(CONDITIONS) + 1
    }
    if behind - standing:
        yield f"no policy on {', '.join(sorted(behind - standing)[:5])}"
    elif not _seal_fits(raw):
        yield "built with another secret key"


def _faults_of_role(raw: Any) -> Iterator[str]:
    superuser, bypasses, owns = raw.execute(
        "SELECT rolsuper, rolbypassrls, EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND pg_has_role(current_user, c.relowner, 'MEMBER')) "
        "FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if superuser:
        yield "the server's role is a superuser, whom no policy holds"
    elif bypasses:
        yield "the server's role may pass by row-level security"
    elif owns:
        yield "the server's role owns the tables and can take the policies down"


def _seal_fits(raw: Any) -> bool:
    told = sealed(CLINIC, "1")
    with raw.transaction():
        raw.execute("SELECT set_config(%s, %s, true)", [CLINIC, told])
        return bool(raw.execute("SELECT public.ketaclinic_clinic() = 1").fetchone()[0])


def tables_with_hidden_rows(raw: Any) -> list[str]:
    """Return the tables of which a connection of psycopg may be shown a part only: nothing is left out unsaid."""
    found = raw.execute(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE row_security_active(c.oid) AND NOT ("
        f"coalesce(current_setting('{OWNER}', true), '') = 'on' AND EXISTS (SELECT 1 FROM pg_policy p "
        "WHERE p.polrelid = c.oid AND p.polname = 'wall_owner' "
        "AND (SELECT oid FROM pg_roles WHERE rolname = current_user) = ANY (p.polroles))) ORDER BY 1"
    ).fetchall()
    return [table for (table,) in found]


def connections_left(raw: Any, workers: int) -> int:
    """Return how many connections remain for others when every worker has filled its pool; below 0 is too many."""
    (limit,) = raw.execute(
        "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    ).fetchone()
    return int(limit) - workers * int(settings.POOL_MAX)
