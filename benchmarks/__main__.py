"""``python -m benchmarks``: run the workloads, write ``docs/benchmarks.md``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import machine

if TYPE_CHECKING:
    from benchmarks.pages import Result

ROOT = Path(__file__).resolve().parent.parent
PAPER = ROOT / "docs/benchmarks.md"
METHOD = """\
Method: the server as `ketaclinic serve` starts it (granian, one process, a few threads), asked over loopback on one
kept-alive connection by a signed-in person, page after page; the time runs from sending the request to the last byte of
the answer, so it is an upper bound of server time, waiting for a busy
processor included. CPU is what the kernel counted for the server while it made that answer: on a machine shared with
other work it is the steadier of the two. "First" is the very first answer of a server that has just started: it
compiles the templates, and for the manager it counts the overdue screens, a count that is then kept for 15 minutes
and says when it was made. 60 requests a page after warming up; charts and timelines are those
of the ten patients with the longest timelines and of thirty others drawn at random. Queries are the most that Django
counted for five of those addresses. Sizes are bytes over the wire, gzip, answer heads included; the first load adds
every style sheet, script, icon and font the page names."""


def main() -> int:
    """Run what was asked for; without an argument everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000, help="size of the clinic PAGES is measured on")
    parser.add_argument("--data", type=Path, help="keep the clinic in this folder and use it again")
    parser.add_argument("--dry", action="store_true", help="print, do not write docs/benchmarks.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kc-bench-") as scratch:
        text = _run(asked.patients, asked.data or Path(scratch))
    print(text)
    if not asked.dry:
        PAPER.write_text(text, encoding="utf-8")
    return 0


def _run(patients: int, data: Path) -> str:
    where = machine()
    os.environ["KETACLINIC_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "ketaclinic.config.settings"
    from benchmarks import pages

    pages.build(data, patients)
    import django

    django.setup()
    result = pages.measure(data)
    from benchmarks import audit, import_fhir, pkpd

    parts = [_head(where), _pages(result), import_fhir.report(), audit.report(), pkpd.report()]
    return "\n".join([*parts[0], *parts[1], *parts[2], "", *parts[3], "", *parts[4], ""])


def _head(where: dict[str, str]) -> list[str]:
    where = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", **where}
    rows = [f"| {name} | {value} |" for name, value in where.items()]
    return [
        "<!-- Written by `make bench`. Do not edit. -->",
        "",
        "# Benchmarks",
        "",
        "`make bench` runs them and writes this page. A time on a shared machine is an observation, not a proof.",
        "",
        "| machine | |",
        "|---|---|",
        *rows,
        "",
    ]


def _pages(result: Result) -> list[str]:
    rows = [
        f"| {f.name} | {f.first_ms:.0f} | {f.p50_ms:.1f} | {f.p95_ms:.1f} | {f.cpu_p95_ms:.1f} | {f.queries} "
        f"| {f.page_kb:.0f} | {f.first_load_kb:.0f} | {'misses ' + ', '.join(f.misses) if f.misses else 'pass'} |"
        for f in result.figures
    ]
    missed = sum(bool(f.misses) for f in result.figures)
    usual, most = result.memory_mb
    return [
        "## PAGES",
        "",
        f"{result.patients:,} synthetic patients, {result.timeline_entries:,} timeline entries, SQLite with "
        "`synchronous=FULL`, built by `ketaclinic demo --patients 10000 --seed 1`.",
        "",
        METHOD,
        "",
        "Goal: p95 ≤ 100 ms, ≤ 12 queries, ≤ 150 kB on first load, server memory ≤ 300 MB.",
        "",
        "| page | first ms | p50 ms | p95 ms | CPU p95 ms | queries | page kB | first load kB | goal |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"{len(result.figures) - missed} of {len(result.figures)} pages pass every goal.",
        "",
        f"Server memory after the run (proportional set of all its processes): {usual:.0f} MB, "
        f"{'pass' if usual <= 300 else 'miss'}; {most:.0f} MB for a second while the downtime sheets are written, once "
        f"a minute, {'pass' if most <= 300 else 'miss'}.",
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
