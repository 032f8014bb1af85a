"""When the database cannot write: which kind of trouble it is, and whether it is over.

``BUSY`` passes by itself (somebody else holds a lock, the connection broke): the write is tried again.
``STORAGE`` does not (full disk, failing disk, read-only): people are told on every page until a write succeeds.
"""

from __future__ import annotations

import errno
import time
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction

from ketaclinic.config.causes import causes_of

CHECK_AGAIN_S = 5.0
"""While writing fails, how often a page may try whether it works again."""


class Trouble(StrEnum):
    """Why a write did not happen."""

    BUSY = "busy"
    STORAGE = "storage"


_SQLITE = {5: Trouble.BUSY, 6: Trouble.BUSY, **dict.fromkeys((8, 10, 13, 14), Trouble.STORAGE)}
"""Primary result codes: BUSY, LOCKED; READONLY, IOERR, FULL, CANTOPEN."""
_POSTGRES_STORAGE = ("53100", "58030", "25006")
"""disk_full, io_error, read_only_sql_transaction."""
_POSTGRES_BUSY = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300", "08")
"""serialization_failure, deadlock_detected, lock_not_available, shutdown, too_many_connections, connection broken."""
_SYSTEM_STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG)


def trouble_of(error: BaseException | None) -> Trouble | None:
    """Return what kind of trouble an error tells of, ``None`` for a fault of the program."""
    return next((found for cause in causes_of(error) if (found := _kind(cause)) is not None), None)


def _kind(error: BaseException) -> Trouble | None:
    code: Any = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & 0xFF)
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _of_state(state)
    if isinstance(error, OSError) and error.errno in _SYSTEM_STORAGE:
        return Trouble.STORAGE
    module = type(error).__module__.split(".")[0]
    # psycopg gives no state where no server answered: a pool without a free connection, a broken socket.
    return Trouble.BUSY if module in ("psycopg", "psycopg_pool") and _no_answer(error) else None


def _of_state(state: str) -> Trouble | None:
    if state.startswith(_POSTGRES_STORAGE):
        return Trouble.STORAGE
    return Trouble.BUSY if state.startswith(_POSTGRES_BUSY) else None


def _no_answer(error: BaseException) -> bool:
    return any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)


class Standing:
    """Whether writing fails at present. Known to this process, and to its neighbours through an empty file.

    An empty file can be made and removed on a full disk; on a read-only one each process finds out by itself.
    """

    def __init__(self) -> None:
        self._here = False
        self._checked_at = 0.0

    @property
    def _file(self) -> Path:
        return Path(settings.DATA) / "writing-fails"

    def begins(self) -> None:
        """Note that a write failed for want of a working disk."""
        self._here, self._checked_at = True, time.monotonic()
        try:
            self._file.touch()
        except OSError:
            return

    def ends(self) -> None:
        """Note that a write succeeded."""
        if not self._here and not self._file.exists():
            return
        self._here = False
        try:
            self._file.unlink(missing_ok=True)
        except OSError:
            return

    def lasts(self) -> bool:
        """Return whether writing still fails; now and then this tries a write of its own."""
        if not self._here and not self._file.exists():
            return False
        if time.monotonic() - self._checked_at < CHECK_AGAIN_S:
            return True
        self._checked_at = time.monotonic()
        if _writing_works():
            self.ends()
            return False
        return True


def _writing_works() -> bool:
    from ketaclinic.record.models import WriteTrial

    if connection.in_atomic_block:
        return False  # inside somebody's transaction nothing can be tried without risk to it
    try:
        with transaction.atomic():
            WriteTrial(pk=1).save()
    except (Error, OSError):
        return False
    return True


standing = Standing()
