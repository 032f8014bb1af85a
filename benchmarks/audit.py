"""AUDIT: what an entry costs a write, with and without the log side by side; how fast a long log is verified."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import pages
from benchmarks.machine import cpu_seconds
from benchmarks.server import KETACLINIC, Visitor, serving, sign_in

PAIRS, BLOCK, WARM_UP = 21, 8, 8
PATIENTS = 40
ENTRIES = 1_000_000
NURSE = "demo-nurse"
GRANIAN = str(Path(sys.executable).parent / "granian")
APPLICATIONS = ("ketaclinic.config.wsgi:application", "benchmarks.unaudited:application")
"""With the log, and without it; both are started in the same way."""

Write = Callable[[Visitor, int], None]


def measure_writes(data: Path) -> dict[str, dict[str, float]]:
    """Return, per kind of write, milliseconds with and without the log and what the log adds, in percent."""
    pages.build(data / "with", PATIENTS)
    kinds, password = _writes(data / "with")
    shutil.copytree(data / "with", data / "without")
    with (
        serving(data / "with", lambda port: _command(port, APPLICATIONS[0])) as (port, pid),
        serving(data / "without", lambda port: _command(port, APPLICATIONS[1])) as (other_port, other_pid),
    ):
        sides = (_side(port, pid, password), _side(other_port, other_pid, password))
        return {name: _compare(write, sides) for name, write in kinds.items()}


def _side(port: int, pid: int, password: str) -> tuple[Visitor, int]:
    return Visitor(port, sign_in(port, NURSE, password)), pid


def _command(port: int, application: str) -> list[str]:
    how = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", "1", "--log-level", "warning"]
    return ["env", "KETACLINIC_DEMO=1", GRANIAN, *how, "--host", "127.0.0.1", "--port", str(port), application]


def _writes(data: Path) -> tuple[dict[str, Write], str]:
    """Return the kinds of writes that a nurse makes, and the nurse's password; asked of the clinic in ``data``."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.audit", "targets"],
        env={**os.environ, "KETACLINIC_DATA": str(data)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    targets = json.loads(told)
    form = {f"q{item}": "1" for item in range(1, 9)} | {"q9": "0"}

    def vitals(visitor: Visitor, number: int) -> None:
        entry = {"kind": "vitals", "systolic": "128", "diastolic": "78", "pulse": "71", "spo2": "97"}
        _expect(visitor.post(targets["record"], {**entry, "entry_key": f"audit-{number}"}).status, 200)

    def phq9(visitor: Visitor, number: int) -> None:
        _expect(visitor.post(targets["answer"], {**form, "entry_key": f"audit-{number}"}).status, 302)

    def medicine(visitor: Visitor, number: int) -> None:
        _expect(visitor.post(targets["medicine"], {"display": f"Somethingol {number}"}).status, 302)

    return {"vitals at the bedside": vitals, "a PHQ-9": phq9, "a medicine": medicine}, targets["password"]


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"answered {status} instead of {wanted}")


def _compare(write: Write, sides: tuple[tuple[Visitor, int], tuple[Visitor, int]]) -> dict[str, float]:
    """Write block after block, the two sides in turn and each first every other time; the median of the pairs."""
    number = 0
    pairs: list[list[tuple[float, float]]] = []
    for pair in range(PAIRS + 1):
        found = [(0.0, 0.0), (0.0, 0.0)]
        for side in (0, 1) if pair % 2 else (1, 0):
            visitor, pid = sides[side]
            times, before = [], cpu_seconds(pid)
            for step in range(WARM_UP if pair == 0 else BLOCK):
                started = time.perf_counter()
                write(visitor, number + step)
                times.append(time.perf_counter() - started)
            found[side] = (min(times) * 1000, (cpu_seconds(pid) - before) * 1000 / len(times))
        number += BLOCK
        pairs += [found] if pair else []
    wall, cpu = ([(a[which], b[which]) for a, b in pairs] for which in (0, 1))
    return {
        "with_ms": statistics.median(a for a, _ in wall),
        "without_ms": statistics.median(b for _, b in wall),
        "added_percent": (statistics.median(a / b for a, b in wall) - 1) * 100,
        "added_cpu_percent": (statistics.median(a / b for a, b in cpu) - 1) * 100,
    }


def print_targets() -> None:
    """Print where the writes go, an open session and its patient, and the password of the nurse."""
    import django

    django.setup()
    from django.urls import reverse

    from ketaclinic.demo.clinic import SIGN_INS
    from ketaclinic.treatment.models import Session

    session = Session.objects.order_by("-at", "-pk").first()
    assert session is not None
    targets = {
        "password": SIGN_INS[NURSE],
        "record": reverse("treatment:record", args=[session.pk]),
        "answer": reverse("followup:answer", args=[session.patient_id, "phq9"]),
        "medicine": reverse("screening:add", args=[session.patient_id, "medicine"]),
    }
    print(json.dumps(targets))


def measure_verify(data: Path) -> dict[str, float]:
    """Return entries a second of processor time and the memory of ``ketaclinic audit verify`` over a million."""
    environment = {**os.environ, "KETACLINIC_DATA": str(data)}
    data.mkdir()
    subprocess.run([sys.executable, "-m", "benchmarks.audit", "fill"], env=environment, check=True)
    with (data / "told.json").open("w+") as told:
        verifying = subprocess.Popen([KETACLINIC, "audit", "verify", "--json"], env=environment, stdout=told)
        _, status, used = os.wait4(verifying.pid, 0)
        verifying.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        entries = json.load(told)["chains"][0]["entries"]
    cpu = used.ru_utime + used.ru_stime
    return {"entries": entries, "per_cpu_second": entries / cpu, "memory_mb": used.ru_maxrss / 1024}


def fill() -> None:
    """Write a million chained entries into a fresh database, past the ORM."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    from ketaclinic.audit.chain import FIELDS, TABLE, body_of, digest

    call_command("migrate", verbosity=0)
    start, previous = datetime(2026, 1, 1, tzinfo=UTC), ""
    columns = (*FIELDS, "seq", "previous_hash", "hash")
    insert = f"INSERT INTO {TABLE} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
    with transaction.atomic(), connection.cursor() as cursor:
        for first in range(0, ENTRIES, 10_000):
            rows = []
            for n in range(first, first + 10_000):
                at = str((start + timedelta(seconds=n)).replace(tzinfo=None))
                what = [1, at, None, "staff", n % 12, "nurse", "read_chart", "done", n % 9_999, "people.Patient"]
                values = [*what, str(n % 9_999), "identity session doses vitals", "", "journey:chart"]
                values += ["192.0.2.7", "a3f1c2d4e5b60718", f"{n:016x}"]
                own = digest(previous, n + 1, body_of(values))
                rows.append((*values, n + 1, previous, own))
                previous = own
            cursor.executemany(insert, rows)


def report() -> list[str]:
    """Return the lines of ``docs/benchmarks.md``."""
    with tempfile.TemporaryDirectory(prefix="kc-audit-") as folder:
        writes, verified = measure_writes(Path(folder)), measure_verify(Path(folder) / "long")
    rows = [
        f"| {name} | {one['without_ms']:.1f} | {one['with_ms']:.1f} | {one['added_percent']:.1f} % "
        f"| {one['added_cpu_percent']:.1f} % | {'pass' if one['added_percent'] <= 15 else 'miss'} |"
        for name, one in writes.items()
    ]
    return [
        "## AUDIT",
        "",
        "What the audit log adds to a write, goal ≤ 15 %: two servers of the same version on copies of the same demo",
        "clinic (SQLite, `synchronous=FULL`), one of them with `write_audit` and the middleware taken out, asked over",
        f"loopback in turn, {PAIRS} pairs of blocks of {BLOCK} writes, each side first every other time. The time of a",
        "block is that of its fastest write, so that waiting for a busy processor counts little; what is added is the",
        "median over the pairs. CPU is what the kernel counted for the server, over all writes of a block.",
        "",
        "| write | without ms | with ms | added | added CPU | goal |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"`ketaclinic audit verify` walks {verified['entries']:,} entries, {verified['per_cpu_second']:,.0f} for each",
        f"second on a core, start of the program included, with {verified['memory_mb']:.0f} MB of memory at most.",
    ]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ketaclinic.config.settings")
    {"targets": print_targets, "fill": fill, "report": lambda: print("\n".join(report()))}[sys.argv[1]]()
