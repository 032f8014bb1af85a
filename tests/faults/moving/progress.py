"""Telling how far the upgrade is, outside of its transaction, so that it can be killed in the middle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROWS, CHUNK = 100_000, 4_000


def reached(step: str) -> None:
    """Note that the upgrade has come so far."""
    file = os.environ.get("MOVING_PROGRESS")
    if file:
        with Path(file).open("a") as handle:
            handle.write(step + "\n")


def chunks(name: str, first: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of keys, telling before each."""
    for number, start in enumerate(range(first, first + ROWS, CHUNK)):
        reached(f"{name} {number}")
        yield start, start + CHUNK - 1
