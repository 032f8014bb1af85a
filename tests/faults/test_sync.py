"""A reply leaves only when what it acknowledges is on disk: seen from the system calls of server and database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.conftest import DATABASE, POSTGRESQL
from tests.faults.trace import STRACE, read, unsynced_replies
from tests.support.figures import write_figures
from tests.support.server import Server
from tests.support.tree import ROOT
from tests.support.walled import walled

WRITES = 8
NOT_WAITING = {"DJANGO_SETTINGS_MODULE": "tests.support.unsynced", "PYTHONPATH": str(ROOT)}


@pytest.fixture(params=[True, False], ids=["durable", "not waiting for the disk"])
def traced(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, Path, bool]]:
    """Yield a server, the file its trace goes to, and whether it waits for the disk."""
    durable, trace = request.param, tmp_path / "trace"
    wrapper = (*STRACE, f"--output={trace}")
    with ExitStack() as stack:
        if POSTGRESQL:
            house = stack.enter_context(walled(tmp_path / "var", durable=durable))
            attached = tuple(f"--attach={pid}" for pid in house.cluster.family())
            owner = {"KETACLINIC_OWNER_URL": house.owner}
            server = Server(house.data, database_url=house.server, environment=owner, wrapper=(*wrapper, *attached))
        else:
            server = Server(tmp_path / "var", environment={} if durable else NOT_WAITING, wrapper=wrapper)
            server.migrate()
        stack.callback(server.kill)
        yield server, trace, durable


def test_a_reply_leaves_after_its_write_is_on_disk(traced: tuple[Server, Path, bool]) -> None:
    server, trace, durable = traced
    seeded = server.inside("seed")
    hand = server.sign_in(seeded["staff"]["nurse"])
    server.start()
    hand.get("/sign-in/")
    for number in range(WRITES):
        reply = hand.record(seeded["sessions"]["1"], systolic=120 + number, diastolic=75, heart_rate=70)
        assert reply.status == 200, reply.text
    server.stop()
    faults = unsynced_replies(read(trace), WRITES)
    if durable:
        assert faults == []
        write_figures(f"sync-{DATABASE}", {"replies_traced": WRITES, "before_the_sync": len(faults)})
    else:
        # Whoever does not wait writes the log later, so that some replies leave before anything was written at all.
        too_early = [fault for fault in faults if "left before a sync" in fault or "nothing was written" in fault]
        assert len(too_early) == WRITES, faults
