"""``ketaclinic audit verify|report|anchor``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ketaclinic.cli.groups import Group
from ketaclinic.cli.main import OUTSIDE
from ketaclinic.cli.starting import print_json, record_ready, refuse, the_clinic, the_member_of_staff


@click.group(cls=Group, name="audit")
def command() -> None:
    """Check the log of who did what, report from it, print its newest hashes."""


@command.command()
@click.option("--clinic", "clinic_id", type=int, metavar="ID", help="Only this clinic's chain.")
@click.option(
    "--anchor",
    "file",
    type=click.Path(path_type=Path),
    help="Also hold it against hashes that were printed or copied earlier.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(clinic_id: int | None, file: Path | None, as_json: bool) -> int:
    """Look whether an entry was edited, deleted, put in, moved, cut off or rewritten.

    Names the first bad entry of every chain; the exit code is then 1.
    """
    record_ready()
    from ketaclinic.audit.anchor import heads
    from ketaclinic.audit.queries import chains
    from ketaclinic.audit.verifying import verify_chain

    given = _points(file) if file is not None else []
    newest = chains()
    names = {*newest, *heads(), *(point.clinic_id for point in given)}
    chosen = [name for name in _in_order(names) if clinic_id is None or name == clinic_id]
    if clinic_id is not None and not chosen:
        refuse(f"no log of clinic {clinic_id} is known")
    length = sum(newest.get(name, 0) for name in chosen)
    hidden = as_json or length < 20_000 or not sys.stderr.isatty()
    with click.progressbar(length=length, label="Verifying", file=sys.stderr, hidden=hidden) as bar:
        found = [verify_chain(name, given, bar.update) for name in chosen]
    _tell(found, as_json)
    return 1 if any(chain.fault for chain in found) else 0


def _in_order(names: Iterable[int | None]) -> list[int | None]:
    return sorted(names, key=lambda name: (name is not None, name or 0))


def _points(file: Path) -> list[Any]:
    from ketaclinic.audit.anchor import points_in

    try:
        points = points_in(file.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        refuse(f"the anchor file cannot be read ({error.strerror})")
    return points or refuse("the anchor file holds no line of the form CLINIC NUMBER HASH")


def _tell(found: Sequence[Any], as_json: bool) -> None:
    if as_json:
        chains = [asdict(chain) for chain in found]
        print_json({"ok": not any(chain.fault for chain in found), "chains": chains})
        return
    for chain in found:
        name = _called(chain.clinic_id)
        if chain.fault is None:
            click.echo(f"ok      {name}: {chain.entries} entries")
        else:
            where = f"entry {chain.fault.seq}" + (f" (row {chain.fault.key})" if chain.fault.key is not None else "")
            click.echo(f"FAILED  {name}: first bad {where}: {chain.fault.kind}: {chain.fault.says}")
        for note in chain.notes:
            click.echo(f"note    {name}: {note}")
    if not found:
        click.echo("The log is empty.")


def _called(clinic_id: int | None) -> str:
    return "installation" if clinic_id is None else f"clinic {clinic_id}"


# ---- the anchor ----------------------------------------------------------------------------------------------------


@command.command()
@click.option("--to", "file", type=click.Path(path_type=Path), help="Write the lines to this file too.")
@click.option("--accept", "reason", metavar="REASON", help="After a restore or a loss: go on from what is there.")
def anchor(file: Path | None, reason: str | None) -> int:
    """Print the newest hash of every chain, to be kept on paper or on another machine.

    Later, ``ketaclinic audit verify --anchor FILE`` holds the log against these lines; copied by hand, the first
    twelve digits of a hash are enough.
    """
    record_ready()
    from django.utils import timezone

    from ketaclinic.audit.actions import accept_anchor
    from ketaclinic.audit.queries import newest_points

    if reason is not None:
        accept_anchor(at=timezone.now(), reason=reason.strip() or refuse("say why with --accept REASON"))
    text = "".join(point.line() for point in newest_points(timezone.now()))
    if file is not None:
        _write(file, text)
    click.echo(text or "The log is empty.\n", nl=False)
    return 0


def _write(file: Path, text: str) -> None:
    try:
        file.touch(mode=0o600)
        file.write_text(text, encoding="ascii")
    except OSError as error:
        click.echo(f"ketaclinic: {file.name} cannot be written ({error.strerror})", err=True)
        raise click.exceptions.Exit(OUTSIDE) from None


# ---- the report ----------------------------------------------------------------------------------------------------

SORTS = ("time", "who", "action", "patient")
HEAD = (
    "number", "time", "who", "role", "action", "outcome", "patient", "object", "fields", "reason", "page", "from",
    "device", "request", "written late",
)  # fmt: skip
SHORT = (1, 2, 4, 5, 6, 10, 7, 11, 9)
"""The columns of the table for people; the files hold all of them."""


@command.command()
@click.option("--patient", "record_number", metavar="RECORD_NUMBER", help="Whatever was done about this patient.")
@click.option("--staff", "username", metavar="USERNAME", help="Whatever this member of staff did.")
@click.option("--own", "own_name", metavar="USERNAME", help="Whatever this patient or caregiver did.")
@click.option("--installation", is_flag=True, help="What belongs to no clinic: strangers, the command line.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day, by the clinic's calendar.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day, included.")
@click.option("--sort", type=click.Choice(SORTS), default="time", show_default=True, help="What the lines go by.")
@click.option("--format", "shape", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--clinic", "clinic_id", type=int, metavar="ID", help="The clinic; needed when there are several.")
@click.option("--by", "reader", metavar="USERNAME", help="Who reads it; default: the clinic's only administrator.")
def report(
    record_number: str | None,
    username: str | None,
    own_name: str | None,
    installation: bool,
    first: datetime | None,
    last: datetime | None,
    sort: str,
    shape: str,
    clinic_id: int | None,
    reader: str | None,
) -> int:
    """Tell who did what about a patient, by somebody, or in a period; the report itself is logged."""
    if not (record_number or username or own_name or installation or first or last):
        raise click.UsageError("name --patient, --staff, --own, --installation, --from or --to")
    if (username and own_name) or (installation and (record_number or username or own_name)):
        raise click.UsageError(
            "--staff, --own and --installation exclude each other, and --installation is about no patient"
        )
    if first and last and first > last:
        raise click.UsageError("--from is later than --to")
    record_ready()
    from ketaclinic.people.permissions import Permission

    clinic = the_clinic(clinic_id)
    by = the_member_of_staff(clinic, reader, Permission.READ_AUDIT)
    patient = _patient(clinic, record_number) if record_number else None
    who = _member(clinic, username) if username else _own(clinic, own_name) if own_name else None
    since = first.replace(tzinfo=clinic.zone) if first else None
    until = (last + timedelta(days=1)).replace(tzinfo=clinic.zone) if last else None
    about = _About(None if installation else clinic.pk, patient, who, since, until)
    lines = _lines(clinic, by, about)
    _print(sorted(lines, key=_keys(sort)), shape)
    return 0


def _patient(clinic: Any, number: str) -> Any:
    from ketaclinic.people.queries import patient_numbered

    return patient_numbered(clinic, number) or refuse("this clinic has no patient with that record number")


def _member(clinic: Any, username: str) -> Any:
    from ketaclinic.people.queries import staff_of

    return staff_of(clinic).filter(user__username=username).first() or refuse("this clinic has no such sign-in")


def _own(clinic: Any, username: str) -> Any:
    from ketaclinic.people.models import PersonalAccess

    rows = PersonalAccess.objects.of(clinic).filter(user__username=username)
    return rows.first() or refuse("no patient or caregiver of this clinic has such a sign-in")


@dataclass(frozen=True, slots=True)
class _About:
    """What a report is about."""

    clinic_id: int | None
    patient: Any
    who: Any
    since: datetime | None
    until: datetime | None

    def in_words(self) -> str:
        """Return what was asked, for the log: ids only."""
        asked = f"{getattr(self.who, 'actor_kind', 'staff')} {self.who.pk if self.who else 'all'}"
        asked = "the installation" if self.clinic_id is None else asked
        return f"{asked}, from {self.since or 'the first'}, to before {self.until or 'now'}"


def _lines(clinic: Any, by: Any, about: _About) -> list[tuple[Any, ...]]:
    """Return the report, line by line as ``HEAD`` says, and put into the log that it was made."""
    from django.utils import timezone

    from ketaclinic.audit.actions import write_audit
    from ketaclinic.audit.queries import entries_between
    from ketaclinic.people.models import Patient
    from ketaclinic.people.queries import staff_of

    patient_id = about.patient.pk if about.patient else None
    told = {"patient_id": patient_id, "by": about.who, "since": about.since, "until": about.until}
    entries = list(entries_between(about.clinic_id, **told))
    asked = f"{about.in_words()}: {len(entries)} entries"
    write_audit("read_audit", by=by, at=timezone.now(), patient_id=patient_id, reason=asked)
    numbers = dict(Patient.objects.of(clinic).values_list("pk", "record_number"))
    names = {one.pk: f"{one.display_name} ({one.user.username})" for one in staff_of(clinic)}
    return [_line(entry, clinic, numbers, names) for entry in entries]


def _line(entry: Any, clinic: Any, numbers: dict[int, str], names: dict[int, str]) -> tuple[Any, ...]:
    known = names.get(entry.actor_id) if entry.actor_kind == "staff" else None
    late = entry.written_late_at
    return (
        entry.seq,
        entry.at.astimezone(clinic.zone).isoformat(timespec="seconds"),
        known or f"{entry.actor_kind} {entry.actor_id or ''}".strip(),
        entry.actor_role,
        entry.action,
        entry.outcome,
        numbers.get(entry.patient_id, entry.patient_id or ""),
        f"{entry.object_type} {entry.object_id}".strip(),
        entry.fields,
        entry.reason,
        entry.route,
        entry.from_address,
        entry.device,
        entry.request_id,
        late.astimezone(clinic.zone).isoformat(timespec="seconds") if late else "",
    )


def _keys(sort: str) -> Any:
    place = HEAD.index(sort)
    return lambda line: (str(line[place]), line[1], line[0])


def _print(lines: Sequence[tuple[Any, ...]], shape: str) -> None:
    if shape == "json":
        print_json({"entries": [dict(zip(HEAD, line, strict=True)) for line in lines]})
    elif shape == "csv":
        from ketaclinic.design.table import write_csv

        write_csv(sys.stdout, HEAD, lines)
    else:
        _print_table([HEAD, *lines] if lines else [])
        click.echo(f"{len(lines)} entries")


def _print_table(lines: Sequence[tuple[Any, ...]]) -> None:
    cells = [["".join(c if c.isprintable() else " " for c in str(line[n])) for n in SHORT] for line in lines]
    widths = [min(40, max(len(row[n]) for row in cells)) for n in range(len(SHORT))] if cells else []
    for row in cells:
        *most, final = row
        told = [f"{cell[:width]:<{width}}" for cell, width in zip(most, widths, strict=False)]
        click.echo("  ".join([*told, final[:120]]).rstrip())
