"""A database that is locked, full or failing: bounded waits, clear words, nothing half-written, no restart."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.faults.conftest import DATABASE, POSTGRESQL, Clinic, Started
from tests.support.figures import add_figures, write_figures
from tests.support.server import Ledger, new_key

WAIT_S = 1.5
VITALS = {"systolic": 128, "diastolic": 80}


@contextmanager
def locked(clinic: Clinic) -> Iterator[None]:
    """Hold what a write needs, from another process's connection."""
    if clinic.server.database_url:
        with psycopg.connect(clinic.server.asked_at) as connection:
            connection.execute("LOCK TABLE treatment_sessionevent, people_caregiver IN EXCLUSIVE MODE")
            yield
        return
    with closing(sqlite3.connect(clinic.server.file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def test_a_locked_database_is_waited_for_within_a_bound_and_then_works(started: Started) -> None:
    clinic = started(KETACLINIC_WRITE_WAIT_S=str(WAIT_S))
    hand, key = clinic.hand(), new_key()
    with locked(clinic):
        reply = hand.record(clinic.session, key, **VITALS)
        page = hand.post(f"/patients/{clinic.patient}/caregivers/new/", {"name": "Synthetic Carer"})
        assert hand.get("/treatment/floor/").status == 200, "reading goes on"
    assert reply.status == page.status == 503
    assert WAIT_S * 0.5 < reply.seconds < WAIT_S + 3
    write_figures(
        f"locked-{DATABASE}", {"longest_wait_s": round(max(reply.seconds, page.seconds), 1), "bound_s": WAIT_S}
    )
    assert reply.headers["Retry-After"] == "5" and reply.json["because"] == ["Nothing of what you sent was saved."]
    assert "send it again" in page.text
    again = hand.record(clinic.session, key, **VITALS)
    assert again.status == 200 and "Ketaclinic-Answer" not in again.headers
    assert clinic.server.rows("SELECT count(*) FROM people_caregiver") == [(0,)]


def test_a_lock_shorter_than_the_bound_is_not_noticed(started: Started) -> None:
    clinic = started()
    hand = clinic.hand()
    with ThreadPoolExecutor(1) as pool:
        with locked(clinic):
            waiting = pool.submit(hand.record, clinic.session, None, **VITALS)
            time.sleep(0.7)
            assert not waiting.done()
        assert waiting.result(20).status == 200


# ---- a full disk ---------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """Mount a disk of a few MB in memory."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_writes_and_nothing_else(started: Started, tmp_path: Path) -> None:
    """As root on a small disk of its own; otherwise with a bound on the size of the database's file."""
    if POSTGRESQL:
        _full_and_free_again(*_read_only_database(started()))
    elif os.geteuid() == 0:
        folder = tmp_path / "disk"
        with small_disk(folder, 16):
            clinic, filler = started(folder / "var"), folder / "filler"
            try:
                _full_and_free_again(clinic, lambda: _fill(filler), filler.unlink)
            finally:
                clinic.server.kill()
    else:
        _full_and_free_again(*_bounded_file(started()))


@pytest.mark.same_on_every_database
def test_a_file_that_may_not_grow_is_a_full_disk(started: Started) -> None:
    """The way that needs no root; PostgreSQL, whose files are not ours, is made read-only once more."""
    clinic = started()
    _full_and_free_again(*(_read_only_database(clinic) if POSTGRESQL else _bounded_file(clinic)))


Filled = tuple[Clinic, Callable[[], object], Callable[[], object]]


def _read_only_database(clinic: Clinic) -> Filled:
    """PostgreSQL refuses to write from one moment to the next, and takes it again."""

    def read_only(on: str) -> None:
        with psycopg.connect(clinic.server.asked_at, autocommit=True) as connection:
            connection.execute(f"ALTER ROLE kc_server SET default_transaction_read_only = {on}")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'kc_server'")

    return clinic, lambda: read_only("on"), lambda: read_only("off")


def _bounded_file(clinic: Clinic) -> Filled:
    """No file of the server's may grow beyond what the database has now."""

    def bound(most: str) -> None:
        for pid in subprocess.run(
            ["pgrep", "-g", str(clinic.server.pid)], capture_output=True, text=True, check=True
        ).stdout.split():
            subprocess.run(["prlimit", "--pid", pid, f"--fsize={most}"], check=True)

    size = max(file.stat().st_size for file in clinic.server.folder.glob("*.sqlite3*"))
    return clinic, lambda: bound(f"{size + 64 * 1024}:"), lambda: bound("unlimited:")


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return


def _full_and_free_again(clinic: Clinic, fill: Callable[[], object], free: Callable[[], object]) -> None:
    hand, ledger, key = clinic.hand(), Ledger(), new_key()
    first = ledger.send(hand, clinic.session, **VITALS)
    assert first is not None and first.status == 200
    fill()
    refused = []
    for _ in range(400):
        reply = ledger.send(hand, clinic.session, key, **VITALS)
        assert reply is not None
        if reply.status != 200:
            refused.append(reply)
            break
        key = new_key()
    assert [r.status for r in refused] == [507]
    assert "Nothing of what you sent was saved" in refused[0].json["because"][0]
    carer = f"/patients/{clinic.patient}/caregivers/new/"
    fitted = 0  # what is smaller may still go into the room that was too little
    while (page := hand.post(carer, {"name": f"Synthetic Carer {fitted}"})).status == 302 and fitted < 50:
        fitted += 1
    assert page.status == 507 and "Nothing can be saved at the moment" in page.text
    for path in ("/treatment/floor/", f"/treatment/session/{clinic.session}/", f"/patients/{clinic.patient}/"):
        shown = hand.get(path)
        assert shown.status == 200 and "NOTHING CAN BE SAVED" in shown.text, f"{path}: {clinic.server.told()[-3000:]}"
    free()
    again = ledger.send(hand, clinic.session, key, **VITALS)
    assert again is not None and again.status == 200, "the same key works without a restart"
    assert "NOTHING CAN BE SAVED" not in hand.get("/treatment/floor/").text
    lost = ledger.lost(clinic.server)
    assert lost == set() and clinic.server.sound()
    assert clinic.server.rows("SELECT count(*) FROM people_caregiver") == [(fitted,)]
    add_figures("disk-full", {"refused": len([*refused, page]), "lost": len(lost)})


def test_the_warning_goes_by_itself_when_nobody_writes(started: Started) -> None:
    clinic = started()
    (clinic.server.folder / "writing-fails").touch()
    hand = clinic.hand()
    until = time.monotonic() + 20
    while "NOTHING CAN BE SAVED" in hand.get("/treatment/floor/").text:
        assert time.monotonic() < until
        time.sleep(0.5)
    assert not (clinic.server.folder / "writing-fails").exists()


# ---- a disk that fails now and then --------------------------------------------------------------------------------


def test_a_disk_that_fails_now_and_then_loses_no_acknowledged_write(started: Started) -> None:
    faults = ("fiu-run", "-x", "-c", "enable_random name=posix/io/sync/*,probability=0.05")
    clinic = started()
    clinic.server.stop()
    clinic.server.wrapper = faults
    _start_until_it_runs(clinic)
    hand, ledger, answers = clinic.hand(), Ledger(), []
    hand.timeout = 10
    for _ in range(100):
        reply = ledger.send(hand, clinic.session, **VITALS)
        answers.append(reply.status if reply else 0)
    assert set(answers) <= {200, 503, 507}, sorted(set(answers))
    clinic.server.kill()
    clinic.server.wrapper = ()
    clinic.server.start()
    lost = ledger.lost(clinic.server)
    assert ledger.acknowledged and lost == set()
    if not clinic.server.database_url:
        assert 507 in answers, "no fault was met"
    assert clinic.server.sound()
    failed = len(answers) - answers.count(200)
    add_figures("disk-failing", {"sent": len(answers), "not_acknowledged": failed, "lost": len(lost)})


def _start_until_it_runs(clinic: Clinic) -> None:
    """Starting writes too, and may meet a fault itself."""
    for _ in range(5):
        try:
            clinic.server.start()
        except RuntimeError:
            clinic.server.kill()
        else:
            return
    pytest.fail(clinic.server.told())
