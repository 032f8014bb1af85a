"""Entries from before the chain are taken into it with every value they had, and killed midway it starts again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from tests.faults.test_audit_writers import settings_of_a_clinic

OLD = """
import django
django.setup()
from datetime import datetime, timedelta, timezone
from django.db import connection, transaction
with transaction.atomic(), connection.cursor() as cursor:
    cursor.executemany(
        "INSERT INTO audit_auditentry (at, clinic_id, actor_id, actor_role, action, patient_id, object_type, object_id,"
        " reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            (
                connection.ops.adapt_datetimefield_value(
                    datetime(2026, 11, 23, 17, tzinfo=timezone.utc) + timedelta(seconds=n, microseconds=n % 2 * 17)
                ),
                n % 3 or None, n, "nurse", "record_vitals", n % 7 or None, "treatment.SessionEvent", str(n),
                "said 100 % \\u201csure\\u201d" if n % 5 else "",
            )
            for n in range({number})
        ],
    )
"""
DIGEST = """
import django, hashlib
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute(
        "SELECT id, at, clinic_id, actor_id, actor_role, action, patient_id, object_type, object_id, reason"
        " FROM audit_auditentry ORDER BY id"
    )
    told = hashlib.sha256()
    for row in cursor.fetchall():
        told.update(repr(row).encode())
print(told.hexdigest())
"""


@pytest.fixture
def old(tmp_path: Path, transactional_db: None) -> dict[str, str]:
    """The environment of a clinic whose log has no chain yet; a database of its own on PostgreSQL."""
    environment = settings_of_a_clinic(tmp_path / "var")
    (tmp_path / "var").mkdir()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS before_the_chain")
            cursor.execute("CREATE DATABASE before_the_chain")
        environment["DATABASE_URL"] = f"{environment['DATABASE_URL'].rpartition('/')[0]}/before_the_chain"
    _run(environment, "manage.py", "migrate", "audit", "0001", "-v0")
    return environment


def _run(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_old_entries_come_into_the_chain_unchanged(old: dict[str, str]) -> None:
    _run(old, "-c", OLD.replace("{number}", "5000"))
    before = _run(old, "-c", DIGEST)
    _run(old, "manage.py", "migrate", "audit", "-v0")
    assert _run(old, "-c", DIGEST) == before
    told = _verify(old)
    assert [line.rpartition(": ")[2] for line in told if line.startswith("ok")] == ["1667 entries"] * 2 + [
        "1666 entries"
    ]


def _verify(environment: dict[str, str]) -> list[str]:
    ketaclinic = str(Path(sys.executable).parent / "ketaclinic")
    done = subprocess.run([ketaclinic, "audit", "verify"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_killed_midway_it_starts_again_and_loses_nothing(old: dict[str, str]) -> None:
    number = 100_000
    _run(old, "-c", OLD.replace("{number}", str(number)))
    before = _run(old, "-c", DIGEST)
    kills = 0
    for seconds in (2.0, 3.0, 4.0):
        migrating = subprocess.Popen(
            [sys.executable, "manage.py", "migrate", "audit", "-v0"], env=old, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)
        kills += migrating.poll() is None
        if migrating.poll() is None:
            os.kill(migrating.pid, signal.SIGKILL)
        migrating.wait()
    assert kills >= 1, "the migration was over before it could be killed"
    _run(old, "manage.py", "migrate", "audit", "-v0")
    assert _run(old, "-c", DIGEST) == before
    told = [int(line.split()[-2]) for line in _verify(old) if line.startswith("ok")]
    assert sum(told) == number
