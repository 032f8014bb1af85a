"""The server's secret key: made once, kept in the data folder, readable by its owner only."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path


def secret_key(folder: Path) -> str:
    """Return the key in ``folder/secret-key``, making it on first use.

    The environment variable ``KETACLINIC_SECRET_KEY`` goes before the file. Several processes that start together
    on a new folder get the same key, and a file left empty by a machine that stopped while writing is filled.
    """
    given = os.environ.get("KETACLINIC_SECRET_KEY")
    if given:
        return given
    file = folder / "secret-key"
    return _kept(file) or _made(file)


def _kept(file: Path) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


def _made(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # held until the file is closed
        kept = handle.read()
        if kept:
            return kept
        key = secrets.token_urlsafe(50)
        handle.write(key)
        handle.flush()
        os.fsync(handle.fileno())
        return key
