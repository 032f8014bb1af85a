"""Several processes write the log of one clinic at the same moment, and some of them take it back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.support.ready import migrated

WRITERS, EACH = 4, 40
WRITE = f"""
import django, sys
django.setup()
from django.db import transaction
from tests.support.audit import write_entries
for number in range({EACH}):
    with transaction.atomic():
        write_entries(1)
        transaction.set_rollback(number % 4 == 3)
"""


def settings_of_a_clinic(folder: Path) -> dict[str, str]:
    """Return the environment of another process: the test's own PostgreSQL database, or a file of SQLite."""
    environment = {**os.environ, "KETACLINIC_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "ketaclinic.config.settings"}
    if connection.vendor == "postgresql":
        server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
        environment["DATABASE_URL"] = f"{server}/{connection.settings_dict['NAME']}"
    return environment


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_make_one_chain(tmp_path: Path) -> None:
    environment = settings_of_a_clinic(tmp_path / "var")
    ketaclinic = str(Path(sys.executable).parent / "ketaclinic")
    if connection.vendor == "sqlite":
        shutil.copytree(migrated(), tmp_path / "var")
    command = [sys.executable, "-c", WRITE]
    writers = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(WRITERS)]
    told = [writer.communicate(timeout=240)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * WRITERS, told
    verified = subprocess.run(
        [ketaclinic, "audit", "verify"], env=environment, capture_output=True, text=True, check=False
    )
    assert verified.stdout.strip() == f"ok      clinic 7: {WRITERS * EACH * 3 // 4} entries"
    assert verified.returncode == 0
    head = (tmp_path / "var/anchor/clinic-7.head").read_text().split()
    assert head[:2] == ["7", str(WRITERS * EACH * 3 // 4)]
    assert "broken" not in (tmp_path / "var/anchor/clinic-7.history").read_text()
