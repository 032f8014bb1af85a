"""``ketaclinic export fhir PATIENT…``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ketaclinic.cli.groups import Group
from ketaclinic.cli.starting import print_json, record_ready, refuse, the_clinic, the_member_of_staff


@click.group(cls=Group, name="export")
def command() -> None:
    """Take a whole record out."""


@command.command()
@click.argument("patients", nargs=-1, required=True, metavar="PATIENT…")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Write one file per patient into this folder.")
@click.option("--clinic", "clinic_id", type=int, metavar="ID", help="The clinic; needed when there are several.")
@click.option("--by", "username", metavar="USERNAME", help="A prescriber; default: the clinic's only medical director.")
@click.option("--json", "as_json", is_flag=True, help="With --to: print JSON about what was written.")
def fhir(
    patients: tuple[str, ...], folder: Path | None, clinic_id: int | None, username: str | None, as_json: bool
) -> int:
    """Export patients by record number (K-20417) as FHIR R4 bundles.

    One patient goes to standard output; several need --to. The bundle is JSON and not encrypted.
    """
    if folder is None and len(patients) > 1:
        raise click.UsageError("several patients need --to FOLDER")
    record_ready()
    from ketaclinic.people.permissions import Permission

    clinic = the_clinic(clinic_id)
    by = the_member_of_staff(clinic, username, Permission.EXPORT_RECORD)
    found = [_patient(clinic, number) for number in patients]
    written = [_export(patient, by, folder) for patient in found]
    if folder is not None and as_json:
        print_json({"files": [str(path) for path in written]})
    elif folder is not None:
        for path in written:
            click.echo(path)
    return 0


def _patient(clinic: Any, number: str) -> Any:
    from ketaclinic.people.queries import patient_numbered

    return patient_numbered(clinic, number) or refuse("this clinic has no patient with that record number")


def _export(patient: Any, by: Any, folder: Path | None) -> Path | None:
    from django.utils import timezone

    from ketaclinic.interfaces.fhir.actions import export_patient
    from ketaclinic.interfaces.fhir.outgoing import bundle_as_bytes

    data = bundle_as_bytes(export_patient(patient=patient, by=by, at=timezone.now()))
    if folder is None:
        sys.stdout.buffer.write(data)
        return None
    if folder.exists() and not folder.is_dir():
        refuse(f"{folder.name} is a file; name a folder with --to")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{patient.record_number}.fhir.json"
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path
