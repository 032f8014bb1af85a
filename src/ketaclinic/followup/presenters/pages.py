"""The page of a patient's follow-up, the form of an instrument, and the card on the chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ketaclinic.followup import queries
from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.followup.presenters.alerts import AlertLine, alert_line
from ketaclinic.followup.presenters.course import ScoreCourse, score_course
from ketaclinic.people.models import Patient
from ketacore.evidence import Finding, State
from ketacore.followup import RULES
from ketacore.scales import SCALES, Item, Scale


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be tapped."""

    value: int
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One item on the form."""

    key: str
    number: int
    text: str
    choices: tuple[Choice, ...]
    missing: bool
    extra: bool


def questions(scale: Scale, given: Mapping[str, int | None], *, sent: bool) -> tuple[Question, ...]:
    """Return the items with what was tapped; nothing is filled in that nobody chose."""
    listed = [(item, False) for item in scale.items] + [(item, True) for item in scale.extras]
    return tuple(_question(item, given.get(item.key), sent, extra) for item, extra in listed)


def _question(item: Item, value: int | None, sent: bool, extra: bool) -> Question:
    return Question(
        key=item.key,
        number=item.number,
        text=item.text or f"Item {item.number}",
        choices=tuple(Choice(o.value, o.text, o.value == value) for o in item.options),
        missing=sent and value is None and not extra,
        extra=extra,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """One item and the answer given, in words."""

    number: int
    text: str
    answer: str
    changed: bool = False


def told(answer: ScaleAnswer) -> tuple[Told, ...]:
    """Return a stored form item by item; an item without an answer says so."""
    scale = SCALES[answer.instrument]
    lines = []
    for item in (*scale.items, *scale.extras):
        value = answer.answers.get(item.key)
        words = "not answered" if value is None else f"{item.words(value)} ({value})"
        lines.append(Told(item.number, item.text or f"Item {item.number}", words))
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A form that gave no number."""

    pk: int
    at: datetime
    name: str
    missing: int


@dataclass(frozen=True, slots=True)
class FollowupPage:
    """What the page of one patient shows."""

    courses: tuple[ScoreCourse, ...]
    alerts: tuple[AlertLine, ...]
    past_alerts: tuple[AlertLine, ...]
    incomplete: tuple[Incomplete, ...]
    caution: Finding


def followup_page(patient: Patient, at: datetime) -> FollowupPage:
    """Return scores, alerts and forms without a number."""
    lines = [alert_line(alert, at) for alert in queries.alerts_of(patient, at)]
    return FollowupPage(
        courses=tuple(score_course(patient, at, instrument) for instrument in ordered()),
        alerts=tuple(line for line in lines if line.state != "closed"),
        past_alerts=tuple(line for line in lines if line.state == "closed"),
        incomplete=_incomplete(patient, at),
        caution=Finding(RULES["RS-01-N"], State.FIRED, ("PHQ-9 holds one item about suicide",)),
    )


def ordered() -> tuple[str, ...]:
    """Return the instruments, depression first."""
    return tuple(sorted(SCALES, key=lambda name: (SCALES[name].measures != "depression", name)))


def _incomplete(patient: Patient, at: datetime) -> tuple[Incomplete, ...]:
    found = []
    for row in queries.answers_of(patient, at).filter(complete=False):
        scale = SCALES[row.instrument]
        missing = sum(item.key not in row.answers for item in scale.items)
        found.append(Incomplete(row.pk, row.at, scale.name, missing))
    return tuple(reversed(found))


@dataclass(frozen=True, slots=True)
class FollowupCard:
    """What the chart shows of follow-up."""

    course: ScoreCourse
    alerts: tuple[AlertLine, ...]


def chart_card(patient: Patient, at: datetime) -> FollowupCard:
    """Return the depression course and the open alerts of a patient."""
    alerts = [alert_line(a, at) for a in queries.open_alerts(patient.clinic, at).filter(patient=patient)]
    return FollowupCard(score_course(patient, at), tuple(alerts))
