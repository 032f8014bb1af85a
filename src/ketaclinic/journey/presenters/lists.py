"""The list of patients and the timeline, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from ketaclinic.journey.facts import Way, facts_of
from ketaclinic.journey.presenters.words import ROOM_WORDS, STAGE_WORDS, address, day_words
from ketaclinic.people.models import Clinic
from ketaclinic.record.models import TimelineEntry
from ketaclinic.record.presenters import entered_late
from ketacore.evidence import Setting
from ketacore.journey import Standing, where


@dataclass(frozen=True, slots=True)
class PatientLine:
    """One row of the list."""

    pk: int
    name: str
    initials: str
    record_number: str
    birth_date: date
    age: int
    synthetic: bool
    stage: str
    closed: bool
    next_what: str
    next_visit: datetime | None
    url: str


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of the timeline; ``was`` is the value it replaced, ``replaced_by`` says what replaced it."""

    pk: int
    at: datetime
    title: str
    detail: str
    room: str
    stage: str
    who: str
    late: str
    replaced_by: str
    replaced_note: str


def patient_lines(ways: Iterable[Way], clinic: Clinic, setting: Setting, see_chart: bool) -> list[PatientLine]:
    """Return the rows of the list; without the right to see charts a row says nothing clinical."""
    return [_patient_line(way, clinic, setting, see_chart) for way in ways]


def _patient_line(way: Way, clinic: Clinic, setting: Setting, see_chart: bool) -> PatientLine:
    row, standing = way.patient, where(facts_of(way, clinic, setting), setting)
    return PatientLine(
        pk=row.pk,
        name=f"{row.family_name}, {row.given_name}",
        initials=row.initials,
        record_number=row.record_number,
        birth_date=row.birth_date,
        age=row.age_on(row.deceased_on or setting.on),
        synthetic=row.synthetic,
        stage=stage_word(standing) if see_chart else "",
        closed=standing.outcome is not None,
        next_what=standing.next.what if see_chart and standing.next else "",
        next_visit=way.next_session_at if standing.outcome is None else None,
        url=address("journey:chart" if see_chart else "people:patient", row.pk),
    )


def stage_word(standing: Standing) -> str:
    """Return where somebody is in one word: the outcome if the way is closed, else the stage."""
    return STAGE_WORDS[standing.outcome.value if standing.outcome else standing.stage.value]


def timeline_lines(entries: Iterable[TimelineEntry]) -> list[TimelineLine]:
    """Return the lines of the timeline for display."""
    return [_timeline_line(entry) for entry in entries]


def _timeline_line(entry: TimelineEntry) -> TimelineLine:
    successor: TimelineEntry | None = getattr(entry, "amended_by", None)
    return TimelineLine(
        pk=entry.pk,
        at=entry.at,
        title=entry.title,
        detail=entry.detail,
        room=entry.stage,
        stage=ROOM_WORDS.get(entry.stage, entry.stage),
        who=entry.author_name,
        late=entered_late(entry),
        replaced_by=successor.title if successor else "",
        replaced_note=(
            f"changed by {successor.author_name}, {day_words(successor.recorded_at.date())}" if successor else ""
        ),
    )
