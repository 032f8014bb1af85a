"""What happened in a session, newest first; an amended line keeps and shows its old value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import uuid4

from ketaclinic.record.presenters import entered_late
from ketaclinic.treatment.models import SessionEvent
from ketaclinic.treatment.presenters.dues import clock
from ketaclinic.treatment.presenters.words import sentence
from ketacore.treatment.events import PAYLOADS, EventKind, read_payload

_LABELS = {
    "systolic": "Upper, mmHg",
    "diastolic": "Lower, mmHg",
    "heart_rate": "Heart rate, /min",
    "oxygen_saturation": "SpO₂, %",
    "respiratory_rate": "Breaths, /min",
    "temperature_c": "Temperature, °C",
    "moaas": "MOAA/S, 5 to 0",
    "level": "Dissociation",
    "expires_on": "Expiry",
    "rate_mg_per_min": "Rate, mg/min",
    "planned_min": "Planned, min",
    "two_green_dots_before": "Two green dots before",
    "not_primed": "Not primed",
    "no_green_dots_after": "No green dots after",
    "here": "The escort is here",
    "to_escort": "Explained to the escort too",
}


@dataclass(frozen=True, slots=True)
class CorrectField:
    """One field of a correction: name on the wire, label, input type, the value as it stands."""

    name: str
    label: str
    type: str
    value: Any
    numeric: bool = False
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Amendable:
    """An entry to be corrected: how it reads, its fields, and a key for taking it back."""

    text: str
    fields: tuple[CorrectField, ...]
    key: str


def amendable(row: SessionEvent) -> Amendable:
    """Return a stored entry with its fields as they stand."""
    return Amendable(text_of(row), fields_of(EventKind(row.kind), row.payload), uuid4().hex)


def fields_of(kind: EventKind, values: Mapping[str, Any]) -> tuple[CorrectField, ...]:
    """Return the fields of one kind of entry, with the values they have."""
    hints = get_type_hints(PAYLOADS[kind])
    return tuple(_field(f.name, hints[f.name], values.get(f.name)) for f in fields(PAYLOADS[kind]))


def _field(name: str, hint: Any, value: Any) -> CorrectField:
    if isinstance(hint, UnionType):
        hint = next(t for t in get_args(hint) if t is not type(None))
    label = _LABELS.get(name) or name.replace("_", " ").capitalize()
    if hint is bool:
        return CorrectField(name, label, "checkbox", value)
    if hint is date:
        return CorrectField(name, label, "date", value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        options = tuple((m.value, m.value.replace("_", " ").capitalize()) for m in hint)
        return CorrectField(name, label, "select", value, options=options)
    return CorrectField(name, label, "text", value, numeric=hint in (int, float))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what happened."""

    pk: int
    at: datetime
    kind: str
    text: str
    was: str
    note: str
    who: str
    voided: bool
    against: tuple[str, ...] = ()

    @property
    def saved(self) -> bool:
        """A line from the server is saved, always."""
        return True


def lines(rows: Sequence[SessionEvent]) -> tuple[Line, ...]:
    """Return the lines of all standing and undone events, newest first; replaced ones live on in their successor."""
    by_pk = {row.pk: row for row in rows}
    had = _had_before(rows)
    replaced = {row.amends_id for row in rows if row.amends_id is not None}
    shown = [_line(row, by_pk, had) for row in rows if row.pk not in replaced]
    return tuple(sorted(shown, key=lambda line: (line.at, line.pk), reverse=True))


def text_of(row: SessionEvent, *, had: bool = False) -> str:
    """Return one stored event as a sentence; ``had``: a symptom that is not there any more was there before."""
    return sentence(read_payload(row.kind, row.payload), had=had)


def _had_before(rows: Sequence[SessionEvent]) -> frozenset[int]:
    """Return the entries that say a symptom is not there, where it had been: only of these it "is gone"."""
    replaced = {row.amends_id for row in rows if row.amends_id is not None}
    present: set[str] = set()
    gone: set[int] = set()
    for row in sorted(rows, key=lambda row: (row.at, row.pk)):
        if row.kind != EventKind.SYMPTOM or row.voided:
            continue
        symptom = str(row.payload["symptom"])
        if not row.payload.get("present", True):
            gone |= {row.pk} if symptom in present else set()
        if row.pk not in replaced:
            present = present | {symptom} if row.payload.get("present", True) else present - {symptom}
    return frozenset(gone)


def _line(row: SessionEvent, by_pk: Mapping[int, SessionEvent], had: frozenset[int]) -> Line:
    old = by_pk.get(row.amends_id) if row.amends_id is not None else None
    text = text_of(row, had=row.pk in had)
    before = text_of(old, had=old.pk in had) if old is not None else ""
    if row.voided:
        shown, was = "Undone:", before or text
    else:
        shown, was = text, _changed(text, before) if before else ""
    return Line(
        pk=row.pk,
        at=row.at,
        kind=row.kind,
        text=shown,
        was=was,
        note=_note(row, old),
        who=row.recorded_by.display_name,
        voided=row.voided,
        against=tuple(row.on_paper.against) if hasattr(row, "on_paper") else (),
    )


def _changed(new: str, old: str) -> str:
    """Return the parts of the old line that the new one no longer says."""
    kept = set(new.split(", "))
    gone = [part for part in old.split(", ") if part not in kept]
    return ", ".join(gone) or old


def _note(row: SessionEvent, old: SessionEvent | None) -> str:
    if old is not None:
        verb = "undone" if row.voided else "amended"
        told = f"{verb} {clock(row.recorded_at)}: {row.amendment_reason}"
        return "; ".join(filter(None, (_late(old), told)))
    return _late(row)


def _late(row: SessionEvent) -> str:
    """Return that an entry was written down after the fact, and from paper where it was."""
    paper = [f"on paper, {row.on_paper.reason}"] if hasattr(row, "on_paper") else []
    return "; ".join(filter(None, (*paper, entered_late(row))))
