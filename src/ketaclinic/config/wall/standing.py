"""Who asks the database: kept for the running request, told to its connection, taken back at the end.

A connection that is opened or taken from the pool in the middle of a request is told as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, models

from ketaclinic.config.wall.seal import CLINIC, OPENED, USER, sealed


@dataclass(frozen=True, slots=True)
class Standing:
    """For which clinic and user the database answers, and which tables stand open beside them."""

    clinic: int | None = None
    user: int | None = None
    opened: frozenset[str] = frozenset()


NOBODY = Standing()
_standing: ContextVar[Standing] = ContextVar("ketaclinic_standing", default=NOBODY)
_TELL = "SELECT set_config(%s, %s, false), set_config(%s, %s, false), set_config(%s, %s, false)"


def now() -> Standing:
    """Return who asks at this moment."""
    return _standing.get()


def let_in(*, user: int | None = None, clinic: int | None = None) -> None:
    """From here to the end of the request the database answers for this user, or for this clinic."""
    before = now()
    _take(replace(before, user=user or before.user, clinic=clinic or before.clinic))


def send_away() -> None:
    """End of a request: the database answers for nobody. A connection that cannot be told is given up."""
    try:
        _take(NOBODY)
    except Exception:  # noqa: BLE001  whatever is wrong with it: nobody may find it as it is
        connection.close()


@contextmanager
def within(clinic: int) -> Iterator[None]:
    """Answer for this clinic inside the block: for work that no request of a member of staff stands behind."""
    with _standing_as(replace(now(), clinic=clinic)):
        yield


@contextmanager
def opened(*tables: type[models.Model] | str) -> Iterator[None]:
    """Answer from all rows of these tables inside the block, to find by a name or a secret whose clinic it is.

    Keep the block to the one query that looks, and look for one row by something only its owner can know.
    """
    names = {table if isinstance(table, str) else table._meta.db_table for table in tables}
    with _standing_as(replace(now(), opened=now().opened | names)):
        yield


@contextmanager
def _standing_as(standing: Standing) -> Iterator[None]:
    before = now()
    _take(standing)
    try:
        yield
    finally:
        _take(before)


def _take(standing: Standing) -> None:
    _standing.set(standing)
    if connection.vendor == "postgresql" and connection.connection is not None:
        tell(connection.connection, standing)


def tell(raw: Any, standing: Standing) -> None:
    """Tell a connection of psycopg who asks.

    In a transaction that has failed nothing can be told, and need not be: its rollback takes back what it was told.
    """
    from psycopg.pq import TransactionStatus

    if raw.info.transaction_status == TransactionStatus.INERROR:
        return
    told = {
        CLINIC: str(standing.clinic or ""),
        USER: str(standing.user or ""),
        OPENED: ",".join(sorted(standing.opened)),
    }
    raw.execute(_TELL, [part for name, value in told.items() for part in (name, sealed(name, value))])


def forget(raw: Any) -> None:
    """Empty a connection on its way back into the pool, whatever its last user left undone."""
    tell(raw, NOBODY)
    raw.commit()


def greet(connection: Any, **_: object) -> None:
    """Tell a connection that was opened just now; Django calls this."""
    if connection.vendor == "postgresql" and now() != NOBODY:
        tell(connection.connection, now())
