"""``ketaclinic check``: database, migrations, rules, settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date

import click

from ketaclinic.cli.starting import django_ready, print_json, refuse
from ketaclinic.config.environment import data_folder

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
"""What SQLite must have in force so that an acknowledged write survives a power cut."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at."""

    name: str
    ok: bool
    says: str


@click.command(name="check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> int:
    """Look whether database, migrations, rules and settings are in order.

    Ends with exit code 1 when anything is not.
    """
    if not os.environ.get("DATABASE_URL") and not data_folder().exists():
        refuse(f"there is no data in {data_folder()}; run: ketaclinic demo, or: ketaclinic serve")
    django_ready()
    results = [checked for look in (check_database, check_rules, check_settings) for checked in _looked(look)]
    if as_json:
        print_json({"ok": all(r.ok for r in results), "checks": [asdict(r) for r in results]})
    else:
        for result in results:
            click.echo(f"{'ok    ' if result.ok else 'FAILED'}  {result.name}: {result.says}")
    return 0 if all(result.ok for result in results) else 1


def _looked(look: Callable[[], Iterator[Checked]]) -> list[Checked]:
    found: list[Checked] = []
    try:
        found.extend(look())
    except Exception as error:  # noqa: BLE001  a check that breaks has failed; the others still run
        found.append(
            Checked(look.__name__.removeprefix("check_"), False, f"could not be checked ({type(error).__name__})")
        )
    return found


def check_database() -> Iterator[Checked]:
    """Reachable, migrated, and as durable as promised."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    connection.ensure_connection()
    yield Checked("database", True, f"{connection.vendor} answers")
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    yield Checked("migrations", not missing, f"{len(missing)} not applied" if missing else "all applied")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for pragma, wanted in PRAGMAS.items():
                value = cursor.execute(f"PRAGMA {pragma}").fetchone()[0]
                in_memory = pragma == "journal_mode" and value == "memory"
                yield Checked(f"sqlite {pragma}", value == wanted or in_memory, f"{value}")


def check_rules(on: date | None = None) -> Iterator[Checked]:
    """Every rule file loads, and no review is overdue."""
    from django.utils import timezone

    from ketaclinic.policy.queries import all_rules

    today = on or timezone.now().date()
    rules = {(rule.rule_id, rule.rule_version): rule for _, rule in all_rules()}.values()
    overdue = sorted(rule.rule_id for rule in rules if rule.review.overdue(today))
    yield Checked("rules", bool(rules), f"{len(rules)} rules are complete")
    says = f"overdue: {', '.join(overdue[:10])}" if overdue else "no review is overdue"
    yield Checked("rule reviews", not overdue, says)


def check_settings() -> Iterator[Checked]:
    """Nothing that must be off is on; what is reachable from outside is encrypted."""
    from django.conf import settings

    yield Checked("debug", not settings.DEBUG, "on: never in a clinic" if settings.DEBUG else "off")
    long_enough = len(settings.SECRET_KEY) >= 40
    yield Checked("secret key", long_enough, "kept" if long_enough else "shorter than 40 characters")
    outside = [host for host in settings.ALLOWED_HOSTS if host not in ("127.0.0.1", "localhost", "[::1]", "testserver")]
    wild = "*" in outside
    encrypted = settings.SESSION_COOKIE_SECURE or not outside
    yield Checked("hosts", not wild, "every host name is answered" if wild else ", ".join(settings.ALLOWED_HOSTS))
    yield Checked("encryption", encrypted, "in order" if encrypted else "served to others without KETACLINIC_HTTPS=1")
    yield from _data_folder()


def _data_folder() -> Iterator[Checked]:
    from ketaclinic.config.settings import DATA

    open_to_others = DATA.exists() and bool(DATA.stat().st_mode & 0o007)
    key = DATA / "secret-key"
    readable = key.exists() and bool(key.stat().st_mode & 0o077)
    yield Checked("data folder", not open_to_others, "others may read it: chmod 700" if open_to_others else "private")
    yield Checked("secret key file", not readable, "others may read it: chmod 600" if readable else "private")
