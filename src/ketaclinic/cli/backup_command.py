"""``ketaclinic backup`` and ``ketaclinic backup keygen``."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ketaclinic.cli.groups import Group
from ketaclinic.cli.repeating import repeat
from ketaclinic.cli.starting import django_ready, print_json, record_ready, refuse
from ketacore.evidence import Refusal


@click.group(cls=Group, name="backup", invoke_without_command=True)
@click.option(
    "--to", type=click.Path(path_type=Path), metavar="FOLDER|FILE", help="Where to; default: the data folder."
)
@click.option("--recipient", "recipients", multiple=True, metavar="AGE1…", help="Public key that can read it; repeat.")
@click.option("--every", type=click.IntRange(1, 10_080), metavar="MINUTES", help="Go on, one backup each so often.")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Remove all but the newest N of the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(
    context: click.Context,
    to: Path | None,
    recipients: tuple[str, ...],
    every: int | None,
    keep: int | None,
    as_json: bool,
) -> int | None:
    """Write an encrypted backup while the clinic goes on working.

    Only the private keys of the recipients (also KETACLINIC_BACKUP_RECIPIENTS) can read it. Make a pair with:
    ketaclinic backup keygen.
    """
    if context.invoked_subcommand is not None:
        return None
    record_ready()
    from django.conf import settings

    from ketaclinic.continuity.actions.backup import backups_folder

    keys = recipients or settings.BACKUP_RECIPIENTS

    def once(at: datetime) -> bool:
        return _backup(to or backups_folder(settings.DATA), keys, keep, at, as_json)

    return repeat(once, every_seconds=every * 60 if every else None)


def _backup(to: Path, keys: tuple[str, ...], keep: int | None, at: datetime, as_json: bool) -> bool:
    from ketaclinic.config.settings import DATA
    from ketaclinic.continuity.actions.backup import keep_newest, make_backup

    hidden = as_json or not sys.stderr.isatty()
    try:
        with click.progressbar(length=_expected(DATA), label="Backing up", file=sys.stderr, hidden=hidden) as bar:
            made = make_backup(to=to, keys=keys, folder=DATA, at=at, progress=bar.update)
    except Refusal as refusal:
        refuse(f"{'; '.join(refusal.because)}. {refusal.do}")
    removed = keep_newest(made.file.parent, keep) if keep else []
    told: dict[str, Any] = {**made.as_json(), "removed": len(removed)}
    if as_json:
        print_json(told)
        return True
    click.echo(
        f"{told['file']}: {told['bytes'] / 1e6:.1f} MB, {told['rows']} rows of {told['tables']} tables, encrypted"
    )
    click.echo(f"SHA-256 of the encrypted part: {told['sha256']}")
    return True


def _expected(data: Path) -> int:
    """Return about how many bytes there will be: an eighth of a SQLite file, a guess for the bar only."""
    from ketaclinic.continuity.actions import folders

    file = folders.database_file() if folders.is_sqlite() else data
    return max(file.stat().st_size // 8, 1) if file.exists() else 1


@command.command()
@click.option("--to", type=click.Path(path_type=Path), metavar="FILE", help="Write the private key into a new file.")
def keygen(to: Path | None) -> int:
    """Make a key pair: the public key for the clinic, the private one for a safe away from it.

    Without --to the private key is printed, once; nothing keeps it.
    """
    django_ready()
    from django.utils import timezone

    from ketaclinic.config.settings import DATA
    from ketaclinic.continuity.actions.folders import installation_id
    from ketaclinic.continuity.actions.keys import new_pair, write_key_file

    pair = new_pair(installation_id(DATA), timezone.now())
    try:
        if to is None:
            click.echo(pair.text, nl=False)
        else:
            write_key_file(to, pair)
    except Refusal as refusal:
        refuse(f"{'; '.join(refusal.because)}. {refusal.do}")
    click.echo(f"Public key, for KETACLINIC_BACKUP_RECIPIENTS: {pair.public}", err=to is None)
    click.echo("Keep the private key away from this machine: without it no backup can be read.", err=to is None)
    return 0
