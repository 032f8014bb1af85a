"""``ketaclinic import fhir FILE…``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ketaclinic.cli.groups import Group
from ketaclinic.cli.starting import Refused, django_ready, print_json, refuse, the_clinic, the_member_of_staff


@click.group(cls=Group, name="import")
def command() -> None:
    """Bring in a record from another system."""


@command.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--clinic", "clinic_id", type=int, metavar="ID", help="The clinic; needed when there are several.")
@click.option("--by", "username", metavar="USERNAME", help="Who imports; default: the clinic's only administrator.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def fhir(files: tuple[str, ...], clinic_id: int | None, username: str | None, as_json: bool) -> int:
    """Import FHIR R4 bundles, one person each.

    Every file is taken as a whole or not at all. A refused file does not keep the others out; the exit code is
    then 1. Importing the same file again changes nothing.
    """
    django_ready()
    from ketaclinic.people.permissions import Permission

    clinic = the_clinic(clinic_id)
    by = the_member_of_staff(clinic, username, Permission.IMPORT_RECORD)
    results = [_import_one(Path(name), by, as_json) for name in files]
    if as_json:
        print_json({"files": results})
    return 1 if any("refused" in result for result in results) else 0


def _import_one(path: Path, by: Any, as_json: bool) -> dict[str, Any]:
    from django.utils import timezone

    from ketaclinic.interfaces.fhir.actions import import_bundle
    from ketaclinic.interfaces.fhir.incoming import Unreadable
    from ketaclinic.interfaces.fhir.limits import import_limits
    from ketacore.evidence import Refusal

    limits = import_limits()
    try:
        data = _read(path, limits.bytes)
        with _bar(path, as_json) as (progress, _):
            report = import_bundle(data, by=by, at=timezone.now(), limits=limits, progress=progress)
    except (Unreadable, Refused) as error:
        return _refused(path, str(error), as_json)
    except Refusal as refusal:
        return _refused(path, f"{'; '.join(refusal.because)}. {refusal.do}", as_json)
    if not as_json:
        _print_table(path, report)
    return {"file": path.name, **report.as_json()}


def _read(path: Path, most: int) -> bytes:
    if path.is_dir():
        refuse("is a folder; name the files")
    if not path.exists():
        refuse("there is no such file")
    if not path.is_file():
        refuse("is not an ordinary file")
    try:
        size = path.stat().st_size
        if size > most:
            refuse(f"the file is larger than the limit of {most / 1024 / 1024:g} MB")
        return path.read_bytes()
    except PermissionError:
        refuse("the file may not be read")


class _bar:
    """A progress bar on standard error, shown only to a person and only for long work."""

    def __init__(self, path: Path, hidden: bool) -> None:
        self.hidden = hidden
        self.name = path.name
        self.bar: Any = None

    def __enter__(self) -> tuple[Any, None]:
        return self.progress, None

    def progress(self, done: int, of: int) -> None:
        """Move the bar."""
        if self.bar is None:
            stream = sys.stderr
            hidden = self.hidden or of < 2_000 or not stream.isatty()
            self.bar = click.progressbar(length=of, label=f"Reading {self.name}", file=stream, hidden=hidden)
        self.bar.update(done - self.bar.pos)

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.render_finish()


def _refused(path: Path, why: str, as_json: bool) -> dict[str, Any]:
    name = "".join(c if c.isprintable() else "?" for c in path.name)[:120]
    if not as_json:
        click.echo(f"ketaclinic: {name}: {why}. Nothing of it was imported.".replace("..", "."), err=True)
    return {"file": name, "refused": why}


def _print_table(path: Path, report: Any) -> None:
    state = "new patient" if report.new_patient else "known patient"
    click.echo(f"{path.name}: {report.record_number} ({state}), {report.resources} resources")
    rows = report.rows()
    width = max((len(row[1]) for row in rows), default=0)
    for verdict, what, number, why in rows:
        click.echo(f"  {verdict:<9}  {what:<{width}}  {number:>6}  {why}".rstrip())
    for note in report.notes:
        click.echo(f"  note       {note}")
    if not report.changed:
        click.echo("  nothing changed")
