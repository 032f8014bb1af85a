"""The hash chain: how an entry is written down as text, hashed, and put behind the one before it.

Each clinic has a chain of its own; what belongs to no clinic (an unknown account, the command line) stands in the
chain of the installation. The hash of an entry covers the hash before it, its number and every other column.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db import Error, connection

from ketaclinic.config.wall.standing import now, opened

FORMAT = "ketaclinic-audit-1"
FIELDS = (
    "clinic_id",
    "at",
    "written_late_at",
    "actor_kind",
    "actor_id",
    "actor_role",
    "action",
    "outcome",
    "patient_id",
    "object_type",
    "object_id",
    "fields",
    "reason",
    "route",
    "from_address",
    "device",
    "request_id",
)
"""Every column but the number, the two hashes and the database's own key, in the order in which they are hashed."""
TABLE = "audit_auditentry"

_encode = json.JSONEncoder(separators=(",", ":"), default=repr).encode  # repr: what somebody put there by force
_LOCK_BASE = 0x4155 << 48
_FILLS = ", ".join(["%s"] * len(FIELDS))
_COLUMNS = ", ".join((*FIELDS, "seq", "previous_hash", "hash"))
_HASHED = {
    "sqlite": "SHA256({0})",  # Django teaches SQLite this function
    "postgresql": "encode(sha256(convert_to({0}, 'UTF8')), 'hex')",
}


def moment(value: datetime | str | None) -> str | None:
    """Return a moment as it is hashed: UTC without the zone, as SQLite stores it; text is taken as it stands."""
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return value


def body_of(values: Sequence[Any]) -> str:
    """Return the text that is hashed of an entry's ``FIELDS``; unambiguous, the same on every database."""
    clinic_id, at, late_at, *rest = values
    return _encode([FORMAT, clinic_id, moment(at), moment(late_at), *rest])


def digest(previous_hash: str, seq: object, body: str) -> str:
    """Return the hash of an entry in hexadecimal digits."""
    return sha256(f"{previous_hash} {seq} {body}".encode()).hexdigest()


def append(values: Sequence[Any]) -> tuple[int, int, str, str]:
    """Write an entry behind the newest of its chain; return its key, number, previous hash and hash.

    One statement reads the head and writes behind it, so that outside a transaction it is one commit and inside one
    it costs one round trip. SQLite has one writer. On PostgreSQL a lock held to the end of the transaction keeps
    others of the same clinic from reading the same head.
    """
    clinic_id = values[0]
    at, late_at = (connection.ops.adapt_datetimefield_value(value) for value in values[1:3])
    of_clinic = [] if clinic_id is None else [clinic_id]
    with _chain_seen(clinic_id), connection.cursor() as cursor:
        postgres = connection.vendor == "postgresql"
        lock = [_LOCK_BASE + (clinic_id or 0)] if postgres else []
        cursor.execute(
            _statement(connection.vendor, clinic_id is None),
            [*lock, clinic_id, at, late_at, *values[3:], *of_clinic * 4, body_of(values)],
        )
        if postgres:
            cursor.nextset()
        ((key, seq, previous_hash, own_hash),) = cursor.fetchall()
    return key, seq, previous_hash, own_hash


def _chain_seen(clinic_id: int | None) -> AbstractContextManager[None]:
    """Let the log see its own chain, whoever acts: an entry of nobody's clinic, or one that was spooled, as well."""
    return nullcontext() if clinic_id is not None and clinic_id == now().clinic else opened(TABLE)


def _statement(vendor: str, installation: bool) -> str:
    mine = "clinic_id IS NULL" if installation else "clinic_id = %s"
    head = f"(SELECT {{0}} FROM {TABLE} WHERE {mine} ORDER BY seq DESC LIMIT 1)"
    seq, previous = f"COALESCE({head.format('seq')}, 0) + 1", f"COALESCE({head.format('hash')}, '')"
    hashed = _HASHED[vendor].format(f"{previous} || ' ' || CAST({seq} AS TEXT) || ' ' || %s")
    insert = (
        f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES ({_FILLS}, {seq}, {previous}, {hashed}) "
        "RETURNING id, seq, previous_hash, hash"
    )
    return f"SELECT pg_advisory_xact_lock(%s); {insert}" if vendor == "postgresql" else insert


_WAITING = {
    "sqlite": ("PRAGMA busy_timeout", "PRAGMA busy_timeout = {0}"),
    "postgresql": ("SHOW lock_timeout", "SET lock_timeout = '{0}'"),
}


@contextmanager
def patience(milliseconds: int) -> Iterator[None]:
    """Wait no longer than this for a locked database: whoever reads is not kept waiting for the log."""
    connection.ensure_connection()
    ask, put = _WAITING[connection.vendor]
    raw: Any = connection.connection
    with connection.wrap_database_errors:
        usual = raw.execute(ask).fetchone()[0]
        raw.execute(put.format(milliseconds))
    try:
        yield
    finally:
        with suppress(Error), connection.wrap_database_errors:  # one that broke meanwhile is closed, and tells why
            raw.execute(put.format(usual))


def hash_at(clinic_id: int | None, seq: int) -> str:
    """Return the hash that an entry of a chain has now; empty where there is none."""
    mine = ("clinic_id IS NULL", []) if clinic_id is None else ("clinic_id = %s", [clinic_id])
    with _chain_seen(clinic_id), connection.cursor() as cursor:
        cursor.execute(f"SELECT hash FROM {TABLE} WHERE {mine[0]} AND seq = %s", [*mine[1], seq])
        found = cursor.fetchone()
    return str(found[0]) if found else ""
