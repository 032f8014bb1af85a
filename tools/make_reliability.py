"""``make reliability``: runs every test that measures how safe the record is, and writes docs/reliability.md.

A test keeps its figures with ``tests.support.figures.write_figures``: one JSON file each in the folder that
``KETACLINIC_FIGURES`` names. The page is of one whole run; where a test fails or a figure is missing, it stays.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from tools.postgres import private_cluster

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/reliability.md"
FAULTS = "tests/faults"
RESTORE = "benchmarks.restore"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page: what it says, and in which file under which key the figure is found."""

    title: str
    file: str
    key: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One demand, how it was tried, and its figures."""

    title: str
    method: str
    rows: tuple[Row, ...]


def _kills(database: str, file: str) -> tuple[Row, ...]:
    return (
        Row(f"{database}: `kill -9` of the server", file, "kills"),
        Row(f"{database}: of them together with the database", file, "of_them_with_the_database"),
        Row(f"{database}: of them with requests under way", file, "under_load"),
        Row(f"{database}: writes acknowledged", file, "acknowledged"),
        Row(f"{database}: of them kept", file, "kept"),
        Row(f"{database}: of them lost", file, "lost"),
        Row(f"{database}: sent again with their key after no answer", file, "repeated"),
        Row(f"{database}: written twice", file, "doubled"),
        Row(f"{database}: longest until the server answered again", file, "back_within_s", "s"),
        Row(f"{database}: replies traced", file.replace("kill", "sync"), "replies_traced"),
        Row(f"{database}: of them before the write was on disk", file.replace("kill", "sync"), "before_the_sync"),
    )


CHAPTERS = (
    Chapter(
        "Nothing acknowledged is lost",
        "Four clients write into running sessions and register patients without pause, and send again what was not "
        "acknowledged, with the key it had. The server, all its processes at once, is killed at random moments; with "
        "PostgreSQL some kills take the database too. Afterwards each client's ledger is compared with the tables. "
        "System calls of the server (and of PostgreSQL) show that the log was synced before the reply left; the same "
        "test finds every reply too early where the database is told not to wait.",
        (*_kills("SQLite", "kill-sqlite"), *_kills("PostgreSQL", "kill-postgresql")),
    ),
    Chapter(
        "The disk and the lock",
        "A file system of a few megabytes that is full, a database file that may not grow, PostgreSQL made read-only; "
        "another process that holds the database longer than a write may wait; a disk of the server on which one call "
        "in twenty fails (PostgreSQL has its own). SQLite and PostgreSQL together where neither is named.",
        (
            Row("disk full: writes refused, nothing half-written", "disk-full", "refused"),
            Row("disk full: writes acknowledged and lost", "disk-full", "lost"),
            Row("SQLite: longest wait for a locked database", "locked-sqlite", "longest_wait_s", "s"),
            Row("PostgreSQL: longest wait for a locked table", "locked-postgresql", "longest_wait_s", "s"),
            Row("failing disk: writes sent", "disk-failing", "sent"),
            Row("failing disk: of them not acknowledged", "disk-failing", "not_acknowledged"),
            Row("failing disk: writes acknowledged and lost", "disk-failing", "lost"),
        ),
    ),
    Chapter(
        "One effect for one intent",
        "The same key again, on SQLite and on PostgreSQL: a reply that was lost, a retry after a restart, four tablets "
        "at one moment.",
        (Row("repeats sent", "intents", "repeats"), Row("second effects", "intents", "second_effects")),
    ),
    Chapter(
        "Nobody gets in who should not",
        "Every role at every route with objects of its own and of another clinic; raw SQL under the server's role.",
        (
            Row("cells of the matrix, every one as the table says", "access-matrix", "cells"),
            Row("pages that are the same, byte for byte, beside another clinic", "same-pages", "pages"),
            Row("routes sent fields nobody asked for", "mass-assignment", "routes"),
            Row("names of such fields", "mass-assignment", "names"),
            Row("tables behind the second wall", "second-wall", "tables"),
            Row("statements tried on rows of another clinic", "second-wall", "statements"),
            Row("statements that came through", "second-wall", "through"),
            Row("rows refused that named something of another clinic", "second-wall-names", "refused"),
        ),
    ),
    Chapter(
        "Nothing is changed unseen",
        "The audit log edited, deleted from, inserted into, reordered, cut and rewritten, on SQLite and on PostgreSQL. "
        "What the log costs a write stands in docs/benchmarks.md.",
        (
            Row("attacks on the audit log", "audit", "attacks"),
            Row("attacks found", "audit", "found"),
        ),
    ),
    Chapter(
        "What nobody expects",
        "Inputs drawn at random against every JSON endpoint, and against the clinic's actions.",
        (
            Row("requests to JSON endpoints", "json-fuzzing", "requests"),
            Row("deeds of several users, clinics and crashes in any order", "state-machine", "deeds done"),
        ),
    ),
    Chapter(
        "Back from a backup",
        "A backup taken under load, restored onto an empty machine.",
        (
            Row("patients restored", "restore", "patients"),
            Row("time of the restore", "restore", "restore_seconds", "s"),
            Row("SQLite: rows of an upgrade killed midway", "upgrade-sqlite", "rows"),
            Row("PostgreSQL: rows of an upgrade killed midway", "upgrade-postgresql", "rows"),
        ),
    ),
)


def main() -> int:
    """Run what measures, write the page, return 0; where something is missing the page stays as it was."""
    started = machine()
    with tempfile.TemporaryDirectory(prefix="kc-figures-") as folder:
        figures = Path(folder)
        begun = time.monotonic()
        if not (_run(figures, _tests_that_measure()) and _run(figures, [FAULTS], postgres=True) and _restore(figures)):
            print("make reliability: something failed; docs/reliability.md is left as it was")
            return 1
        measured = _read(figures)
        if missing := not_measured(measured):
            print(f"make reliability: nobody measured: {', '.join(missing)}; docs/reliability.md is left as it was")
            return 1
        PAGE.write_text(page(measured, started, time.monotonic() - begun), encoding="utf-8")
    print(f"make reliability: wrote {PAGE.relative_to(ROOT)}")
    return 0


def _tests_that_measure() -> list[str]:
    files = {file: file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")}
    return sorted(str(file.relative_to(ROOT)) for file, text in files.items() if "tests.support.figures import" in text)


def _run(figures: Path, what: list[str], *, postgres: bool = False) -> bool:
    with private_cluster() if postgres else nullcontext("") as url:
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | _told(figures)
        environment |= {"DATABASE_URL": url} if url else {}
        again = ["--only-on-the-database"] if postgres else []
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *again, *what]
        return subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode == 0


def _restore(figures: Path) -> bool:
    """Run the restore drill, which keeps its own figures."""
    command = [sys.executable, "-m", RESTORE]
    return subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, **_told(figures)}).returncode == 0


def _told(figures: Path) -> dict[str, str]:
    return {
        "KETACLINIC_FIGURES": str(figures),
        "KETACLINIC_DATA": str(figures / "var"),
        "HYPOTHESIS_PROFILE": "new",  # tests/support/drawn.py: what nobody has tried before
    }


def _read(figures: Path) -> dict[str, dict[str, Any]]:
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in figures.glob("*.json")}


def page(measured: Mapping[str, Mapping[str, Any]], machine: Mapping[str, str], seconds: float) -> str:
    """Return the page of one whole run."""
    lines = ["<!-- Written by `make reliability`. Do not edit. -->", "", "# Reliability", ""]
    lines += [
        "`make reliability` runs the tests that measure and writes this page. `make test` runs the same tests; only "
        "the restore of 10,000 patients, on SQLite, is this command's own. They ran on one machine, against real "
        "servers and databases in processes of their own. All figures are of one "
        "whole run; where a test fails or a figure is missing, the page is not written.",
        "",
        "| machine | |",
        "|---|---|",
        f"| date | {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())} |",
        *(f"| {name} | {value} |" for name, value in machine.items()),
        f"| taken in | {seconds / 60:.0f} minutes |",
    ]
    for chapter in CHAPTERS:
        lines += ["", f"## {chapter.title}", "", chapter.method, "", "| figure | measured |", "|---|---|"]
        lines += [f"| {row.title} | {figure(measured, row)} |" for row in chapter.rows]
    return "\n".join([*lines, ""])


def not_measured(measured: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the titles of the rows that have no figure."""
    rows = [row for chapter in CHAPTERS for row in chapter.rows]
    return [row.title for row in rows if measured.get(row.file, {}).get(row.key) is None]


def figure(measured: Mapping[str, Mapping[str, Any]], row: Row) -> str:
    """Return a figure in words."""
    value = measured[row.file][row.key]
    return f"{value:,}{' ' if row.unit else ''}{row.unit}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
