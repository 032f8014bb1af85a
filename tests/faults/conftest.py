"""A real server that can be killed: on SQLite, or, where the run is PostgreSQL's, on a cluster that keeps its word."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Hand, Server
from tests.support.walled import walled
from tools.postgres import Cluster

POSTGRESQL = os.environ.get("DATABASE_URL", "").startswith("postgres")
DATABASE = "postgresql" if POSTGRESQL else "sqlite"
"""What figures call the database of this run."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server on a database of its own; ``cluster`` is PostgreSQL's."""

    server: Server
    cluster: Cluster | None


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Yield a server that has not been started, on the database this run of the tests is for."""
    with ExitStack() as stack:
        yield _place(stack, tmp_path / "var", workers=2)


def _place(stack: ExitStack, folder: Path, workers: int, **environment: str) -> Place:
    if not POSTGRESQL:
        place = Place(Server(folder, environment=environment), None)
    else:
        house = stack.enter_context(walled(folder, durable=True))
        owner = {"KETACLINIC_OWNER_URL": house.owner, **environment}
        server = Server(house.data, database_url=house.server, workers=workers, environment=owner)
        server.asked_at = house.superuser
        place = Place(server, house.cluster)
    stack.callback(place.server.kill)
    return place


@dataclass
class Clinic:
    """A server that runs, with one clinic in it."""

    server: Server
    seeded: dict[str, Any]

    def hand(self, role: str = "nurse", port: int | None = None) -> Hand:
        """Return the device of the clinic's only person in a role."""
        return self.server.sign_in(self.seeded["staff"][role], port)

    @property
    def session(self) -> int:
        """A treatment session in observation."""
        return int(self.seeded["sessions"]["1"])

    @property
    def patient(self) -> int:
        """A patient nothing has happened to yet."""
        return int(self.seeded["patients"][0])


Started = Callable[..., Clinic]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Return a function that starts a server with a seeded clinic; all of them are ended afterwards."""
    with ExitStack() as stack:

        def start(folder: Path | None = None, workers: int = 1, **environment: str) -> Clinic:
            server = _place(stack, folder or tmp_path / "var", workers, **environment).server
            server.migrate()
            seeded = server.inside("seed")
            server.start()
            return Clinic(server, seeded)

        yield start
