"""Making a backup: one moment of the database and the files beside it, straight into an encrypted file."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ketaclinic.continuity.actions import folders
from ketaclinic.continuity.actions.folders import PART, SUFFIX
from ketaclinic.continuity.actions.manifest import Snapshot, about, application_version, closing
from ketaclinic.continuity.actions.packing import Member, packed
from ketaclinic.continuity.actions.sealed import Head, Progress, recipients_of, seal
from ketacore.evidence import Refusal

NEWEST = "newest.json"
"""Beside the backups: when the newest one was made, for those who ask how old it is."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup."""

    file: Path
    head: Head
    manifest: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return what the command prints."""
        tables = self.manifest["tables"]
        return {
            "file": str(self.file),
            "bytes": self.file.stat().st_size,
            "sha256": self.head.sha256,
            "made_at": self.head.made_at,
            "newest_entry": self.manifest["newest_entry"],
            "tables": len(tables),
            "rows": sum(table["rows"] for table in tables.values()),
            "files": len(self.manifest["files"]),
        }


def make_backup(*, to: Path, keys: Sequence[str], folder: Path, at: datetime, progress: Progress) -> Backup:
    """Write a backup into a folder or a file of its own, and return it; raises ``Refusal`` where it cannot be made.

    Nothing readable is ever written: the rows go from the database through age to the disk. The file gets its name when
    it is complete, so what carries the name is whole.
    """
    target = to / f"ketaclinic-{at:%Y%m%d-%H%M%S}{SUFFIX}" if to.suffix != SUFFIX else to
    if not target.parent.is_dir():  # a disk that is not mounted must not fill the server's own
        because = f"there is no folder {target.parent}: make it, or mount the disk it lies on"
        raise Refusal("Backing up", [because], "Then try again.")
    if not keys:
        raise Refusal(
            "Backing up",
            ["nobody is named who could read the backup"],
            "Make a key with: ketaclinic backup keygen, and name it in KETACLINIC_BACKUP_RECIPIENTS.",
        )
    recipients_of(keys)
    if target.exists():
        raise Refusal("Backing up", [f"{target.name} is there already"], "Choose another name.")
    part = target.with_name(f"{target.name}{PART}")
    _remove_unfinished(target.parent)
    try:
        backup = _written(part, target, keys, folder, at, progress)
    finally:
        part.unlink(missing_ok=True)
    _remember(backup, folder)
    return backup


def _remove_unfinished(place: Path) -> None:
    """Remove what backups left behind that were killed; one that is being written holds its file locked."""
    for left in place.glob(f"*{SUFFIX}{PART}"):
        with left.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            left.unlink()


def _written(part: Path, target: Path, keys: Sequence[str], folder: Path, at: datetime, progress: Progress) -> Backup:
    head = Head(folders.installation_id(folder), at.isoformat(), application_version())
    manifest: dict[str, Any] = {}
    snapshot = folders.snapshot_now()
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # says to another backup that this one is being written
            members = _members(snapshot, folder, head.installation, at, manifest)
            head = seal(file, packed(members), keys, head, progress)
    finally:
        snapshot.close()
    part.rename(target)
    folders.sync_file(target.parent)
    return Backup(target, head, manifest)


def _members(
    snapshot: Snapshot, folder: Path, installation: str, at: datetime, manifest: dict[str, Any]
) -> Iterator[Member]:
    """Yield what is inside: what it is, the database, the files, and last what was counted on the way."""
    files: dict[str, dict[str, Any]] = {}
    yield "about.json", json.dumps(about(snapshot, installation, at)).encode()
    yield from snapshot.members()
    yield from folders.file_members(folder, files)
    manifest |= closing(snapshot, files)
    yield "manifest.json", json.dumps(manifest).encode()


def backups_folder(folder: Path) -> Path:
    """Return, and make, the folder of backups in a data folder."""
    kept = folder / "backups"
    kept.mkdir(parents=True, exist_ok=True, mode=0o700)
    return kept


def _remember(backup: Backup, folder: Path) -> None:
    kept = backups_folder(folder)
    draft = kept / f"{NEWEST}{PART}"
    draft.write_text(json.dumps({"made_at": backup.head.made_at, "file": str(backup.file)}))
    draft.rename(kept / NEWEST)


def newest_backup(folder: Path) -> datetime | None:
    """Return when the newest backup was made, ``None`` where none ever was."""
    file = folder / "backups" / NEWEST
    return datetime.fromisoformat(json.loads(file.read_text())["made_at"]) if file.exists() else None


def keep_newest(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest backups of a folder, and return what was removed."""
    old = sorted(folder.glob(f"ketaclinic-*{SUFFIX}"))[:-keep]
    for file in old:
        file.unlink()
    return old
