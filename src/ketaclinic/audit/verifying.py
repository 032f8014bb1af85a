"""Does the log still say what was written? Walks every chain and holds it against the anchor.

Nothing here trusts the database: not its triggers, not its constraints, not the types of its columns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection

from ketaclinic.audit import anchor
from ketaclinic.audit.anchor import Point
from ketaclinic.audit.chain import FIELDS, TABLE, body_of, digest
from ketaclinic.audit.queries import chains

NEAR = 1_000
"""Entries looked at around a bad one, to tell what was done to it."""
CHUNK = 2_000
SHORTEST = 12
"""Hexadecimal digits of a hash that have to be copied from paper at least."""
PROGRESS_EVERY = 5_000

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as the database holds it now."""

    key: Any
    seq: Any
    previous_hash: Any
    hash: Any
    values: Sequence[Any]

    def hashed_as(self, seq: Any) -> str:
        """Return the hash this entry would have under a number."""
        return digest(self.previous_hash, seq, body_of(self.values))


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad row of a chain: its number, its key where it is there at all, and what was done."""

    clinic_id: int | None
    seq: Any
    key: Any
    kind: str
    says: str


@dataclass(slots=True)
class Chain:
    """One chain as it was found: how many entries, its first fault, and what has to be known about the answer."""

    clinic_id: int | None
    entries: int = 0
    fault: Fault | None = None
    notes: list[str] = field(default_factory=list)
    newest: Point | None = None


def verify_chain(clinic_id: int | None, given: Iterable[Point] = (), progress: Progress | None = None) -> Chain:
    """Walk one chain in the order of its numbers; ``given`` are points from paper or a copied file."""
    points = _Points(clinic_id, given)
    found = Chain(clinic_id)
    walk = _Walk(clinic_id, points)
    for row in rows_of(clinic_id):
        walk.step(row)
        if walk.fault is not None:
            break
        if progress is not None and walk.entries % PROGRESS_EVERY == 0:
            progress(PROGRESS_EVERY)
    walk.end()
    found.entries, found.fault, found.newest = walk.entries, walk.fault, walk.newest()
    if not points.known:
        found.notes.append("no anchor is known: a cut tail or a log rewritten as a whole could not be seen")
    return found


def first_faults(given: Sequence[Point] = ()) -> list[str]:
    """Walk every chain without regard to this machine's anchor, as after a restore; return the first faults in words.

    ``given`` are points from elsewhere. Only the entries that are there are held against them: a backup is older.
    """
    found = []
    for clinic_id in chains():
        walk = _Walk(clinic_id, _Points(clinic_id, given, anchored=False))
        for row in rows_of(clinic_id):
            walk.step(row)
            if walk.fault is not None:
                found.append(f"entry {walk.fault.seq}: {walk.fault.says}")
                break
    return found


def rows_of(clinic_id: int | None, after: Any = None) -> Iterator[Row]:
    """Yield the entries of a chain by number, a few at a time, with the values just as they are stored."""
    mine = "clinic_id IS NULL" if clinic_id is None else "clinic_id = %s"
    later = "" if after is None else " AND seq > %s"
    wanted = [value for value in (clinic_id, after) if value is not None]
    columns = ", ".join(("id", "seq", "previous_hash", "hash", *(_as_stored(name) for name in FIELDS)))
    query = f"SELECT {columns} FROM {TABLE} WHERE {mine}{later} ORDER BY seq, id"
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, wanted)
        while chunk := cursor.fetchmany(CHUNK):
            for key, seq, previous_hash, own_hash, *values in chunk:
                yield Row(key, seq, previous_hash, own_hash, values)


def _as_stored(name: str) -> str:
    """Return a column so that nobody translates it: SQLite keeps a moment as text, and may hold anything."""
    return f"CAST({name} AS TEXT)" if connection.vendor == "sqlite" and name in ("at", "written_late_at") else name


class _Points:
    """What is known from outside the database about one chain, by number."""

    def __init__(self, clinic_id: int | None, given: Iterable[Point], *, anchored: bool = True) -> None:
        head = anchor.heads().get(clinic_id) if anchored else None
        own = [*anchor.history(clinic_id), *([head] if head else [])] if anchored else []
        copied = [p for p in given if p.clinic_id == clinic_id and len(p.hash) >= SHORTEST]
        self.lost = anchored and anchor.is_kept() and head is None
        self.by_seq: dict[int, list[Point]] = {}
        for point in (*own, *copied):
            self.by_seq.setdefault(point.seq, []).append(point)
        self.newest = max(self.by_seq, default=0)
        self.head = head

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return bool(self.by_seq)

    def contradict(self, row: Row) -> Point | None:
        """Return a point that says another hash than the entry has."""
        points = self.by_seq.get(row.seq, ()) if isinstance(row.seq, int) else ()
        return next((p for p in points if not str(row.hash).startswith(p.hash)), None)


class _Walk:
    """The state of one walk: the last good entry, the last one the anchor vouched for, the first fault."""

    def __init__(self, clinic_id: int | None, points: _Points) -> None:
        self.clinic_id = clinic_id
        self.points = points
        self.fault: Fault | None = None
        self.entries = 0
        self.vouched = 0
        self.before: deque[Row] = deque(maxlen=NEAR)

    @property
    def last(self) -> Row | None:
        """The last good entry."""
        return self.before[-1] if self.before else None

    def step(self, row: Row) -> None:
        """Look at the next entry."""
        expected = self.last.seq + 1 if self.last else 1
        previous = self.last.hash if self.last else ""
        if row.seq != expected:
            self._out_of_count(row, expected)
        elif row.hashed_as(row.seq) != row.hash:
            self._unlike_its_hash(row)
        elif row.previous_hash != previous:
            self._unlinked(row)
        elif self.last and row.key <= self.last.key:
            self._bad(row.seq, row.key, "insertion", "its key is older than that of the entry before it")
        elif (point := self.points.contradict(row)) is not None:
            self._rewritten(row, point)
        else:
            self._good(row)

    def _good(self, row: Row) -> None:
        self.entries += 1
        self.before.append(row)
        if row.seq in self.points.by_seq:
            self.vouched = row.seq

    def end(self) -> None:
        """Hold the end of the chain against the anchor."""
        if self.fault is not None:
            return
        stands, anchored = (self.last.seq if self.last else 0), self.points.newest
        if stands < anchored:
            says = f"entries {stands + 1} to {anchored} are gone: the anchor holds entry {anchored}"
            self._bad(stands + 1, None, "tail cut", says)
        elif self.points.head is not None and stands > self.points.head.seq:
            self._unanchored(self.points.head.seq + 1)
        elif self.points.lost and stands:
            self._lost(self.vouched + 1)

    def newest(self) -> Point | None:
        """Return the last good entry as a point."""
        return Point(self.clinic_id, self.last.seq, self.last.hash) if self.last else None

    def _bad(self, seq: Any, key: Any, kind: str, says: str) -> None:
        self.fault = Fault(self.clinic_id, seq, key, kind, says)

    def _out_of_count(self, row: Row, expected: int) -> None:
        if isinstance(row.seq, int) and row.seq > expected:
            gone = f"entry {expected} is" if row.seq == expected + 1 else f"entries {expected} to {row.seq - 1} are"
            self._bad(expected, None, "deletion", f"{gone} missing")
        else:
            self._bad(row.seq, row.key, "insertion", "this number stands there a second time, or is none")

    def _unlike_its_hash(self, row: Row) -> None:
        """Tell an edited entry from one that was moved, by the number under which its hash is right."""
        nearby = (row.seq + step for distance in range(1, NEAR) for step in (distance, -distance))
        written_as = next((seq for seq in nearby if row.hashed_as(seq) == row.hash), None)
        if written_as is None:
            self._bad(row.seq, row.key, "edit", "its content is not what was hashed")
        elif written_as > row.seq:
            self._moved_up(row, written_as)
        else:
            self._moved_down(row, written_as)

    def _moved_up(self, row: Row, written_as: int) -> None:
        later = islice(rows_of(self.clinic_id, row.seq), NEAR)
        if any(other.hashed_as(row.seq) == other.hash for other in later):
            self._bad(row.seq, row.key, "reordering", f"it was written as entry {written_as}")
        else:
            says = f"{written_as - row.seq} entries before this one are gone: it was written as entry {written_as}"
            self._bad(row.seq, row.key, "deletion", says)

    def _moved_down(self, row: Row, written_as: int) -> None:
        """Entries were put in before this one: the first of them stands where this one was written."""
        put_in = next((other for other in self.before if other.seq == written_as), row)
        says = f"it was put in later: the entry written as {written_as} stands as {row.seq} now"
        self._bad(put_in.seq, put_in.key, "insertion", says)

    def _unlinked(self, row: Row) -> None:
        """Two neighbours, each right in itself, do not fit: the later one is real if its successor vouches for it."""
        following = next(rows_of(self.clinic_id, row.seq), None)
        vouched = following is None or following.previous_hash == row.hash
        if vouched and self.last is not None:
            self._bad(self.last.seq, self.last.key, "edit", "it was changed together with its hash")
        else:
            self._bad(row.seq, row.key, "edit", "it does not follow the entry before it")

    def _rewritten(self, row: Row, point: Point) -> None:
        first = self.vouched + 1
        between = f"entry {row.seq}" if first == row.seq else f"one of the entries {first} to {row.seq}"
        when = f" at {point.at}" if point.at else ""
        says = f"the log was rewritten from {between} on: the anchor saw another entry {row.seq}{when}"
        key = next((other.key for other in self.before if other.seq == first), row.key)
        self._bad(first, key, "rewrite", says)

    def _lost(self, first: int) -> None:
        key = next((row.key for row in self.before if row.seq == first), None)
        says = (
            f"the anchor of this log is gone: whether it was cut off or rewritten from entry {first} on cannot be seen"
        )
        self._bad(first, key, "anchor lost", says)

    def _unanchored(self, first: int) -> None:
        key = next((row.key for row in self.before if row.seq == first), None)
        stands = self.last.seq if self.last else 0
        says = (
            f"entries {first} to {stands} are not anchored: written past Ketaclinic, or the server ended before it "
            "could anchor them (then starting it anchors them)"
        )
        self._bad(first, key, "insertion", says)
