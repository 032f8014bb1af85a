"""The newest hash of every chain, kept outside the database.

Whoever rewrites or cuts the log in the database cannot make it agree with what stands here. For each chain there is
a head file, moved forward after every commit, and a history that is only added to: one line an hour and one for every
``EVERY`` entries. Each line: clinic (``-``: the installation), number, hash, moment, note.

The head is there before the first entry is. A chain without one has lost it, so nothing puts it back unasked but a
server that still holds the file open: what was cut off meanwhile could not be told from what never was.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from django.conf import settings
from django.db import DatabaseError

from ketaclinic.audit import chain

EVERY = 256
"""Entries between two lines of the history at most: how closely a rewrite can be dated."""
HOUR, MINUTE = 3600, 60
WIDTH = 160
START = "start"
"""Stands for the hash where a head is at number 0: before the first entry."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Point:
    """What one line says: at some moment this entry of this chain had this hash."""

    clinic_id: int | None
    seq: int
    hash: str
    at: str = ""
    note: str = ""

    def line(self) -> str:
        """Return the point as a line of text."""
        return f"{name_of(self.clinic_id)} {self.seq} {self.hash} {self.at} {self.note}".rstrip() + "\n"


def name_of(clinic_id: int | None) -> str:
    """Return how a chain is called in files and on paper."""
    return "-" if clinic_id is None else str(clinic_id)


def point_from(line: str) -> Point | None:
    """Return the point of a line, or ``None`` for anything else."""
    words = line.split()
    if len(words) < 3 or not words[1].isdecimal() or not (words[0] == "-" or words[0].isdecimal()):
        return None
    clinic_id = None if words[0] == "-" else int(words[0])
    return Point(clinic_id, int(words[1]), words[2].lower(), " ".join(words[3:4]), " ".join(words[4:]))


def _standing(file: int) -> Point | None:
    return point_from(os.pread(file, WIDTH, 0).decode("ascii", "replace"))


class _Head:
    """The head file of one chain, kept open by this process."""

    def __init__(self, folder: Path, clinic_id: int | None) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.clinic_id = clinic_id
        self.file = os.open(folder / f"{_stem(clinic_id)}.head", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.history = folder / f"{_stem(clinic_id)}.history"
        self.synced = self.told = 0.0
        self.broken = ""

    @property
    def gone(self) -> bool:
        """Whether somebody removed the file under this process."""
        return os.fstat(self.file).st_nlink == 0

    def last(self) -> Point | None:
        """Close a file that was removed, and return where the head stood in it."""
        try:
            return _standing(self.file)
        finally:
            os.close(self.file)

    @contextmanager
    def held(self) -> Iterator[Point | None]:
        """Keep every other process out, and yield where the head stands."""
        fcntl.flock(self.file, fcntl.LOCK_EX)
        try:
            yield _standing(self.file)
        finally:
            fcntl.flock(self.file, fcntl.LOCK_UN)

    def put(self, point: Point, note: str = "") -> None:
        """Write the head, and a line of history where one is due."""
        os.pwrite(self.file, point.line().rstrip().ljust(WIDTH - 1).encode("ascii") + b"\n", 0)
        now = time.monotonic()
        if note or point.seq % EVERY == 0 or now - self.told >= HOUR:
            self.add(Point(point.clinic_id, point.seq, point.hash, point.at, note))
            self.told = now
        if note or now - self.synced >= MINUTE:
            os.fsync(self.file)
            self.synced = now

    def add(self, point: Point) -> None:
        """Add a line to the history; it is on the disk before this returns."""
        file = os.open(self.history, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, point.line().encode("ascii", "replace"))
            os.fsync(file)
        finally:
            os.close(file)


_open: dict[tuple[Path, int | None], _Head] = {}
_one_thread = Lock()


def _stem(clinic_id: int | None) -> str:
    return "installation" if clinic_id is None else f"clinic-{clinic_id}"


def _head(folder: Path, clinic_id: int | None) -> _Head:
    head = _open.get((folder, clinic_id))
    if head is not None and not head.gone:
        return head
    fresh = _open[folder, clinic_id] = _Head(folder, clinic_id)
    if head is not None:
        left = head.last()
        with fresh.held() as standing:
            if standing is None and left is not None:
                fresh.put(left, "put back, the file was removed")
    return fresh


def begin(clinic_id: int | None, at: str = "") -> None:
    """Put the head of a chain before its first entry, which is about to be committed; never raises, as ``advance``."""
    folder: Path | None = settings.AUDIT_ANCHOR
    if folder is None:
        return
    _safely(clinic_id, lambda: _begin(_head(folder, clinic_id), at))


def _begin(head: _Head, at: str) -> bool:
    with head.held() as standing:
        if standing is None:
            head.put(Point(head.clinic_id, 0, START, at), "begins")
    return True


def _safely(clinic_id: int | None, deed: Callable[[], bool]) -> bool:
    """Do something to a head, one thread at a time; where that cannot be, say so and return ``False``."""
    try:
        with _one_thread:
            return deed()
    except (OSError, DatabaseError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        logger.error("the audit anchor of chain %s was not moved: %s", name_of(clinic_id), why)
        return False


def advance(point: Point, previous_hash: str = "", note: str = "") -> bool:
    """Move the head of a chain to an entry that was committed; return whether the anchor agrees with the database.

    The entry must follow the anchored one, or the database must still hold the anchored one: otherwise entries were
    cut off or rewritten, or the head was lost, and it stays where it is, so that ``verify`` finds the fault. Never
    raises for a file that cannot be written: what it speaks of is committed already.
    """
    folder: Path | None = settings.AUDIT_ANCHOR
    if folder is None:
        return True
    return _safely(point.clinic_id, lambda: _advance(_head(folder, point.clinic_id), point, previous_hash, note))


def _advance(head: _Head, point: Point, previous_hash: str, note: str) -> bool:
    with head.held() as standing:
        if standing is None:
            _tell_lost(head)
            return False
        if standing.seq + 1 == point.seq and standing.hash == (previous_hash or START):
            head.put(point, note)
        elif standing.seq and chain.hash_at(point.clinic_id, standing.seq) != standing.hash:
            _tell_broken(head, standing, point.at)
            return False
        elif standing.seq < point.seq:
            head.put(point, note)
    return True


def _tell_lost(head: _Head) -> None:
    if not head.broken:
        head.broken = "lost"
        logger.error("the audit anchor of chain %s is gone; run: ketaclinic audit verify", name_of(head.clinic_id))


def _tell_broken(head: _Head, standing: Point, at: str) -> None:
    if head.broken != standing.hash:
        head.broken = standing.hash
        head.add(Point(standing.clinic_id, standing.seq, standing.hash, at, "broken"))
    logger.error(
        "the audit log of chain %s no longer holds its anchored entry %s; run: ketaclinic audit verify",
        name_of(standing.clinic_id),
        standing.seq,
    )


def accept(point: Point, note: str) -> None:
    """Put the head where the database stands now, whatever stood there: after a restore, told in the history."""
    folder: Path | None = settings.AUDIT_ANCHOR
    if folder is not None:
        with _one_thread:
            head = _head(folder, point.clinic_id)
            with head.held():
                head.put(point, f"accepted {note}".strip())


def is_kept() -> bool:
    """Return whether this installation keeps an anchor at all; only tests do not."""
    return settings.AUDIT_ANCHOR is not None


def heads() -> dict[int | None, Point]:
    """Return where the head of every anchored chain stands."""
    return {point.clinic_id: point for file in _files("*.head") for point in _points(file)}


def history(clinic_id: int | None) -> list[Point]:
    """Return the points of a chain's history that still hold, by number."""
    return still_holding(point for file in _files(f"{_stem(clinic_id)}.history") for point in _points(file))


def still_holding(points: Iterable[Point]) -> list[Point]:
    """Return the points that hold among those of one file, by chain and number; what a restore took back does not."""
    standing: dict[tuple[str, int], Point] = {}
    for point in points:
        chain_name = name_of(point.clinic_id)
        if point.note.startswith("accepted"):
            standing = {(name, seq): p for (name, seq), p in standing.items() if name != chain_name or seq < point.seq}
        standing.setdefault((chain_name, point.seq), point)
    return [standing[key] for key in sorted(standing)]


def points_in(text: str) -> list[Point]:
    """Return the points of a file that was printed or copied earlier."""
    return [point for line in text.splitlines() if (point := point_from(line)) is not None]


def _files(pattern: str) -> list[Path]:
    folder: Path | None = settings.AUDIT_ANCHOR
    return sorted(folder.glob(pattern)) if folder is not None and folder.is_dir() else []


def _points(file: Path) -> list[Point]:
    with file.open(encoding="ascii", errors="replace") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        return points_in(handle.read())


def written(at: datetime) -> str:
    """Return a moment as files and paper hold it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
