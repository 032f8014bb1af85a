"""Reads what ``strace`` saw: who wrote to the log of the database, when that was on disk, when a reply left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

CALLS = "fdatasync,fsync,pwrite64,pwritev,write,writev,sendto,sendmsg"
STRACE = ("strace", "--follow-forks", "--decode-fds=all", "--string-limit=24", f"--trace={CALLS}", "--quiet=all")
LINE = re.compile(r"^(?P<pid>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<call>\w+)\((?P<rest>.*))(?P<tail>.*)$")
LOG_OF_DATABASE = re.compile(r"^\d+<[^>]*(?:sqlite3-wal|/pg_wal/[0-9A-F]{24})>")
REPLY = re.compile(r'"HTTP/1\.1 (?:200|302)')
SYNCS = ("fdatasync", "fsync")


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing a process did: ``wrote`` to the log, ``synced`` it (the call has returned), or ``replied``."""

    pid: int
    what: str
    began: int  # the line of the trace in which the call began


def read(file: Path) -> list[Seen]:
    """Return what was seen, in order. A sync counts when it returns, everything else when it begins."""
    return list(_seen(file.read_text(errors="replace").splitlines()))


def _seen(lines: list[str]) -> Iterator[Seen]:
    syncing: dict[int, int] = {}
    for number, line in enumerate(lines):
        found = LINE.match(line)
        if found is None:
            continue
        pid = int(found["pid"])
        if found["resumed"]:
            if found["resumed"] in SYNCS and pid in syncing and line.endswith("= 0"):
                yield Seen(pid, "synced", syncing[pid])
            syncing.pop(pid, None)
        elif LOG_OF_DATABASE.match(found["rest"]):
            if found["call"] not in SYNCS:
                yield Seen(pid, "wrote", number)
            elif "<unfinished" in line:
                syncing[pid] = number
            elif line.endswith("= 0"):
                yield Seen(pid, "synced", number)
        elif REPLY.search(found["rest"]):
            yield Seen(pid, "replied", number)


def unsynced_replies(seen: list[Seen], replies: int) -> list[str]:
    """Return in words which of the last replies left before all that was written for them was on disk."""
    ends = [number for number, event in enumerate(seen) if event.what == "replied"][-replies - 1 :]
    faults = [f"only {len(ends) - 1} replies seen"] if len(ends) <= replies else []
    for begin, end in pairwise(ends):
        between = seen[begin:end]
        wrote = [event for event in between if event.what == "wrote"]
        late = [event for event in wrote if not _on_disk(event, between)]
        if not wrote or late:
            faults.append(f"reply {end}: {'left before a sync' if late else 'nothing was written'}")
    return faults


def _on_disk(write: Seen, between: list[Seen]) -> bool:
    """Whether a sync began after this write and returned: a file is synced as a whole, whoever asks for it.

    PostgreSQL's background writer of the log leaves a started page to whoever commits next.
    """
    return any(event.what == "synced" and event.began > write.began for event in between)
