"""What happened in a session, newest first; an amended line keeps and shows its old value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ketaclinic.treatment.models import SessionEvent
from ketaclinic.treatment.presenters.dues import clock
from ketaclinic.treatment.presenters.words import sentence
from ketacore.treatment.events import EventKind, read_payload

_LATE_MINUTES = 2
_FIELDS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    EventKind.VITALS.value: (
        ("systolic", "Upper, mmHg", "number"),
        ("diastolic", "Lower, mmHg", "number"),
        ("heart_rate", "Heart rate, /min", "number"),
        ("oxygen_saturation", "SpO₂, %", "number"),
        ("respiratory_rate", "Breaths, /min", "number"),
    ),
    EventKind.SEDATION.value: (("moaas", "MOAA/S, 5 to 0", "number"),),
    EventKind.ESCORT.value: (("name", "Name of the escort", "text"),),
}
"""What can be corrected in place; anything else is undone and entered again."""


@dataclass(frozen=True, slots=True)
class CorrectField:
    """One field of a correction: name on the wire, label, input type, the value as it stands."""

    name: str
    label: str
    type: str
    value: Any


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
    correct: tuple[CorrectField, ...]
    payload: Mapping[str, Any]

    @property
    def saved(self) -> bool:
        """A line from the server is saved, always."""
        return True


def lines(rows: Sequence[SessionEvent]) -> tuple[Line, ...]:
    """Return the lines of all standing and undone events, newest first; replaced ones live on in their successor."""
    by_pk = {row.pk: row for row in rows}
    replaced = {row.amends_id for row in rows if row.amends_id is not None}
    shown = [_line(row, by_pk) for row in rows if row.pk not in replaced]
    return tuple(sorted(shown, key=lambda line: (line.at, line.pk), reverse=True))


def text_of(row: SessionEvent) -> str:
    """Return one stored event as a sentence."""
    return sentence(read_payload(row.kind, row.payload))


def _line(row: SessionEvent, by_pk: Mapping[int, SessionEvent]) -> Line:
    old = by_pk.get(row.amends_id) if row.amends_id is not None else None
    text = text_of(row)
    if row.voided:
        shown, was = "Undone", text_of(old) if old is not None else text
    else:
        shown, was = text, _changed(text, text_of(old)) if old is not None else ""
    return Line(
        pk=row.pk,
        at=row.at,
        kind=row.kind,
        text=shown,
        was=was,
        note=_note(row, old),
        who=row.recorded_by.display_name,
        voided=row.voided,
        correct=() if row.voided else _correct(row),
        payload=row.payload,
    )


def _changed(new: str, old: str) -> str:
    """Return the parts of the old line that the new one no longer says."""
    kept = set(new.split(", "))
    gone = [part for part in old.split(", ") if part not in kept]
    return ", ".join(gone) or old


def _note(row: SessionEvent, old: SessionEvent | None) -> str:
    if old is not None:
        verb = "undone" if row.voided else "amended"
        return f"{verb} {clock(row.recorded_at)}: {row.amendment_reason}"
    minutes = int((row.recorded_at - row.at).total_seconds() // 60)
    return f"entered {minutes} min later" if minutes > _LATE_MINUTES else ""


def _correct(row: SessionEvent) -> tuple[CorrectField, ...]:
    return tuple(CorrectField(n, label, kind, row.payload.get(n)) for n, label, kind in _FIELDS.get(row.kind, ()))
