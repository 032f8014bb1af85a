"""``kill -9`` at random moments under load: what was acknowledged is there, exactly once, and the server comes back."""

from __future__ import annotations

import os
import random
import re
import time

import pytest

from tests.faults.clients import Books, Client, found, mark
from tests.faults.conftest import DATABASE, Place
from tests.support.figures import write_figures
from tests.support.server import Hand

KILLS = 30
KILLS_OF_POSTGRESQL = 4
CLIENTS = 4
BACK_WITHIN_S = 30
MINUTE = re.compile(r'id="chair-(\d+)".*?minute </span>(\d+)', re.DOTALL)


def _seed() -> int:
    """Return a fresh seed, or the one to repeat a run with."""
    return int(os.environ.get("KETACLINIC_SEED") or random.SystemRandom().randrange(1_000_000))


def _clients(place: Place, books: Books, seed: int) -> list[Client]:
    seeded = place.server.inside("seed")
    nurse = place.server.sign_in(seeded["staff"]["nurse"])
    desk = place.server.sign_in(seeded["staff"]["front_desk"])
    nurse.timeout = desk.timeout = 20
    return [Client(books, nurse, desk, seeded["sessions"][str(n + 1)], seed + n) for n in range(CLIENTS)]


def _kill(place: Place, number: int) -> float:
    """Kill the server, every few times PostgreSQL with it; return the seconds until the server answers again."""
    if place.cluster is not None and number % (KILLS // KILLS_OF_POSTGRESQL) == 1:
        place.cluster.kill()
        place.server.kill()
        place.cluster.start()
    else:
        place.server.kill()
    begun = time.monotonic()
    place.server.start()
    return time.monotonic() - begun


@pytest.mark.takes_long
def test_no_acknowledged_write_is_lost_or_doubled(place: Place) -> None:
    seed = _seed()
    draw = random.Random(seed)
    place.server.migrate()
    place.server.start()
    books = Books()
    clients = _clients(place, books, seed)
    began = _began(clients[0].nurse)
    for client in clients:
        client.start()
    seconds, under_load = [], 0
    for number in range(KILLS):
        time.sleep(draw.uniform(0.1, 1.0))
        under_load += bool(books.in_flight)
        seconds.append(_kill(place, number))
    _stop(clients)

    kept = found(place.server)
    acknowledged = [mark(intent) for intent in books.acknowledged()]
    lost = [name for name in acknowledged if kept[name] == 0]
    doubled = [mark(intent) for intent in books.intents if kept[mark(intent)] > 1]
    write_figures(
        f"kill-{DATABASE}",
        {
            "kills": KILLS,
            "of_them_with_the_database": KILLS_OF_POSTGRESQL if place.cluster else 0,
            "under_load": under_load,
            "acknowledged": len(acknowledged),
            "kept": sum(kept[name] > 0 for name in acknowledged),
            "lost": len(lost),
            "doubled": len(doubled),
            "repeated": books.repeated,
            "back_within_s": round(max(seconds), 1),
        },
    )
    told = f"seed {seed}: {len(acknowledged)} acknowledged, {books.repeated} repeated, {dict(books.broken)}"
    assert (lost, doubled) == ([], []), told
    assert all(intent.acknowledged for intent in books.intents), told
    assert len(acknowledged) > KILLS and under_load > KILLS // 2 and books.repeated > 0, told
    assert max(seconds) < BACK_WITHIN_S, told
    assert place.server.sound()
    assert {chair: abs(at - began[chair]) < 2 for chair, at in _began(clients[0].nurse).items()} == dict.fromkeys(
        began, True
    ), "the minutes of the floor board do not come from stored times"
    assert len(began) >= 4


def _stop(clients: list[Client]) -> None:
    """Let every client bring home what it has begun."""
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(120)
        assert not client.is_alive()


def _began(hand: Hand) -> dict[int, float]:
    """Return at which moment each dose was given, from the minute that the floor board counts: nothing but stored."""
    page, at = hand.get("/treatment/floor/").text, time.time() / 60
    return {int(chair): at - int(minute) for chair, minute in MINUTE.findall(page)}
