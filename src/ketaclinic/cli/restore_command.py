"""``ketaclinic restore FILE --identity KEYFILE``."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from getpass import getuser
from pathlib import Path
from time import monotonic
from typing import Any

import click

from ketaclinic.cli.starting import django_ready, print_json, refuse
from ketaclinic.config.environment import data_folder, database
from ketacore.evidence import Refusal


@click.command(name="restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--identity", required=True, type=click.Path(path_type=Path), metavar="KEYFILE", help="The private key.")
@click.option("--into", metavar="FOLDER|DATABASE_URL", help="Data folder or database to fill; default: the settings.")
@click.option(
    "--anchor", type=click.Path(path_type=Path), metavar="FILE", help="Anchor of the audit log kept elsewhere."
)
@click.option("--adopt", is_flag=True, help="Take over a backup of another installation.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: Path, identity: Path, into: str | None, anchor: Path | None, adopt: bool, as_json: bool) -> int:
    """Bring a clinic back from a backup, onto an empty machine.

    Everything is checked: the seal, every row by count and hash, the audit log. A file that fails is refused and leaves
    nothing behind. All sign-ins are ended.
    """
    started = monotonic()
    try:
        told = _restore(file, identity, into, anchor, adopt, as_json)
    except Refusal as refusal:
        refuse(f"{'; '.join(refusal.because)}. {refusal.do}")
    told["seconds"] = round(monotonic() - started, 1)
    print_json(told) if as_json else _print(told)
    return 0


def _restore(
    file: Path, identity: Path, into: str | None, anchor: Path | None, adopt: bool, as_json: bool
) -> dict[str, Any]:
    from ketaclinic.continuity.actions.keys import read_key_file
    from ketaclinic.continuity.actions.restore import check_owner, restore
    from ketaclinic.continuity.actions.sealed import check_whole, read_head

    head, keys = read_head(file), read_key_file(identity)
    with _bar("Checking the seal", head.size, as_json) as progress:
        check_whole(file, head, progress)
    target = _target(into)
    check_owner(head.installation, keys, target, adopt=adopt)
    with _key_of_its_own():
        django_ready()
    from django.utils import timezone

    from ketaclinic.continuity.actions.bringing_up import brought_up

    at = timezone.now()
    told: dict[str, Any] = {}
    with _bar("Loading", head.size, as_json) as progress:
        restore(
            path=file,
            head=head,
            keys=keys,
            target=target,
            finish=lambda content: told.update(brought_up(content, head, by=_who(), at=at, anchor=anchor)),
            progress=progress,
            say=lambda line: None if as_json else click.echo(line, err=True),
        )
    return told


def _target(into: str | None) -> Any:
    """Point the settings, which are read later, at the place where the database is built, and return the target."""
    from ketaclinic.continuity.actions.folders import STAGING
    from ketaclinic.continuity.actions.restore import Target

    if into is not None:
        for of_the_server in ("DATABASE_URL", "KETACLINIC_OWNER_URL"):
            os.environ.pop(of_the_server, None)
        os.environ["DATABASE_URL" if "://" in into else "KETACLINIC_DATA"] = into
    folder = data_folder()
    told = database(f"sqlite:///{folder / 'ketaclinic.sqlite3'}")
    staging = folder / f"{STAGING}{os.getpid()}"
    if told["ENGINE"] != "django.db.backends.sqlite3":
        return Target(folder, None, staging)
    os.environ["DATABASE_URL"] = f"sqlite:///{staging / 'ketaclinic.sqlite3'}"
    return Target(folder, Path(told["NAME"]), staging)


@contextmanager
def _key_of_its_own() -> Iterator[None]:
    """Let the settings be read without a secret key being made in the folder that is to take the backup's."""
    name = "KETACLINIC_SECRET_KEY"
    if os.environ.get(name):
        yield
        return
    os.environ[name] = secrets.token_urlsafe(50)
    try:
        yield
    finally:
        del os.environ[name]


@contextmanager
def _bar(label: str, length: int, as_json: bool) -> Iterator[Callable[[int], None]]:
    with click.progressbar(
        length=length, label=label, file=sys.stderr, hidden=as_json or not sys.stderr.isatty()
    ) as bar:
        yield bar.update


def _who() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return "unknown"


def _minute(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M} UTC"


def _print(told: dict[str, Any]) -> None:
    names = ", ".join(told["clinics"])
    click.echo(f"{names}: {told['rows']} rows restored and checked, in {told['seconds']} s.")
    click.echo(f"The newest entry is of {_minute(told['newest_entry'])}." if told["newest_entry"] else "It was empty.")
    click.echo(
        f"Missing: everything entered between {_minute(told['missing_since'])} and {_minute(told['missing_until'])}."
    )
    if told["audit_entries_lost"] is not None:
        click.echo(f"By the anchor, at least {told['audit_entries_lost']} entries of the audit log are lost.")
    click.echo("Enter it again from the paper sheets: page Downtime, Enter from paper.")
    if told["migrated"]:
        click.echo(f"Brought up to date: {told['migrated']} migrations.")
    click.echo(
        "All sign-ins are ended and links for a first sign-in hold no longer. Places and accesses that were closed "
        "after the backup are open again: look through the staff list and the sign-ins of patients and caregivers."
    )
    click.echo("Ketaclinic sends nothing to patients: no message can go out twice.")
