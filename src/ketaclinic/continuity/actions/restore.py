"""Bringing a clinic back from a backup: refused as a whole, or there as a whole.

Nothing is trusted that was not checked: the seal before anything is decrypted, every row by count and hash after it was
loaded, the heads of the audit log, the soundness of the file. A database file gets its name last; PostgreSQL takes the
dump in one transaction, and is emptied again where a later check fails.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from django.conf import settings

from ketaclinic.config.secret import secret_key
from ketaclinic.continuity.actions import folders, postgres
from ketaclinic.continuity.actions.keys import KeyFile
from ketaclinic.continuity.actions.manifest import FORMAT, Snapshot, audit_heads
from ketaclinic.continuity.actions.packing import plain_name, unpacked
from ketaclinic.continuity.actions.postgres import PostgresLoader
from ketaclinic.continuity.actions.sealed import CHUNK_BYTES, Head, Progress, unsealed
from ketaclinic.continuity.actions.sqlite import SqliteLoader
from ketaclinic.continuity.actions.tally import differences
from ketacore.evidence import Refusal

Say = Callable[[str], None]
_REFUSED = "Restoring"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: the data folder, and the database file that will stand there; none for PostgreSQL."""

    folder: Path
    database: Path | None
    staging: Path


@dataclass(slots=True)
class Content:
    """What the inside of a backup told while it was loaded."""

    about: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def made_at(self) -> datetime:
        """The moment the backup shows."""
        return datetime.fromisoformat(self.about["made_at"])


class Loader(Protocol):
    """Fills an empty database."""

    def take(self, name: str, data: bytes) -> None:
        """Load one member."""

    def finish(self) -> None:
        """Complete the database."""

    def close(self) -> None:
        """Break off, or do nothing when it is complete."""


def check_empty(target: Target) -> None:
    """Raise ``Refusal`` unless the target holds no clinic yet."""
    if target.database is not None:
        there, where = target.database.exists(), str(target.database)
    else:
        there, where = not postgres.is_empty(folders.database_settings()), "the database"
    if there:
        raise Refusal(
            _REFUSED, [f"there is a clinic already in {where}"], "Restore into an empty place; nothing is written over."
        )


def check_owner(installation: str, keys: KeyFile, target: Target, *, adopt: bool) -> None:
    """Raise ``Refusal`` for the backup of another installation, unless it is to be taken over."""
    file = target.folder / folders.INSTALLATION
    known = {keys.installation, file.read_text().strip() if file.exists() else ""} - {"", installation}
    if known and not adopt:
        raise Refusal(
            _REFUSED,
            ["this backup was made by another installation than the key or this folder belong to"],
            "Take the right file, or say --adopt to take this clinic over.",
        )


@contextmanager
def _all_or_nothing(target: Target) -> Iterator[None]:
    """Leave nothing behind when the restore fails, whatever the reason."""
    was_there = target.folder.exists()
    target.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folders.remove_leftovers(target.folder)
    target.staging.mkdir(mode=0o700)
    try:
        yield
    except BaseException:
        if target.database is None:
            postgres.empty_again(folders.database_settings())
        raise
    finally:
        shutil.rmtree(target.staging, ignore_errors=True)
        if not was_there:
            with suppress(OSError):  # not empty: it holds the clinic now
                target.folder.rmdir()


def restore(
    *,
    path: Path,
    head: Head,
    keys: KeyFile,
    target: Target,
    finish: Callable[[Content], None],
    progress: Progress,
    say: Say,
) -> Content:
    """Load and check a backup whose seal was checked, let ``finish`` bring it up to date, and put it in its place."""
    check_empty(target)
    with _all_or_nothing(target):
        content = _loaded(path, head, keys, target, progress)
        say("Checking every row")
        _check_restored(content, target)
        with _among_the_files(target):
            finish(content)
        _put_in_place(content, target)
    return content


def _loaded(path: Path, head: Head, keys: KeyFile, target: Target, progress: Progress) -> Content:
    content = Content()
    loader: Loader | None = None
    try:
        with unsealed(path, keys.identities, progress) as stream:
            for name, data in unpacked(stream):
                if name == "about.json":
                    content.about = _checked(json.loads(data), head)
                    loader = _loader(target)
                elif name == "manifest.json":
                    content.manifest = json.loads(data)
                elif name.startswith("files/"):
                    _append(target.staging, plain_name(name), data, content)
                elif loader is not None:
                    loader.take(name, data)
            while stream.read(CHUNK_BYTES):
                pass  # the end of the archive is not yet the end of the stream, which age still has to vouch for
        if loader is None or not content.manifest:
            raise _damaged("it has no manifest")
        loader.finish()
    finally:
        if loader is not None:
            loader.close()
    return content


def _damaged(because: str) -> Refusal:
    return Refusal(_REFUSED, [f"{because}: the backup is not whole"], "Use an older backup.")


def _loader(target: Target) -> Loader:
    if target.database is None:
        postgres.mark_under_way(folders.database_settings(), True)
        return PostgresLoader(folders.database_settings())
    return SqliteLoader(folders.database_file())


def _checked(about: dict[str, Any], head: Head) -> dict[str, Any]:
    """Return what the backup says about itself; raises ``Refusal`` where this program cannot or must not load it."""
    if (about["installation"], about["made_at"], about["application"]) != (
        head.installation,
        head.made_at,
        head.application,
    ):
        raise _damaged("its first lines do not belong to its content")
    here = "sqlite" if folders.is_sqlite() else "postgresql"
    if about["database"] != here:
        raise Refusal(
            _REFUSED,
            [f"it was made from {about['database']}, and the target is {here}"],
            "Name a target of the same kind with --into.",
        )
    if about["format"] > FORMAT or _unknown(about["migrations"]):
        raise Refusal(
            _REFUSED,
            [f"it was made by version {about['application']}, which is newer than this one"],
            "Install that version, then restore.",
        )
    return about


def _unknown(migrations: list[str]) -> set[str]:
    from django.db.migrations.loader import MigrationLoader

    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return set(migrations) - {f"{app}.{name}" for app, name in known}


def _append(staging: Path, name: str, data: bytes, content: Content) -> None:
    """Write one piece of a file below the staging folder, and nowhere else."""
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise _damaged("it holds a file that would leave the data folder")
    file = staging / place
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.open("ab") as handle:
        handle.write(data)
    file.chmod(0o600)
    content.files.setdefault(name.removeprefix("files/"), {"size": 0, "sha256": ""})


def _check_restored(content: Content, target: Target) -> None:
    """Raise ``Refusal`` unless everything that was read back is what the manifest says was backed up."""
    snapshot = folders.snapshot_now()
    try:
        snapshot.tally_all()
        wrong = differences(content.manifest["tables"], snapshot.tallies)
        wrong += _wrong_heads(snapshot, content.manifest["audit"])
    finally:
        snapshot.close()
    wrong += _wrong_files(content, target)
    if wrong:
        more = [f"and {len(wrong) - 3} more"] if len(wrong) > 3 else []
        raise Refusal(_REFUSED, [*wrong[:3], *more], "Nothing was kept. Use an older backup.")


def _wrong_heads(snapshot: Snapshot, wanted: list[list[Any]]) -> list[str]:
    found = [[head.clinic_id, head.seq, head.hash, head.at] for head in audit_heads(snapshot)]
    return [] if found == wanted else ["the audit log does not end where it ended when the backup was made"]


def _wrong_files(content: Content, target: Target) -> list[str]:
    wanted: dict[str, dict[str, Any]] = content.manifest["files"]
    wrong = [f"{len(set(wanted) ^ set(content.files))} files are missing"] if set(wanted) != set(content.files) else []
    for name in set(wanted) & set(content.files):
        data = target.staging / "files" / name
        digest = sha256()
        with data.open("rb") as handle:
            while chunk := handle.read(CHUNK_BYTES):
                digest.update(chunk)
        if digest.hexdigest() != wanted[name]["sha256"]:
            wrong.append("a file differs from what was backed up")
    return wrong


@contextmanager
def _among_the_files(target: Target) -> Iterator[None]:
    """Let what is written now move the anchor and be sealed with the secret key that came with the backup.

    The anchor only where it lies in the data folder; a key named in the environment goes before the file, as ever.
    """
    anchor, key, staged = settings.AUDIT_ANCHOR, settings.SECRET_KEY, target.staging / "files"
    settings.SECRET_KEY = secret_key(staged)
    if anchor is not None and anchor.is_relative_to(target.folder):
        settings.AUDIT_ANCHOR = staged / anchor.relative_to(target.folder)
    try:
        yield
    finally:
        settings.AUDIT_ANCHOR, settings.SECRET_KEY = anchor, key


def _put_in_place(content: Content, target: Target) -> None:
    """Give files and database their names; the database comes last, and with it the clinic is there."""
    from django.db import connections

    connections.close_all()
    files = target.staging / "files"
    for staged in [file for file in files.rglob("*") if file.is_file()]:
        place = target.folder / staged.relative_to(files)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged.rename(place)
    (target.folder / folders.INSTALLATION).write_text(content.about["installation"])
    if target.database is not None:
        target.database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folders.sync_file(folders.database_file())
        folders.database_file().rename(target.database)
        folders.sync_file(target.database.parent)
    else:
        postgres.mark_under_way(folders.database_settings(), False)
    folders.sync_file(target.folder)
