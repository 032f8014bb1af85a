"""What comes out of a bundle, and how single FHIR values are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo


class Unreadable(ValueError):
    """The input may not come in; the message says why in one sentence and names no person."""


@dataclass(frozen=True, slots=True)
class When:
    """A FHIR date or time: a moment in UTC, or a day (``moment`` is none). Partial dates stand for their first day.

    ``on`` is the day as written.
    """

    on: date
    moment: datetime | None = None

    def at(self, zone: ZoneInfo) -> datetime:
        """Return the moment; a day counts from its midnight in the clinic's zone."""
        return self.moment or datetime.combine(self.on, time(), zone)


@dataclass(frozen=True, slots=True)
class IncomingPatient:
    """The one person a bundle is about."""

    source: str
    key: str
    identifiers: tuple[tuple[str, str], ...]
    given_name: str
    family_name: str
    birth_date: date
    sex: str
    phone: str
    email: str
    language: str
    deceased: bool
    deceased_on: date | None
    synthetic: bool


@dataclass(frozen=True, slots=True)
class IncomingRow:
    """One clinical resource as a row of ours: which model, under which source id, when, with which values."""

    model: str
    resource_type: str
    source_id: str
    when: When | None
    title: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """Something that was not taken, and why; ``what`` is a resource type or a part of one."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A resource that its source has taken back since: entered in error, refuted, not done after all."""

    resource_type: str
    source_id: str
    reason: str


@dataclass(slots=True)
class Incoming:
    """A whole bundle, read and checked: nothing of it is stored yet."""

    patient: IncomingPatient
    rows: list[IncomingRow] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    withdrawn: list[Withdrawn] = field(default_factory=list)
    resources: int = 0


def when(value: object) -> When | None:
    """Return a FHIR date, dateTime or instant (already checked by the FHIR model) as ``When``."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = _moment(value) if "T" in value else When(date(*[*map(int, value.split("-")), 1, 1][:3]))
    except Unreadable:
        raise
    except (ValueError, OverflowError):
        found = None
    if found is None or found.on.year == date.min.year:
        raise Unreadable(f"a date that lies outside of the calendar ({clean(value, 25)})")
    return found


def _moment(value: str) -> When | None:
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise Unreadable(f"a time without a time zone ({value[:19]})")
    return When(moment.date(), moment.astimezone(UTC))


def codings(concept: object) -> list[Mapping[str, Any]]:
    """Return the codings of a CodeableConcept, or none; also of one whose structure was not checked yet."""
    listed = concept.get("coding") if isinstance(concept, Mapping) else None
    return [c for c in listed if isinstance(c, Mapping)] if isinstance(listed, list) else []


def first_code(concept: object) -> str | None:
    """Return the first code of a CodeableConcept that carries a status."""
    return next((str(c["code"]) for c in codings(concept) if "code" in c), None)


def named(concept: object) -> tuple[str, str, str]:
    """Return system, code and words of a CodeableConcept; the words fall back to the code."""
    found = codings(concept)
    chosen = next((c for c in found if c.get("code")), found[0] if found else {})
    text = concept.get("text", "") if isinstance(concept, Mapping) else ""
    system, code = str(chosen.get("system", "")), str(chosen.get("code", ""))
    words = clean(str(text or chosen.get("display", "") or code), 240)
    whole = len(system) <= 200 and len(code) <= 60 and (system + code).isprintable()
    return (system, code, words) if whole else ("", "", words)


def clean(text: str, length: int) -> str:
    """Return text from outside on one line, without control characters, at most ``length`` long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:length]
