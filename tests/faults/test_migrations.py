"""An upgrade killed in the middle of 100,000 rows: it rolls back or goes on, and every row says what it should."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.moving.progress import ROWS
from tests.support.figures import write_figures
from tests.support.ready import ready
from tests.support.tree import ROOT
from tools.postgres import private_cluster

pytestmark = pytest.mark.same_on_every_database

UPGRADE = "import django; django.setup(); from ketaclinic.cli.starting import migrate_quietly; print(migrate_quietly())"
FILE = "ketaclinic.sqlite3"
KILLS = ("move 2", "move 20", "rebuild 0", "rebuild 1", "change 4", "change 22")
"""How far each attempt comes before it is killed: in the data, in the table that is built anew, in the data again."""


@dataclass(frozen=True)
class Place:
    """One database before its upgrade."""

    url: str
    folder: Path
    connect: Callable[[], Any]

    @property
    def progress(self) -> Path:
        return self.folder / "progress"

    def environment(self) -> dict[str, str]:
        mine = {"DJANGO_SETTINGS_MODULE": "tests.faults.moving.settings", "DATABASE_URL": self.url}
        mine |= {"KETACLINIC_DATA": str(self.folder), "MOVING_PROGRESS": str(self.progress)}
        return {**os.environ, **mine, "PYTHONPATH": str(ROOT)}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(self.connect()) as connection:
            return [tuple(row) for row in connection.execute(query).fetchall()]

    def hash_of(self, query: str) -> tuple[int, int]:
        """Return how many rows there are, and a hash of them in any order."""
        found = self.rows(query)
        return len(found), sum(int.from_bytes(sha256(repr(row).encode()).digest()[:16]) for row in found)


def _prepared(url: str, folder: Path, connect: Callable[[], Any]) -> Place:
    place = Place(url, folder, connect)
    command = [sys.executable, "-m", "tests.faults.moving.prepare"]
    done = subprocess.run(command, cwd=ROOT, env=place.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    place.progress.unlink(missing_ok=True)
    return place


def _before(folder: Path) -> None:
    _prepared(f"sqlite:///{folder / FILE}", folder, lambda: None)


def _on_sqlite(folder: Path) -> Place:
    """Return a copy of the clinic of before the upgrade, which is made once."""
    kept = ready("before the upgrade", _before)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    return Place(f"sqlite:///{folder / FILE}", folder, lambda: sqlite3.connect(folder / FILE))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield _on_sqlite(tmp_path)
        return
    with private_cluster() as url:
        server = url.rpartition("/")[0]
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE upgrade")
        yield _prepared(f"{server}/upgrade", tmp_path, lambda: psycopg.connect(f"{server}/upgrade"))


def _killed_at(place: Place, step: str) -> bool:
    """Begin the upgrade, kill it once it has come so far; return whether it was still running then."""
    place.progress.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-c", UPGRADE], cwd=ROOT, env=place.environment(), stderr=-3, stdout=-3)
    end = time.monotonic() + 180
    while time.monotonic() < end and process.poll() is None:
        if place.progress.exists() and step in place.progress.read_text().splitlines():
            break
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


OLD = "SELECT id, kind, value, unit, at, recorded_at, patient_id FROM screening_vitalsign"


def _state(place: Place) -> tuple[int, int]:
    """Return how many steps of the upgrade are recorded, and how many rows it has moved."""
    steps = place.rows("SELECT count(*) FROM django_migrations WHERE app = 'moving'")[0][0]
    return steps, place.rows("SELECT count(*) FROM moving_reading")[0][0]


def test_an_upgrade_killed_midway_goes_on_and_every_row_is_right(place: Place) -> None:
    before = place.hash_of(OLD)
    assert before[0] == ROWS and _state(place) == (1, 0)
    kills = 0
    for step in KILLS:
        kills += _killed_at(place, step)
        steps, moved = _state(place)
        # Whole steps only: what is not recorded as done has left nothing, what is has left everything.
        assert moved == (0 if steps < 2 else ROWS)
        if steps >= 3:
            changed = place.rows("SELECT count(*) FROM moving_reading WHERE note <> ''")[0][0]
            assert changed == (0 if steps == 3 else ROWS)
        assert place.hash_of(OLD) == before
    assert kills >= 4

    done = subprocess.run(
        [sys.executable, "-c", UPGRADE], cwd=ROOT, env=place.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert place.hash_of(OLD) == before and _state(place) == (4, ROWS)
    wanted = (
        "SELECT id, kind, CAST(value AS TEXT) || ' ' || unit, kind || ':' || CAST(id AS TEXT) FROM screening_vitalsign"
    )
    assert place.hash_of("SELECT id, kind, said, note FROM moving_reading") == place.hash_of(wanted)
    kind = place.url.partition(":")[0]
    if kind == "sqlite":
        assert place.rows("PRAGMA integrity_check") == [("ok",)]
    write_figures(f"upgrade-{kind}", {"rows": ROWS, "kills": kills, "rows lost or changed": 0})


def test_before_an_upgrade_there_is_a_way_back(tmp_path: Path) -> None:
    place, file = _on_sqlite(tmp_path), tmp_path / FILE
    before = place.hash_of(OLD)
    for stamp in ("20200101-000000", "20200102-000000", "20200103-000000"):
        (tmp_path / "before-migration").mkdir(exist_ok=True)
        (tmp_path / f"before-migration/{stamp}.sqlite3").touch()
    (tmp_path / "before-migration/draft.part").write_text("of a copy that was killed")
    done = subprocess.run(
        [sys.executable, "-c", UPGRADE], cwd=ROOT, env=place.environment(), capture_output=True, text=True, check=False
    )
    assert "To go back: stop the server" in done.stderr and done.stdout.strip() == "True"
    copies = sorted((tmp_path / "before-migration").iterdir())
    assert len(copies) == 3 and copies[-1].stat().st_mode & 0o077 == 0
    shutil.copy(copies[-1], file)
    for end in ("-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)
    assert _state(place) == (1, 0) and place.hash_of(OLD) == before


def test_no_copy_is_made_where_none_is_wanted_or_nothing_is_there(tmp_path: Path) -> None:
    file = tmp_path / FILE
    place = Place(f"sqlite:///{file}", tmp_path, lambda: sqlite3.connect(file))
    run = [sys.executable, "-c", UPGRADE]
    first = subprocess.run(run, cwd=ROOT, env=place.environment(), capture_output=True, text=True, check=False)
    assert "To go back" not in first.stderr and not (tmp_path / "before-migration").exists()
    clinic = "from ketaclinic.people.models import Clinic; Clinic.objects.create(name='x', synthetic=True)"
    one_less = "from django.core.management import call_command; call_command('migrate', 'moving', '0003', verbosity=0)"
    program = f"import django; django.setup(); {clinic}; {one_less}"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=place.environment(), check=True)
    environment = {**place.environment(), "KETACLINIC_SAFETY_COPIES": "0"}
    again = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "To go back" not in again.stderr and not (tmp_path / "before-migration").exists()
