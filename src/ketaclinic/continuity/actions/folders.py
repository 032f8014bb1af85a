"""Where a backup comes from and where a restore goes to: the database of the settings and the data folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings

from ketaclinic.continuity.actions.manifest import Snapshot
from ketaclinic.continuity.actions.packing import Member, numbered
from ketaclinic.continuity.actions.sealed import CHUNK_BYTES
from ketaclinic.continuity.actions.sqlite import SqliteSnapshot
from ketacore.evidence import Refusal

INSTALLATION = "installation-id"
STAGING = "restoring-"
SUFFIX, PART = ".kcbackup", ".part"
"""How a backup is called, and what is put behind that while it is being written."""
MADE_AGAIN = (
    "backups",
    "before-migration",
    "downtime",
    "static",
    "static.stamp",
    "writing-fails",
    INSTALLATION,
)
"""What stands in the data folder and is not backed up: made anew, or worth nothing elsewhere. No backup is either."""


def database_settings() -> dict[str, Any]:
    """Return the database of the settings."""
    found: dict[str, Any] = settings.DATABASES["default"]
    return found


def is_sqlite() -> bool:
    """Return whether the clinic's database is a file."""
    return bool(database_settings()["ENGINE"] == "django.db.backends.sqlite3")


def database_file() -> Path:
    """Return the file of a SQLite database."""
    return Path(database_settings()["NAME"])


def installation_id(folder: Path) -> str:
    """Return what tells this installation from every other, drawn on first use."""
    file = folder / INSTALLATION
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(uuid4().hex)
    return file.read_text().strip()


def snapshot_now() -> Snapshot:
    """Return the database as it stands at this moment; raises ``Refusal`` where there is none."""
    if not is_sqlite():
        from ketaclinic.continuity.actions.postgres import PostgresSnapshot  # its driver takes a third of a second

        return PostgresSnapshot(database_settings())
    if not database_file().exists():
        raise Refusal("Backing up", ["there is no database yet"], "Run: ketaclinic serve, or: ketaclinic restore.")
    return SqliteSnapshot(database_file())


def kept_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield everything else in the data folder that a restored clinic needs: uploads, the anchors of the audit log."""
    database = database_file() if is_sqlite() else None
    beside = {f"{database.name}{end}" for end in ("", "-wal", "-shm", "-journal")} if database else set()
    for file in sorted(folder.rglob("*")):
        first = file.relative_to(folder).parts[0]
        if first in MADE_AGAIN or first in beside or first.startswith(STAGING) or file.is_symlink():
            continue
        if file.is_file() and not _is_a_backup(file):
            yield file.relative_to(folder).as_posix(), file


def _is_a_backup(file: Path) -> bool:
    """Return whether a file is a backup, or one that is being written: it would have to hold itself."""
    return file.name.removesuffix(PART).endswith(SUFFIX)


def file_members(folder: Path, told: dict[str, dict[str, Any]]) -> Iterator[Member]:
    """Yield those files in pieces, telling size and hash of each in ``told``."""
    for name, file in kept_files(folder):
        digest, size = sha256(), 0
        for piece, data in numbered(f"files/{name}", _chunks(file)):
            digest.update(data)
            size += len(data)
            yield piece, data
        told[name] = {"size": size, "sha256": digest.hexdigest()}


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            yield chunk


def remove_leftovers(folder: Path) -> None:
    """Remove what a restore or a backup left behind that was killed."""
    for left in folder.glob(f"{STAGING}*"):
        shutil.rmtree(left)
    for left in folder.glob(f"backups/*{PART}"):
        left.unlink()


def sync_file(place: Path) -> None:
    """Make a file, or the names in a folder, last through a power cut."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
