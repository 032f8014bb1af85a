"""The database itself refuses to change or delete an entry: a second wall.

Nothing rests on it alone. Whoever owns the database can take it down; the hash chain then shows what they did.
"""

from __future__ import annotations

from ketaclinic.audit.chain import TABLE

_SAYS = "audit entries are never changed or deleted"

UP = {
    "sqlite": (
        f"CREATE TRIGGER audit_never_update BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{_SAYS}'); END",
        f"CREATE TRIGGER audit_never_delete BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{_SAYS}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION audit_never() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_SAYS}'; END $$",
        f"CREATE TRIGGER audit_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_never()",
    ),
}
"""What puts the wall up, by kind of database. A migration that builds the table anew on SQLite does this again."""
DOWN = {
    "sqlite": ("DROP TRIGGER IF EXISTS audit_never_update", "DROP TRIGGER IF EXISTS audit_never_delete"),
    "postgresql": (f"DROP TRIGGER IF EXISTS audit_never_change ON {TABLE}",),
}
STANDING = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit_never_%%'",
    "postgresql": "SELECT count(*) FROM pg_trigger WHERE tgname = 'audit_never_change' AND tgenabled <> 'D'",
}
"""Counts what stands of it: two on SQLite, one on PostgreSQL."""
