"""``ketaclinic downtime``."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import click

from ketaclinic.cli.repeating import lives, repeat
from ketaclinic.cli.starting import print_json, record_ready

EVERY_SECONDS = 60
"""How often a running server has its sheets written; a round takes a second or two."""
_FIRST_AFTER_SECONDS = 2.0
"""A server that has just started answers those who wait for it before anything is written for later."""
_NICE = 10


@click.command(name="downtime")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to; default: KETACLINIC_DOWNTIME.",
)
@click.option("--every", type=click.IntRange(5, 3_600), metavar="SECONDS", help="Go on, one round each so often.")
@click.option("--parent", type=int, hidden=True, help="End when this process has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(to: Path | None, every: int | None, parent: int | None, as_json: bool) -> int:
    """Write the printable sheets for when the server is gone: running sessions, today, the next day, empty forms.

    `ketaclinic serve` does this every minute by itself. The files name patients: choose a folder that only those at the
    front desk can read, on another machine or a stick.
    """
    if parent is not None and not lives(parent, _FIRST_AFTER_SECONDS):
        return 0
    record_ready()
    from django.conf import settings

    from ketaclinic.continuity.actions.sheets import only_read, write_sheets

    folder: Path = to or settings.DOWNTIME
    if every is not None:
        os.nice(_NICE)

    def once(at: datetime) -> bool:
        only_read()
        written = write_sheets(folder=folder, at=at)
        files, failed = sum(len(w.files) for w in written), sum(len(w.failed) for w in written)
        if as_json:
            print_json({"folder": str(folder), "files": files, "failed": failed})
        elif every is None or failed:
            click.echo(
                f"{folder}: {files} sheets written{f', {failed} could not be' if failed else ''}", err=bool(failed)
            )
        return failed == 0

    return repeat(once, every_seconds=every, parent=parent)
