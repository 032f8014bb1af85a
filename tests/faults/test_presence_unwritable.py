"""Nothing can be written: whoever reads stays in, whoever leaves is locked out, and only they come back in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client

from ketaclinic.access import throttle, unwritten
from ketaclinic.access.models import FailedAttempt, Presence
from ketaclinic.audit.models import AuditEntry
from ketaclinic.audit.spool import spool
from ketaclinic.people.models import Staff
from tests.clinic.access.people import PASSWORD, is_in, sign_in, with_app
from tests.support.clock import Clock, install
from tests.support.people import NOON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real_sign_in]

READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
}


@contextmanager
def unwritable() -> Iterator[None]:
    """Let the database answer and take nothing."""
    refuse, take = READ_ONLY[connection.vendor]
    connection.cursor().execute(refuse)
    try:
        yield
    finally:
        connection.cursor().execute(take)


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    yield
    spool._waiting.clear()
    unwritten._kept.clear()
    throttle._unwritten.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return install(monkeypatch, NOON)


@pytest.fixture
def at_work(clock: Clock, nurse: Staff) -> Client:
    client = Client()
    sign_in(client, nurse, with_app(nurse, NOON.replace(hour=1)), clock.at)
    return client


def unlock(client: Client, password: str = PASSWORD) -> int:
    return client.post("/locked/?next=/account/", {"access-password": password}).status_code


def told(client: Client, *actions: str) -> list[tuple[str, bool]]:
    """Return what the log says once something is read again, and whether it was written late."""
    assert client.get("/patients/987654/").status_code == 404
    rows = AuditEntry.objects.filter(action__in=actions).order_by("seq")
    return [(row.action, row.written_late_at is not None) for row in rows]


def test_whoever_reads_on_stays_in(at_work: Client, clock: Clock) -> None:
    with unwritable():
        for _ in range(5):
            clock.pass_minutes(6)
            assert is_in(at_work)
    assert Presence.objects.get().last_active_at == NOON
    clock.pass_minutes(6)
    assert is_in(at_work)
    assert Presence.objects.get().last_active_at == clock.at


def test_whoever_leaves_is_locked_out_and_comes_back_with_their_password(at_work: Client, clock: Clock) -> None:
    with unwritable():
        clock.pass_minutes(10)
        assert at_work.get("/account/")["Location"].startswith("/locked/")
        assert at_work.get("/locked/").status_code == 200
        assert at_work.get("/here/state/").json()["locked"] is True
        assert unlock(at_work, "wrong") == 423
        assert unlock(at_work) == 302
        assert is_in(at_work)
        clock.pass_minutes(6)
        assert is_in(at_work)
    clock.pass_minutes(6)
    assert is_in(at_work), "what was known while nothing could be written is not forgotten"
    kept = Presence.objects.get()
    assert (kept.locked_at, kept.confirmed_at, kept.last_active_at) == (None, NOON.replace(minute=10), clock.at)
    assert told(at_work, "lock", "proof_failed", "unlock") == [("lock", True), ("proof_failed", True), ("unlock", True)]


def test_what_was_locked_before_is_opened_by_its_person(at_work: Client, clock: Clock) -> None:
    clock.pass_minutes(10)
    assert not is_in(at_work)
    with unwritable():
        assert unlock(at_work) == 302 and is_in(at_work)
    clock.pass_minutes(2)
    assert is_in(at_work)
    assert Presence.objects.get().locked_at is None
    assert told(at_work, "lock", "unlock") == [("lock", False), ("unlock", True)]


def test_a_screen_is_locked_by_hand(at_work: Client, clock: Clock) -> None:
    with unwritable():
        assert at_work.post("/locked/")["Location"] == "/locked/"
        assert not is_in(at_work)
    assert not is_in(at_work)
    assert unlock(at_work) == 302 and is_in(at_work)
    assert told(at_work, "lock", "unlock") == [("unlock", False), ("lock", True)], "each with its own moment"


def test_guessing_is_counted_all_the_same(at_work: Client, clock: Clock) -> None:
    with unwritable():
        clock.pass_minutes(10)
        assert [unlock(at_work, f"{n}") for n in range(12)] == [423] * 10 + [429] * 2
        assert unlock(at_work) == 429
        clock.pass_minutes(15)
        assert unlock(at_work) == 302
        clock.pass_minutes(10)
        assert [unlock(at_work, f"{n}") for n in range(11)] == [423] * 10 + [429]
    assert not FailedAttempt.objects.exists()


def test_what_another_worker_has_written_later_counts(at_work: Client, clock: Clock) -> None:
    with unwritable():
        clock.pass_minutes(6)
        assert is_in(at_work)
    clock.pass_minutes(1)
    Presence.objects.update(locked_at=clock.at)
    assert not is_in(at_work)
    assert not unwritten._kept
