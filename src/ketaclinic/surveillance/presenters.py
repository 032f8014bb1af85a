"""Screens as the page and the chart show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ketaclinic.people.models import Patient
from ketaclinic.people.presenters import day_words, with_day_words
from ketaclinic.policy.presenters import told
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.surveillance.queries import results_of, screens_due
from ketacore.evidence import Finding
from ketacore.surveillance import ScreenDue, Stand

STAND_WORDS = {
    Stand.OVERDUE: "Overdue",
    Stand.DUE: "Due today",
    Stand.UNKNOWN: "No result on file",
    Stand.CURRENT: "Up to date",
    Stand.NOT_EVALUATED: "Interval not signed",
}
_BADGES = {Stand.OVERDUE: "med", Stand.DUE: "med", Stand.UNKNOWN: "unsure", Stand.NOT_EVALUATED: "unsure"}
_MARKS = {
    Stand.OVERDUE: "caution",
    Stand.DUE: "due",
    Stand.UNKNOWN: "unknown",
    Stand.CURRENT: "fine",
    Stand.NOT_EVALUATED: "unknown",
}


@dataclass(frozen=True, slots=True)
class ScreenLine:
    """One screen with its stand in words."""

    kind: str
    title: str
    mark: str
    badge: str
    stand: str
    why: str
    when: str
    overdue: bool
    findings: tuple[Finding, ...]


def screen_line(due: ScreenDue, on: date) -> ScreenLine:
    """Return one line of the list."""
    return ScreenLine(
        kind=due.screen.kind,
        title=due.screen.title,
        mark=_MARKS[due.stand],
        badge="med" if due.overdue else _BADGES.get(due.stand, ""),
        stand=STAND_WORDS[due.stand],
        why=with_day_words(due.why),
        when=_when(due, on),
        overdue=due.overdue,
        findings=told(due.findings),
    )


def _when(due: ScreenDue, on: date) -> str:
    if due.due_on is None:
        return ""
    days = (on - due.due_on).days
    day = day_words(due.due_on)
    if days > 0:
        return f"was due {day}, {days} day{'s' if days > 1 else ''} ago"
    return f"due {day}"


@dataclass(frozen=True, slots=True)
class SurveillancePage:
    """What the page of one patient shows; without a plan ``lines`` is empty."""

    lines: tuple[ScreenLine, ...]
    results: tuple[ScreenResult, ...]


def surveillance_page(patient: Patient, at: datetime) -> SurveillancePage:
    """Return where each screen stands, and the results on file, newest first."""
    return SurveillancePage(lines_of(patient, at), tuple(results_of(patient, at)[:50]))


def lines_of(patient: Patient, at: datetime) -> tuple[ScreenLine, ...]:
    """Return the screens, what asks most first."""
    order = [Stand.OVERDUE, Stand.DUE, Stand.UNKNOWN, Stand.NOT_EVALUATED, Stand.CURRENT]
    on = patient.clinic.day_of(at)
    ranked = sorted(screens_due(patient, at), key=lambda s: (not s.overdue, order.index(s.stand)))
    return tuple(screen_line(due, on) for due in ranked)


@dataclass(frozen=True, slots=True)
class SurveillanceCard:
    """What the chart shows: the screens that ask for something, and how many are up to date."""

    asking: tuple[ScreenLine, ...]
    current: int


def chart_card(patient: Patient, at: datetime) -> SurveillanceCard | None:
    """Return the card, or ``None`` while no plan stands."""
    lines = lines_of(patient, at)
    if not lines:
        return None
    fine = [line for line in lines if line.stand == STAND_WORDS[Stand.CURRENT]]
    return SurveillanceCard(tuple(line for line in lines if line not in fine), len(fine))
