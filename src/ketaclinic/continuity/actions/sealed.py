"""The file of a backup: a short readable head, then an age stream that only the private key opens.

The head holds just enough to refuse a damaged or foreign file before anything is decrypted. It proves nothing: what
counts is repeated inside, where age authenticates every byte. Without this program the file is opened by
``tail -c +1025 FILE | age -d -i KEY | tar xf -``.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from ketacore.evidence import Refusal

MAGIC = b"ketaclinic-backup 1\n"
HEAD_BYTES = 1024
CHUNK_BYTES = 1 << 20
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Head:
    """What anybody may read of a backup: whose it is, when it was made, and how to tell that it is whole."""

    installation: str
    made_at: str
    application: str
    size: int = 0
    sha256: str = ""


@contextmanager
def _kept(failed: list[Exception]) -> Iterator[None]:
    """Keep what fails at either end of age, which passes on an error of its own instead."""
    try:
        yield
    except Exception as error:
        failed.append(error)
        raise


class _Pulled:
    """The reading end of a stream that is made while it is read; age asks for a few kilobytes at a time."""

    def __init__(self, chunks: Iterable[bytes], failed: list[Exception]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")
        self._failed = failed

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        while not self._rest:
            with _kept(self._failed):
                following = next(self._chunks, None)
            if following is None:
                return b""
            self._rest = memoryview(following)
        cut = len(self._rest) if size < 0 else size
        found, self._rest = bytes(self._rest[:cut]), self._rest[cut:]
        return found


class _Measured:
    """The writing end: counts and hashes what goes to the disk."""

    def __init__(self, target: BinaryIO, progress: Progress, failed: list[Exception]) -> None:
        self._target, self._progress, self._failed = target, progress, failed
        self.size, self.digest = 0, sha256()

    def write(self, data: bytes) -> int:
        """Write and return how much was written."""
        with _kept(self._failed):
            self._target.write(data)
        self.digest.update(data)
        self.size += len(data)
        self._progress(len(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back here."""


def recipients_of(keys: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    """Return public keys as age reads them; raises ``Refusal`` naming the first that is none."""
    found = []
    for number, key in enumerate(keys, 1):
        try:
            found.append(pyrage.x25519.Recipient.from_str(key.strip()))
        except pyrage.RecipientError:
            raise Refusal("Encrypting", [f"recipient {number} is no age public key"], "It begins with age1.") from None
    return found


def seal(target: BinaryIO, chunks: Iterable[bytes], keys: Sequence[str], head: Head, progress: Progress) -> Head:
    """Write the encrypted file and return its head, which is written last: an unfinished file has none."""
    target.write(b"\0" * HEAD_BYTES)
    failed: list[Exception] = []
    measured = _Measured(target, progress, failed)
    try:
        pyrage.encrypt_io(_Pulled(chunks, failed), measured, recipients_of(keys))
    except pyrage.EncryptError as error:
        raise (failed[0] if failed else error) from None
    finished = Head(head.installation, head.made_at, head.application, measured.size, measured.digest.hexdigest())
    text = MAGIC + json.dumps(asdict(finished)).encode() + b"\n"
    target.seek(0)
    target.write(text.ljust(HEAD_BYTES))
    target.flush()
    os.fsync(target.fileno())
    return finished


def _refuse(because: str) -> Refusal:
    return Refusal("Reading the backup", [because], "Use another copy of it, or an older backup.")


def read_head(path: Path) -> Head:
    """Return the head of a file; raises ``Refusal`` for what is no backup of this program, or is cut short."""
    try:
        with path.open("rb") as file:
            text, size = file.read(HEAD_BYTES), path.stat().st_size - HEAD_BYTES
    except OSError as error:
        raise _refuse(f"the file cannot be read ({(error.strerror or 'unknown').lower()})") from None
    if not text.startswith(MAGIC[:-2]):
        raise _refuse("this is no backup of Ketaclinic, or one that was never finished")
    if not text.startswith(MAGIC):
        raise _refuse("it was written in a format this version does not know")
    head = _parsed(text[len(MAGIC) :])
    if size != head.size:
        raise _refuse(f"it is {'cut short' if size < head.size else 'longer than it was written'}: the file is damaged")
    return head


def _parsed(text: bytes) -> Head:
    line, _, rest = text.partition(b"\n")
    try:
        told: Any = json.loads(line)
        head = Head(**told)
        right = all(type(getattr(head, f.name)).__name__ == str(f.type) for f in fields(Head)) and not rest.strip(b" ")
    except (ValueError, TypeError):
        right = False
    if not right:
        raise _refuse("its first lines cannot be read: the file is damaged")
    return head


def check_whole(path: Path, head: Head, progress: Progress) -> None:
    """Raise ``Refusal`` unless the encrypted part is, byte for byte, what was written."""
    digest = sha256()
    with path.open("rb") as file:
        file.seek(HEAD_BYTES)
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            progress(len(chunk))
    if digest.hexdigest() != head.sha256:
        raise _refuse("its checksum does not match: the file is damaged")


class _Reported:
    """The encrypted part, reporting how far it was read."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file, self._progress = file, progress

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self._file.read(size)
        self._progress(len(data))
        return data


@contextmanager
def unsealed(path: Path, identities: Sequence[pyrage.x25519.Identity], progress: Progress) -> Iterator[BufferedReader]:
    """Yield the decrypted stream; raises ``Refusal`` for another key and for bytes that age does not vouch for.

    age hands out what it has decrypted, so it runs in a thread that fills a pipe: nothing is kept, nothing is written.
    """
    outlet, inlet = os.pipe()
    failed: list[BaseException] = []

    def pour() -> None:
        try:
            with path.open("rb") as file, os.fdopen(inlet, "wb") as target:
                file.seek(HEAD_BYTES)
                pyrage.decrypt_io(_Reported(file, progress), target, list(identities))
        except (pyrage.DecryptError, OSError, ValueError) as error:
            failed.append(error)

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    try:
        with os.fdopen(outlet, "rb") as stream:
            yield stream
    except Exception as error:  # noqa: BLE001  what failed on the other side explains what failed here
        thread.join(10)
        raise _why(failed) if failed and not isinstance(failed[0], BrokenPipeError) else error from None
    thread.join()
    if failed:
        raise _why(failed)


def _why(failed: Sequence[BaseException]) -> Refusal:
    if isinstance(failed[0], pyrage.DecryptError):
        return Refusal("Opening the backup", ["this key does not open it"], "Use the private key it was encrypted for.")
    return _refuse("its content does not match its seal: the file is damaged")
