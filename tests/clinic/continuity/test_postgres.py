"""The same on PostgreSQL: one snapshot for dump and hashes, whole or not at all, and back to any minute."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dj_database_url
import psycopg
import pytest

from benchmarks.server import KETACLINIC
from ketaclinic.continuity.actions import postgres
from ketaclinic.continuity.actions.postgres import PostgresSnapshot, connect, is_empty
from ketacore.evidence import Refusal
from tests.clinic.continuity.test_backup import forged
from tests.support.ready import ready, without_ours
from tests.support.tree import ROOT
from tools.postgres import PORT, private_cluster, private_folder, run_program, running
from tools.postgres import cluster as kept_cluster

Rows = dict[str, set[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Yield the address of a cluster that has a small demo clinic in the database ``clinic``."""
    with kept_cluster(kept=ready("postgresql demo", _keep_demo)) as made:
        yield made.url


def _keep_demo(folder: Path) -> None:
    with kept_cluster() as made:
        done = _run(_database(made.url, "clinic"), folder / "var", "demo", "--patients", "12", "--json")
        assert done.returncode == 0, done.stderr
        made.copy_to(folder)


def _postgres(cluster: str) -> str:
    """Return the address of the database every cluster has."""
    return f"{cluster.rpartition('/')[0]}/postgres"


def _database(cluster: str, name: str) -> str:
    """Make an empty database and return its address."""
    with psycopg.connect(_postgres(cluster), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    return f"{cluster.rpartition('/')[0]}/{name}"


def _run(url: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**without_ours(os.environ), "DATABASE_URL": url, "KETACLINIC_DATA": str(folder)}
    command = [KETACLINIC, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def clinic_url(cluster: str) -> str:
    return f"{cluster.rpartition('/')[0]}/clinic"


@pytest.fixture(scope="module")
def key(clinic_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("key")
    assert _run(clinic_url, folder / "var", "backup", "keygen", "--to", str(folder / "k")).returncode == 0
    return folder / "k"


def _backup(url: str, folder: Path, key: Path, name: str = "b") -> Path:
    found = re.search(r"# public key: (age1\w+)", key.read_text())
    assert found is not None
    file = folder / f"{name}.kcbackup"
    done = _run(url, folder / "var", "backup", "--recipient", found[1], "--to", str(file))
    assert done.returncode == 0, done.stderr
    return file


def _restored(url: str, folder: Path, file: Path, key: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = ("restore", str(file), "--identity", str(key), "--into", url, "--adopt", *more)
    return _run("", folder / "new", *words)


def _rows(url: str) -> Rows:
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {t: {row[0] for row in connection.execute(f"SELECT t::text FROM {t} t")} for (t,) in tables}  # type: ignore[call-overload, misc]


def test_a_clinic_comes_back_as_it_was(cluster: str, clinic_url: str, key: Path, tmp_path: Path) -> None:
    url = _database(cluster, "comes_back")
    file = _backup(clinic_url, tmp_path, key)
    done = _restored(url, tmp_path, file, key, "--json")
    assert done.returncode == 0, done.stderr
    before, after = _rows(clinic_url), _rows(url)
    added = {"continuity_restoration", "audit_auditentry", "ketaclinic_wall"}
    assert {t for t in before if before[t] != after[t]} == added
    assert json.loads(done.stdout)["rows"] == sum(len(rows) for t, rows in before.items() if t != "django_session")
    again = _restored(url, tmp_path, file, key)
    assert again.returncode == 1 and "there is a clinic already in the database" in again.stderr
    assert _rows(url) == after
    sqlite = _run(
        "", tmp_path / "x", "restore", str(file), "--identity", str(key), "--into", str(tmp_path / "lite"), "--adopt"
    )
    assert sqlite.returncode == 1 and "made from postgresql" in sqlite.stderr


def test_a_lie_leaves_an_empty_database(cluster: str, clinic_url: str, key: Path, tmp_path: Path) -> None:
    url = _database(cluster, "lie")

    def fewer(name: str, data: bytes) -> tuple[str, bytes]:
        if name != "manifest.json":
            return name, data
        told = json.loads(data)
        told["tables"]["people_patient"]["rows"] += 1
        told["tables"]["no_such"] = told["tables"].pop("people_staff")
        return name, json.dumps(told).encode()

    lie = forged(_backup(clinic_url, tmp_path, key), key, tmp_path / "lie.kcbackup", fewer)
    done = _restored(url, tmp_path, lie, key)
    assert done.returncode == 1 and "people_patient" in done.stderr and "no_such: the table is missing" in done.stderr
    assert _rows(url) == {} and is_empty(dict(dj_database_url.parse(url)))

    def broken(name: str, data: bytes) -> tuple[str, bytes]:
        return name, b"PGDMP nonsense" if name.startswith("database.pgdump") else data

    lie = forged(_backup(clinic_url, tmp_path, key, "c"), key, tmp_path / "lie2.kcbackup", broken)
    done = _restored(url, tmp_path, lie, key)
    assert done.returncode == 1 and "Traceback" not in done.stderr and _rows(url) == {}
    assert _restored(url, tmp_path, _backup(clinic_url, tmp_path, key, "d"), key).returncode == 0


def test_what_a_killed_restore_left_is_taken_out(cluster: str, clinic_url: str, key: Path, tmp_path: Path) -> None:
    url = _database(cluster, "killed")
    told = dict(dj_database_url.parse(url))
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE left_over (n int)")
        connection.execute("CREATE FUNCTION left_behind() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    assert not is_empty(told)
    postgres.mark_under_way(told, True)
    assert is_empty(told) and is_empty(told)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_proc WHERE proname = 'left_behind'").fetchone() == (0,)
    assert _restored(url, tmp_path, _backup(clinic_url, tmp_path, key), key).returncode == 0


def test_dump_and_hashes_are_of_one_snapshot_while_others_write(
    cluster: str, clinic_url: str, key: Path, tmp_path: Path
) -> None:
    stop, pairs = threading.Event(), [0]

    def write() -> None:
        with psycopg.connect(clinic_url) as connection:
            connection.execute("CREATE TABLE load_left (n serial PRIMARY KEY, said text)")
            connection.execute("CREATE TABLE load_right (n serial PRIMARY KEY, said text)")
            connection.commit()
            while not stop.is_set():
                for side in ("left", "right"):
                    connection.execute(f"INSERT INTO load_{side} (said) VALUES ('x')")  # type: ignore[call-overload]
                connection.commit()
                pairs[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while pairs[0] < 50:
            time.sleep(0.01)
        before = pairs[0]
        file = _backup(clinic_url, tmp_path, key)
    finally:
        stop.set()
        writer.join()
    url = _database(cluster, "under_load")
    done = _restored(url, tmp_path, file, key)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(url) as connection:
        left, right = (connection.execute(f"SELECT count(*) FROM load_{s}").fetchone() for s in ("left", "right"))  # type: ignore[call-overload]
    assert left == right and left is not None and before <= left[0] < pairs[0]
    with psycopg.connect(clinic_url) as connection:
        connection.execute("DROP TABLE load_left, load_right")


def test_rows_that_are_hidden_from_a_role_are_refused_and_not_left_out(cluster: str) -> None:
    url = _database(cluster, "hidden")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE secret (n int); INSERT INTO secret VALUES (1), (2)")
        connection.execute("ALTER TABLE secret ENABLE ROW LEVEL SECURITY; CREATE ROLE reader LOGIN; ")
        connection.execute("GRANT SELECT ON secret TO reader; CREATE POLICY one ON secret USING (n = 1)")
    told = {**dj_database_url.parse(url), "USER": "reader"}
    snapshot = PostgresSnapshot(told)
    with pytest.raises(Refusal, match="row-level security hides rows of secret from this role"):
        snapshot.tally_all()
    snapshot.close()
    with pytest.raises(Refusal, match='role "nobody" does not exist'):
        connect({**told, "USER": "nobody"})
    full = PostgresSnapshot(dict(dj_database_url.parse(url)))
    full.tally_all()
    assert full.tallies["secret"].rows == 2
    full.close()


def test_client_programs_that_do_not_fit_are_named(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = dict(dj_database_url.parse(_database(cluster, "programs")))
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    snapshot = PostgresSnapshot(url)
    with pytest.raises(Refusal, match="pg_dump is of version 9, the server of version"):
        list(snapshot.members())
    old.unlink()
    with pytest.raises(Refusal, match="pg_dump is not installed"):
        list(snapshot.members())
    snapshot.close()
    assert connect(url).info.dbname == "programs"


def test_back_to_a_minute_before_a_mistake() -> None:
    """The commands of docs/guide/backup.md, for real: base backup, archive of the log, recovery to a moment."""
    with private_folder() as home:
        archive, base = home / "archive", home / "base"
        archive.mkdir()
        os.chown(archive, home.stat().st_uid, home.stat().st_gid)
        keep = f"-c wal_level=replica -c archive_mode=on -c archive_command='{_from_the_guide('archive', archive)}'"
        with private_cluster(keep) as url:
            host = url.split("@")[1].split(":")[0].replace("%2F", "/")
            with psycopg.connect(_postgres(url), autocommit=True) as connection:
                connection.execute("CREATE TABLE entry (said text)")
                connection.execute("INSERT INTO entry VALUES ('before the base backup')")
                options = ("--pgdata", str(base), "--host", host, "--port", str(PORT), "--username", "ketaclinic")
                run_program("pg_basebackup", *options, "--checkpoint=fast", "--wal-method=none", folder=home)
                connection.execute("INSERT INTO entry VALUES ('after it')")
                time.sleep(0.3)
                moment = connection.execute("SELECT now()").fetchone()
                time.sleep(0.3)
                connection.execute("DELETE FROM entry")
                switched = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
                assert moment is not None and switched is not None
                _wait_for(archive / switched[0])
        wanted: datetime = moment[0].astimezone(UTC)
        with (base / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = '{_from_the_guide('restore', archive)}'\n")
            settings.write(f"recovery_target_time = '{wanted:%Y-%m-%d %H:%M:%S.%f+00}'\n")
            settings.write("recovery_target_action = 'promote'\narchive_mode = off\n")
        (base / "recovery.signal").touch()
        os.chown(base / "recovery.signal", home.stat().st_uid, home.stat().st_gid)
        with running(base) as url, psycopg.connect(_postgres(url)) as connection:
            assert [row[0] for row in connection.execute("SELECT said FROM entry")] == [
                "before the base backup",
                "after it",
            ]


def _from_the_guide(what: str, archive: Path) -> str:
    """Return a command as the guide gives it; a copy that a stopped server left half done must not pass for whole."""
    found = re.search(rf"^{what}_command = '(.*)'$", (ROOT / "docs/guide/backup.md").read_text(), re.MULTILINE)
    assert found is not None
    return found[1].replace("/mnt/archive", str(archive))


def _wait_for(file: Path) -> None:
    end = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.1)
