"""Backup and restore as docs/guide/postgresql.md sets PostgreSQL up: an owner of the tables, a role for the server."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.walled import Walled, unbuilt, walled
from tools.postgres import cluster

Rows = dict[str, set[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walled]:
    with walled(tmp_path_factory.mktemp("two") / "var", demo=True) as found:
        yield found


@pytest.fixture(scope="module")
def key(house: Walled) -> Path:
    file = house.data.parent / "clinic.key"
    assert house.command("backup", "keygen", "--to", str(file)).returncode == 0
    return file


@pytest.fixture(scope="module")
def backup(house: Walled, key: Path) -> Path:
    file = house.data.parent / "whole.kcbackup"
    done = _backed_up(house, key, file)
    assert done.returncode == 0, done.stderr
    kept = sum(len(rows) for table, rows in _rows(house).items() if table != "django_session")
    assert json.loads(done.stdout)["rows"] == kept
    return file


def _backed_up(house: Walled, key: Path, file: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    found = re.search(r"# public key: (age1\w+)", key.read_text())
    assert found is not None
    return house.command("backup", "--recipient", found[1], "--to", str(file), "--json", **settings)


def _restored(house: Walled, backup: Path, key: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return house.command("restore", str(backup), "--identity", str(key), "--json", *more)


def _rows(house: Walled) -> Rows:
    with psycopg.connect(house.superuser) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {t: {row[0] for row in connection.execute(f"SELECT t::text FROM {t} t")} for (t,) in tables}  # type: ignore[call-overload, misc]


def _wall(house: Walled) -> str:
    """Return what ``ketaclinic check`` says of the wall as the server finds it."""
    checks = json.loads(house.command("check", "--json").stdout)["checks"]
    return {check["name"]: str(check["says"]) for check in checks}["second wall"]


@pytest.mark.takes_long
def test_a_clinic_comes_back_where_the_roles_have_other_names(
    house: Walled, key: Path, backup: Path, tmp_path: Path
) -> None:
    with cluster() as elsewhere:
        new = unbuilt(elsewhere, tmp_path / "var", roles="new")
        done = _restored(new, backup, key)
        assert done.returncode == 0, done.stderr
        before, after = _rows(house), _rows(new)
        added = {"continuity_restoration", "audit_auditentry", "ketaclinic_wall"}
        assert {t for t in before if before[t] != after[t]} == added
        ready = new.command("database", "roles")
        assert ready.returncode == 0, ready.stderr
        assert _wall(new) == "every table answers for one clinic"


def test_the_wall_of_a_restored_clinic_is_sealed_with_the_key_that_came_with_it(
    house: Walled, key: Path, backup: Path, tmp_path: Path
) -> None:
    """Where the role of the server is there, a restore grants it what it needs: nothing is left to be done."""
    new = unbuilt(house.cluster, tmp_path / "var", "again")
    done = _restored(new, backup, key)
    assert done.returncode == 0, done.stderr
    assert (new.data / "secret-key").read_text() == (house.data / "secret-key").read_text()
    assert _wall(new) == "every table answers for one clinic"
    with psycopg.connect(new.superuser) as connection:
        connection.execute("DELETE FROM django_migrations WHERE app = 'treatment' AND name = '0003_written_on_paper'")
        connection.execute("DROP TABLE treatment_writtenonpaper")
    older = tmp_path / "older.kcbackup"
    assert _backed_up(new, key, older).returncode == 0
    newer = unbuilt(house.cluster, tmp_path / "newer", "newer")
    done = _restored(newer, older, key)
    assert done.returncode == 0 and json.loads(done.stdout)["migrated"] == 1, done.stderr
    assert _wall(newer) == "every table answers for one clinic"


def test_a_backup_that_cannot_be_made_says_why_and_leaves_nothing(house: Walled, key: Path, tmp_path: Path) -> None:
    as_server, nowhere = {"KETACLINIC_OWNER_URL": ""}, {"KETACLINIC_OWNER_URL": f"{house.owner}_not_there"}
    hidden, lost = (_backed_up(house, key, tmp_path / "b.kcbackup", **told) for told in (as_server, nowhere))
    assert hidden.returncode == lost.returncode == 1, hidden.stderr + lost.stderr
    assert "row-level security hides rows of access_invitation" in hidden.stderr
    assert 'database "clinic_not_there" does not exist' in lost.stderr
    assert "Traceback" not in hidden.stderr + lost.stderr and len(lost.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_into_leads_away_from_the_live_database(house: Walled, key: Path, backup: Path, tmp_path: Path) -> None:
    before = _rows(house)
    empty = unbuilt(house.cluster, tmp_path / "var", "empty")
    done = _restored(house, backup, key, "--into", empty.owner)
    assert done.returncode == 0, done.stderr
    assert _rows(empty)["people_patient"] == before["people_patient"] and _rows(house) == before
    lite = _restored(house, backup, key, "--into", str(tmp_path / "lite"))
    assert lite.returncode == 1 and "made from postgresql, and the target is sqlite" in lite.stderr
