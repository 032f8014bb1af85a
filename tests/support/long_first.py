"""The longest tests begin first, one in each process: one that begins last keeps the other processes idle.

A pytest plugin. Each process of a run is handed its part of the list in one piece, so they stand at the front of those.
"""

from __future__ import annotations

import os

import pytest

MARK = "takes_long"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests marked as long at the front of each process's part."""
    items[:] = arranged(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def arranged(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """Return the tests in as many parts as there are processes, each with its share of the long ones first."""
    long = [item for item in items if item.get_closest_marker(MARK)]
    others = [item for item in items if not item.get_closest_marker(MARK)]
    placed: list[pytest.Item] = []
    for process in range(processes):
        mine = long[process::processes]
        end = len(items) * (process + 1) // processes
        room = end - len(placed) - len(mine)
        placed += [*mine, *others[:room]]
        del others[: max(room, 0)]
    return [*placed, *others]
