"""``ketaclinic check``: database, migrations, rules, settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from ketaclinic.cli.starting import django_ready, print_json, refuse
from ketaclinic.config.environment import data_folder

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "temp_store": 2, "secure_delete": 2}
"""What SQLite must have in force so that an acknowledged write survives a power cut, and nothing spills to disk."""
SWAPS = Path("/proc/swaps")


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at."""

    name: str
    ok: bool
    says: str
    warns: bool = False
    """Whether somebody should know, though nothing is broken."""

    @property
    def verdict(self) -> str:
        """One word, as the command prints it."""
        return "warn" if self.ok and self.warns else "ok" if self.ok else "FAILED"


@click.command(name="check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> int:
    """Look whether database, migrations, rules and settings are in order.

    Ends with exit code 1 when anything is not.
    """
    if not os.environ.get("DATABASE_URL") and not data_folder().exists():
        refuse(f"there is no data in {data_folder()}; run: ketaclinic demo, or: ketaclinic serve")
    django_ready()
    results = [
        checked
        for look in (
            check_database,
            check_wall,
            check_audit,
            check_rules,
            check_settings,
            check_sign_ins,
            check_continuity,
        )
        for checked in _looked(look)
    ]
    if as_json:
        print_json({"ok": all(r.ok for r in results), "checks": [asdict(r) for r in results]})
    else:
        for result in results:
            click.echo(f"{result.verdict:<6}  {result.name}: {result.says}")
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


def check_audit() -> Iterator[Checked]:
    """The log's second wall stands, and its anchor agrees."""
    from django.db import connection

    from ketaclinic.audit.queries import apart_from_anchor
    from ketaclinic.audit.walls import STANDING

    with connection.cursor() as cursor:
        cursor.execute(STANDING[connection.vendor])
        stands = bool(cursor.fetchone()[0])
    yield Checked("audit walls", stands, "in place" if stands else "the database lets entries be changed")
    apart = apart_from_anchor()
    says = f"does not agree for chain {', '.join(apart)}; run: ketaclinic audit verify" if apart else "agrees"
    yield Checked("audit anchor", not apart, says)


def check_wall() -> Iterator[Checked]:
    """On PostgreSQL: the server's role is held by row-level security, and its pools fit into the database."""
    from django.conf import settings
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    import psycopg

    from ketaclinic.config.wall.keeping import connections_left, faults

    with psycopg.connect(os.environ["DATABASE_URL"]) as raw:
        found = "; ".join(faults(raw))
        says = f"works, but not protected: {found}" if found else "every table answers for one clinic"
        yield Checked("second wall", not found, says)
        left = connections_left(raw, settings.WORKERS)
    taken = f"{settings.WORKERS} workers take at most {settings.WORKERS * settings.POOL_MAX} connections"
    yield Checked("connections", left > 0, f"{taken}, {left} remain" if left > 0 else f"{taken}: more than there are")


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
    yield from _at_rest()


def _at_rest() -> Iterator[Checked]:
    """Whether somebody has declared what encrypts the disks, and whether memory is swapped to one that is not."""
    from django.conf import settings

    says = settings.AT_REST or "nobody has declared what encrypts the disks: docs/guide/encryption.md"
    yield Checked("encryption at rest", True, says, warns=not settings.AT_REST)
    lines = SWAPS.read_text().splitlines()[1:] if SWAPS.exists() else []
    devices = [line.split()[0] for line in lines]
    plain = [name for name in devices if not name.startswith(("/dev/zram", "/dev/dm-", "/dev/mapper/"))]
    told = f"perhaps not encrypted: {', '.join(plain)}" if plain else "none, in memory, or on a mapped device"
    yield Checked("swap", True, told, warns=bool(plain))


def check_sign_ins() -> Iterator[Checked]:
    """Nobody signs in with a password that is printed somewhere; everybody else has a second factor."""
    from ketaclinic.access.queries import public_sign_ins, staff_without_factor

    known = public_sign_ins()
    says = f"{len(known)} of staff, public: only serve --demo lets them in" if known else "none is public"
    yield Checked("demo sign-ins", True, says)
    without = staff_without_factor(but=known)
    yield Checked(
        "second factor", True, f"{without} to be set up at the next sign-in" if without else "everybody has one"
    )


def _data_folder() -> Iterator[Checked]:
    from ketaclinic.config.settings import DATA

    open_to_others = DATA.exists() and bool(DATA.stat().st_mode & 0o007)
    key = DATA / "secret-key"
    readable = key.exists() and bool(key.stat().st_mode & 0o077)
    writable = not DATA.exists() or os.access(DATA, os.W_OK | os.X_OK)
    yield Checked("data folder writable", writable, "yes" if writable else f"nothing can be written into {DATA}")
    yield Checked("data folder", not open_to_others, "others may read it: chmod 700" if open_to_others else "private")
    yield Checked("secret key file", not readable, "others may read it: chmod 600" if readable else "private")


def check_continuity(now: datetime | None = None) -> Iterator[Checked]:
    """A backup that is young enough, for a record of real people; printed sheets, which a server that runs writes."""
    from django.conf import settings
    from django.utils import timezone

    from ketaclinic.config.settings import DATA
    from ketaclinic.continuity.actions.backup import newest_backup
    from ketaclinic.continuity.queries.status import sheet_status
    from ketaclinic.people.models import Clinic

    at, newest = now or timezone.now(), newest_backup(DATA)
    real = Clinic.objects.filter(synthetic=False).exists()
    old = newest is None or at - newest > timedelta(hours=settings.BACKUP_MAX_HOURS)
    says = f"the newest is of {newest:%Y-%m-%d %H:%M} UTC" if newest else "none was made; run: ketaclinic backup"
    yield Checked("backup", not (real and old), says if real or newest else "only synthetic people: none needed")
    for pk in Clinic.objects.order_by("pk").values_list("pk", flat=True):
        status = sheet_status(settings.DOWNTIME, pk)
        minutes = status.minutes(at)
        words = "never written" if minutes is None else f"written {minutes} min ago"
        yield Checked(f"downtime sheets of clinic {pk}", not status.failed, words, warns=status.stale(at))
