"""On which days the next session of a protocol may fall: calendar arithmetic, course weeks from the first dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ketacore.planning.protocols import Phase, Protocol
from ketacore.planning.series import phase_on

DAYS = 7


@dataclass(frozen=True, slots=True)
class Window:
    """The days on which the next session may fall, the phase it belongs to, and the day the rhythm points to.

    ``due_on`` is empty where the protocol leaves the spacing open and nobody has chosen it.
    """

    earliest_on: date
    latest_on: date
    due_on: date | None
    week: int
    phase: Phase


def next_window(protocol: Protocol, given_on: Sequence[date], interval_weeks: int | None) -> Window | None:
    """Return the window after the last session given; ``None`` when the protocol is at its end.

    ``given_on`` is not empty and in the order of time.
    """
    first, last = given_on[0], given_on[-1]
    week = week_of(first, last)
    while True:
        phase = _phase(protocol, first, week, len(given_on))
        if phase is None:
            return None
        if phase.longest_interval_weeks > 1:
            return _spaced(first, last, phase, interval_weeks)
        if sum(week_of(first, day) == week for day in given_on) < phase.sessions_per_week and _room(first, last, week):
            return _in_week(first, last, week, phase)
        week += 1


def week_of(first: date, day: date) -> int:
    """Return the week of the course in which a day lies: days 1 to 7 are week 1."""
    return (day - first).days // DAYS + 1


def _phase(protocol: Protocol, first: date, week: int, given: int) -> Phase | None:
    place = phase_on(protocol, first, _start(first, week), given=given)
    return place.phase if place else None


def _start(first: date, week: int) -> date:
    return first + timedelta(days=DAYS * (week - 1))


def _end(first: date, week: int) -> date:
    return _start(first, week) + timedelta(days=DAYS - 1)


def _room(first: date, last: date, week: int) -> bool:
    return last < _end(first, week)


def _in_week(first: date, last: date, week: int, phase: Phase) -> Window:
    earliest = max(last + timedelta(days=1), _start(first, week))
    latest = _end(first, week)
    aim = last + timedelta(days=DAYS // phase.sessions_per_week)
    return Window(earliest, latest, min(max(aim, earliest), latest), week, phase)


def _spaced(first: date, last: date, phase: Phase, interval_weeks: int | None) -> Window:
    earliest = last + timedelta(days=DAYS)
    latest = last + timedelta(days=DAYS * max(phase.longest_interval_weeks, interval_weeks or 0))
    due_on = last + timedelta(days=DAYS * interval_weeks) if interval_weeks else None
    return Window(earliest, latest, due_on, week_of(first, due_on or latest), phase)
