"""The inside of a backup as a stream: a plain tar archive, in pieces small enough to be held in memory."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from io import BufferedReader

from ketacore.evidence import Refusal

PIECE_BYTES = 4 << 20
Member = tuple[str, bytes]


def packed(members: Iterable[Member]) -> Iterator[bytes]:
    """Yield the archive of members that come one by one."""
    for name, data in members:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        yield info.tobuf()
        yield data
        yield b"\0" * (-len(data) % tarfile.BLOCKSIZE)
    yield b"\0" * tarfile.BLOCKSIZE * 2


def unpacked(stream: BufferedReader) -> Iterator[Member]:
    """Yield the members of an archive; raises ``Refusal`` for one that breaks off."""
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                held = archive.extractfile(info)
                yield info.name, held.read() if held is not None else b""
    except tarfile.TarError:
        raise Refusal(
            "Reading the backup", ["its content breaks off: the file is damaged"], "Use an older backup."
        ) from None


def numbered(name: str, chunks: Iterable[bytes]) -> Iterator[Member]:
    """Yield something long in pieces: ``name/000001`` and so on, at least one."""
    held, size, number = [], 0, 1
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= PIECE_BYTES:
            yield f"{name}/{number:06}", b"".join(held)
            held, size, number = [], 0, number + 1
    if held or number == 1:
        yield f"{name}/{number:06}", b"".join(held)


def plain_name(member: str) -> str:
    """Return the name without the number of the piece."""
    return member.rpartition("/")[0]
