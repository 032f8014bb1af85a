"""SQLite: everything of one moment as rows in words, and back.

One read transaction sees one moment however much is written beside it, and holds up no writer. The rows go out as
lines of JSON, so that the hash is of the very bytes that are kept, and no copy of the database ever lies on the disk.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ketaclinic.continuity.actions.packing import PIECE_BYTES, Member
from ketaclinic.continuity.actions.tally import UNKEPT, Tally
from ketacore.evidence import Refusal

_OBJECTS = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
_SEQUENCES = "sqlite_sequence"


def _hexadecimal(value: Any) -> dict[str, str]:
    return {"hex": bytes(value).hex()}


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_hexadecimal).encode


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class SqliteSnapshot:
    """One moment of a database file."""

    vendor = "sqlite"

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, isolation_level=None)
        self._connection.execute("BEGIN")
        self._objects = self.rows(_OBJECTS)  # the first read is the moment that is seen
        self.tables = {name: self._columns(name) for kind, name, _ in self._objects if kind == "table"}
        if self.rows(f"SELECT 1 FROM sqlite_master WHERE name = '{_SEQUENCES}'"):
            self.tables[_SEQUENCES] = self._columns(_SEQUENCES)
        self.tallies = {name: Tally() for name in self.tables if name not in UNKEPT}

    def _columns(self, table: str) -> tuple[str, ...]:
        return tuple(row[1] for row in self.rows(f"PRAGMA table_info({_quoted(table)})"))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds at this moment."""
        return self._connection.execute(sql).fetchall()

    def members(self) -> Iterator[Member]:
        """Yield the whole database, filling the tallies on the way."""
        yield "schema.json", json.dumps(self._objects).encode()
        for table, tally in self.tallies.items():
            for number, lines in enumerate(self._pieces(table, tally), 1):
                yield f"rows/{table}/{number:06}.jsonl.gz", gzip.compress(lines, 1, mtime=0)

    def tally_all(self) -> None:
        """Fill the tallies without keeping anything."""
        for table, tally in self.tallies.items():
            for _ in self._pieces(table, tally):
                pass

    def _pieces(self, table: str, tally: Tally) -> Iterator[bytes]:
        held, size = [], 0
        for row in self._connection.execute(f"SELECT * FROM {_quoted(table)}"):
            line = _encode(row).encode()
            tally.add(line)
            held.append(line)
            size += len(line)
            if size >= PIECE_BYTES:
                yield b"\n".join(held)
                held, size = [], 0
        if held:
            yield b"\n".join(held)

    def close(self) -> None:
        """Let the moment go."""
        self._connection.close()


class SqliteLoader:
    """Builds a database file from the members of a backup. It is not the clinic's until it is renamed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.touch(0o600)
        self._connection = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-64000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN")
        self._later: list[str] = []
        self._emptied = False

    def take(self, name: str, data: bytes) -> None:
        """Load one member."""
        if name == "schema.json":
            objects = json.loads(data)
            for sql in (sql for kind, _, sql in objects if kind == "table"):
                self._connection.execute(sql)
            self._later = [sql for kind, _, sql in objects if kind != "table"]
        elif name.startswith("rows/"):
            self._insert(name.split("/")[1], gzip.decompress(data))

    def _insert(self, table: str, lines: bytes) -> None:
        if table == _SEQUENCES and not self._emptied:
            self._connection.execute(f"DELETE FROM {_SEQUENCES}")
            self._emptied = True
        rows = json.loads(b"[" + lines.replace(b"\n", b",") + b"]")  # a line break inside a value is written as \\n
        if b'{"hex":' in lines:
            rows = [_values(row) for row in rows]
        self._connection.executemany(f"INSERT INTO {_quoted(table)} VALUES ({','.join('?' * len(rows[0]))})", rows)

    def finish(self) -> None:
        """Make indexes and triggers, and look whether the file is sound; raises ``Refusal`` where it is not."""
        for sql in self._later:
            self._connection.execute(sql)
        self._connection.execute("COMMIT")
        sound = self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        broken = self._connection.execute("PRAGMA foreign_key_check").fetchone()
        if sound != "ok" or broken:
            raise Refusal("Restoring", ["the database that came out is not sound"], "Use an older backup.")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.close()

    def close(self) -> None:
        """Let go of the file; whoever asked for it removes it."""
        self._connection.close()


def _values(row: list[Any]) -> list[Any]:
    return [bytes.fromhex(value["hex"]) if isinstance(value, dict) else value for value in row]
