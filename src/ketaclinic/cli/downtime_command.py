"""``ketaclinic downtime``."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from functools import partial
from multiprocessing.context import ForkContext, SpawnContext
from pathlib import Path

import click

from ketaclinic.cli.repeating import attempt, lives, repeat
from ketaclinic.cli.starting import print_json, record_ready, refuse

EVERY_SECONDS = 60
"""How often a running server has its sheets written; a round takes a second or two."""
_FIRST_AFTER_SECONDS = 2.0
"""A server that has just started answers those who wait for it before anything is written for later."""
_NICE = 10
Processes = ForkContext | SpawnContext


@click.command(name="downtime")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to; default: KETACLINIC_DOWNTIME.",
)
@click.option("--every", type=click.IntRange(5, 3_600), metavar="SECONDS", help="Go on, one round each so often.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(to: Path | None, every: int | None, as_json: bool) -> int:
    """Write the printable sheets for when the server is gone: running sessions, today, the next day, empty forms.

    `ketaclinic serve` does this every minute by itself. The files name patients: choose a folder that only those at the
    front desk can read, on another machine or a stick.
    """
    if to is not None and not to.is_dir():
        refuse(f"there is no folder {to}: make it, or mount the disk it lies on")
    record_ready()
    from django.conf import settings

    if every is not None:
        os.nice(_NICE)
    return repeat(_round(to or settings.DOWNTIME, as_json=as_json, quiet=every is not None), every_seconds=every)


def write_beside(server: int, processes: Processes) -> None:
    """Have the sheets written again and again until the process ``server``, whose child this one is, has ended.

    Each round is a process of its own: what drawing takes of memory (fonts, pages) is given back after a second or two.
    """
    os.nice(_NICE)
    if lives(server, _FIRST_AFTER_SECONDS):
        repeat(partial(_in_a_process_of_its_own, processes), every_seconds=EVERY_SECONDS, parent=server)


def _in_a_process_of_its_own(processes: Processes, at: datetime) -> bool:
    child = processes.Process(target=_write_all, args=(at,), name="sheets, one round")
    child.start()
    child.join()
    return child.exitcode == 0


def _write_all(at: datetime) -> None:
    record_ready()
    from django.conf import settings

    attempt(_round(settings.DOWNTIME, as_json=False, quiet=True), at)


def _round(folder: Path, *, as_json: bool, quiet: bool) -> Callable[[datetime], bool]:
    """Return what writes all sheets once; ``quiet`` tells only what went wrong."""
    from ketaclinic.continuity.actions.sheets import only_read, write_sheets

    def once(at: datetime) -> bool:
        only_read()
        written = write_sheets(folder=folder, at=at)
        files, failed = sum(len(w.files) for w in written), sum(len(w.failed) for w in written)
        if as_json:
            print_json({"folder": str(folder), "files": files, "failed": failed})
        elif not quiet or failed:
            click.echo(
                f"{folder}: {files} sheets written{f', {failed} could not be' if failed else ''}", err=bool(failed)
            )
        return failed == 0

    return once
