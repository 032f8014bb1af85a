"""Which long-term screen is due, since when, and why. No result on file is unknown, never fine."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ketacore.evidence import RULE_PACK, Decision, Finding, Rule, Setting, Standing, State, standing
from ketacore.surveillance.facts import Done, SurveillanceFacts
from ketacore.surveillance.rules import RULES
from ketacore.surveillance.screens import SCREENS, Screen

MONTHS_PER_YEAR = 12


class Stand(StrEnum):
    """Where a screen stands."""

    OVERDUE = "overdue"
    DUE = "due"
    UNKNOWN = "unknown"
    CURRENT = "current"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True, slots=True)
class ScreenDue:
    """One screen: where it stands, since when or until when, and the rules behind it.

    ``UNKNOWN`` means that no result is on file; ``overdue`` says whether it should have been there by now.
    ``due_on`` is empty where the interval is not signed, or where the next session, not a day, makes it due.
    """

    screen: Screen
    stand: Stand
    why: str
    due_on: date | None = None
    last_on: date | None = None
    overdue: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def asks(self) -> bool:
        """Return whether somebody should do this screen now, or enter its result."""
        return self.stand in (Stand.OVERDUE, Stand.DUE, Stand.UNKNOWN) or any(
            f.rule.effect == "task" and f.state is State.FIRED for f in self.findings
        )


@dataclass(frozen=True, slots=True)
class ScreenHere:
    """A screen of the place and product with the rules behind it; ``signed`` says whether its interval holds."""

    screen: Screen
    rule: Rule
    signed: bool
    watched: tuple[Rule, ...]


def screens_here(setting: Setting) -> tuple[ScreenHere, ...]:
    """Return the screens of the place and product, in the order of ``SCREENS``; the same for every patient there."""
    found = []
    for screen in SCREENS:
        rule = RULES[screen.rule_id]
        stands = standing(rule, setting)
        if stands in (Standing.ACTIVE, Standing.UNSIGNED):
            watched = tuple(RULES[i] for i in screen.watch if standing(RULES[i], setting) is Standing.ACTIVE)
            found.append(ScreenHere(screen, rule, stands is Standing.ACTIVE, watched))
    return tuple(found)


def screens_due(
    facts: SurveillanceFacts, setting: Setting, here: tuple[ScreenHere, ...] | None = None
) -> tuple[ScreenDue, ...]:
    """Return where every screen of the place and product stands.

    ``here`` are the screens of the setting, where the caller asks about many patients and has them already.
    """
    return tuple(_screen(s, facts, setting.on) for s in (screens_here(setting) if here is None else here))


def surveillance(facts: SurveillanceFacts, setting: Setting) -> Decision:
    """Return all screens as one decision: ``overdue``, ``due``, ``unknown``, ``not_evaluated`` or ``current``.

    The outcome is that of the screen that asks most.
    """
    screens = screens_due(facts, setting)
    stands = {Stand.OVERDUE if s.overdue else s.stand for s in screens}
    order = (Stand.OVERDUE, Stand.DUE, Stand.UNKNOWN, Stand.NOT_EVALUATED, Stand.CURRENT)
    outcome = next((stand for stand in order if stand in stands), Stand.NOT_EVALUATED)
    findings = tuple(f for s in screens for f in s.findings)
    return Decision("surveillance", outcome.value, setting, RULE_PACK, findings)


def _screen(here: ScreenHere, facts: SurveillanceFacts, on: date) -> ScreenDue:
    screen, rule, done = here.screen, here.rule, facts.done.get(here.screen.kind)
    last_on = done.on if done else None
    watched = tuple(_watched(other, done) for other in here.watched)
    if not here.signed:
        why = "the interval is clinic policy and not signed by the medical director"
        finding = Finding(rule, State.NOT_EVALUATED, (why,))
        return ScreenDue(screen, Stand.NOT_EVALUATED, why, last_on=last_on, findings=(finding, *watched))
    stand, why, due_on = _asked(screen, rule, facts, on)
    overdue = due_on is not None and due_on < on
    finding = Finding(rule, _STATES[stand], (why,), () if done else (f"{screen.kind}_result",))
    return ScreenDue(screen, stand, why, due_on, last_on, overdue, (finding, *watched))


_STATES = {
    Stand.OVERDUE: State.FIRED,
    Stand.DUE: State.FIRED,
    Stand.CURRENT: State.CLEAR,
    Stand.UNKNOWN: State.NOT_EVALUATED,
}


def _watched(rule: Rule, done: Done | None) -> Finding:
    if done is None:
        return Finding(rule, State.NOT_EVALUATED, ("no result on file",), ("result",))
    if done.finding:
        return Finding(rule, State.FIRED, (f"a finding on {done.on.isoformat()}: a clinician decides what follows",))
    return Finding(rule, State.CLEAR, (f"nothing found on {done.on.isoformat()}",))


def _asked(screen: Screen, rule: Rule, facts: SurveillanceFacts, on: date) -> tuple[Stand, str, date | None]:
    done = facts.done.get(screen.kind)
    if done is None:
        return Stand.UNKNOWN, "no result on file", _first_due(screen, rule, facts)
    if screen.cadence == "once":
        return Stand.CURRENT, f"done on {done.on.isoformat()}", None
    if screen.cadence == "session_then_months" and facts.induction.value is not False:
        return _by_session(facts, done, on)
    months = int(rule.number(screen.months))
    due_on = add_months(done.on, months)
    told = f"last on {done.on.isoformat()}, every {months} month{'s' if months > 1 else ''}"
    return _by_day(due_on, on), told, due_on


def _first_due(screen: Screen, rule: Rule, facts: SurveillanceFacts) -> date | None:
    began = facts.baseline_on
    if began is None or screen.before_treatment:
        return began
    return add_months(began, int(rule.number(screen.months)))


def _by_session(facts: SurveillanceFacts, done: Done, on: date) -> tuple[Stand, str, date | None]:
    given = [day for day in facts.given_on if day <= on]
    told = f"last on {done.on.isoformat()}, at every session of the induction"
    missed = next((day for day in given if day > done.on), None)
    if missed is None:
        return Stand.CURRENT, f"{told}; due again at the next session", None
    return _by_day(missed, on), f"{told}; a session was given on {missed.isoformat()}", missed


def _by_day(due_on: date, on: date) -> Stand:
    if on > due_on:
        return Stand.OVERDUE
    return Stand.DUE if on == due_on else Stand.CURRENT


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later; the last day of a month that is too short."""
    count = day.year * MONTHS_PER_YEAR + day.month - 1 + months
    year, month = divmod(count, MONTHS_PER_YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
