"""What cannot have happened yet: a record tells of the past, and the history shows nothing that lies ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from ketaclinic.interfaces.fhir.incoming import IncomingRow
from ketaclinic.people.models import Clinic

WARNS = ("Problem", "Allergy")
"""Rows whose loss could hide a danger: they are taken even where their date cannot be."""


def possible(row: IncomingRow, *, at: datetime, clinic: Clinic) -> tuple[IncomingRow | None, str]:
    """Return the row as it can be stored at ``at``, or none, and what the report says about its date."""
    today = clinic.day_of(at)
    ahead = row.when is not None and row.when.at(clinic.zone) > at
    if row.model not in WARNS:
        return (None, f"{_named(row)}: dated {_days(row, today)}, after this import") if ahead else (row, "")
    impossible = {name: None for name, value in row.fields.items() if isinstance(value, date) and value > today}
    if not ahead and not impossible:
        return row, ""
    told = f"{_named(row)}: its date ({_days(row, today)}) lies after this import; taken without it, ask when it was."
    return replace(row, when=None if ahead else row.when, fields={**row.fields, **impossible}), told


def _named(row: IncomingRow) -> str:
    return f"{row.title} [{row.source_id}]"


def _days(row: IncomingRow, today: date) -> str:
    days = {value for value in row.fields.values() if isinstance(value, date) and value > today}
    if row.when is not None and not days:
        days = {row.when.on}
    return ", ".join(f"{day.day} {day:%b} {day.year}" for day in sorted(days))
