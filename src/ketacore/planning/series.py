"""From a protocol and a first day to dated sessions, and from a day back to its place in the protocol."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ketacore.evidence import Refusal
from ketacore.planning.protocols import Phase, Protocol

DAYS = 7


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """One session of a series. ``moved_from`` is the day it would have had if the clinic were open then."""

    number: int
    on: date
    week: int
    day: int
    phase: str
    rule_id: str
    moved_from: date | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """The sessions of a protocol on the calendar, and the days for which no open day was left in their week."""

    sessions: tuple[PlannedSession, ...]
    left_out: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a day lies in a course: day 1 is the first dose, days 1 to 7 are week 1 (DEC-07)."""

    day: int
    week: int
    phase: Phase | None


def series(
    protocol: Protocol,
    first_on: date,
    *,
    weekdays: Collection[int] = (),
    weeks: int | None = None,
    interval_weeks: int | None = None,
    closed_on: Collection[date] = (),
    closed_weekdays: Collection[int] = (),
) -> tuple[PlannedSession, ...]:
    """Return the dated sessions alone; see ``plan_series``."""
    return plan_series(
        protocol,
        first_on,
        weekdays=weekdays,
        weeks=weeks,
        interval_weeks=interval_weeks,
        closed_on=closed_on,
        closed_weekdays=closed_weekdays,
    ).sessions


def plan_series(
    protocol: Protocol,
    first_on: date,
    *,
    weekdays: Collection[int] = (),
    weeks: int | None = None,
    interval_weeks: int | None = None,
    closed_on: Collection[date] = (),
    closed_weekdays: Collection[int] = (),
) -> Series:
    """Return the sessions of ``weeks`` weeks from ``first_on``, which is day 1.

    ``weekdays`` (0 = Monday) are the days wanted; the weekday of day 1 must be one of them. ``interval_weeks`` is
    the spacing of a phase that leaves a choice; without it the least frequent one is taken. A session that falls
    on a closed day moves to the nearest open day of its own week, later rather than earlier; when there is none,
    it is named in ``left_out`` and the schedule goes on. Raises ``Refusal`` when day 1 is closed or the weekdays
    are too few.
    """

    def is_open(day: date) -> bool:
        return day not in closed_on and day.weekday() not in closed_weekdays

    if not is_open(first_on):
        raise Refusal(
            "Planning the series", [f"the clinic is closed on {first_on.isoformat()}"], "Choose another first day."
        )
    offsets = _offsets(protocol, first_on, weekdays)
    sessions: list[PlannedSession] = []
    left_out: list[date] = []
    for week in range(1, (weeks or protocol.preview_weeks) + 1):
        phase = _phase_of_week(protocol, week)
        if phase is None or not _has_session(phase, week, interval_weeks):
            continue
        start = first_on + timedelta(days=DAYS * (week - 1))
        wanted = [start + timedelta(days=offset) for offset in offsets[: phase.sessions_per_week]]
        placed, without_room = _place(wanted, [d for d in _days_of(start) if is_open(d)])
        left_out += without_room
        for on, moved_from in placed:
            sessions.append(
                PlannedSession(
                    number=len(sessions) + 1,
                    on=on,
                    week=week,
                    day=(on - first_on).days + 1,
                    phase=phase.phase_id,
                    rule_id=phase.rule.rule_id,
                    moved_from=moved_from,
                )
            )
    return Series(tuple(sessions), tuple(left_out))


def phase_on(protocol: Protocol, first_given_on: date, on: date, *, given: int | None = None) -> Place | None:
    """Return the place of ``on`` in a course that began on ``first_given_on``; ``None`` before it began.

    A phase that counts sessions (six infusions) lasts until they are given: with ``given`` the phase is that of
    the next session. The phase is ``None`` when the protocol is at its end.
    """
    if on < first_given_on:
        return None
    day = (on - first_given_on).days + 1
    week = (day - 1) // DAYS + 1
    if given is not None and protocol.phases[0].sessions is not None:
        return Place(day, week, _phase_of_number(protocol, given + 1))
    return Place(day, week, _phase_of_week(protocol, week))


def planned_dose(protocol: Protocol, number: int, chosen: float) -> float:
    """Return the dose planned for session ``number``: a dose in mg begins with the first-day dose of the label."""
    return protocol.first_dose if number == 1 and protocol.dose_unit == "mg" else chosen


def _offsets(protocol: Protocol, first_on: date, weekdays: Collection[int]) -> list[int]:
    needed = protocol.most_sessions_per_week
    if not weekdays:
        return list(protocol.weekday_offsets)
    offsets = sorted({(day - first_on.weekday()) % DAYS for day in weekdays})
    if 0 not in offsets:
        raise Refusal(
            "Planning the series",
            ["the first day is not on one of the chosen weekdays"],
            "Choose a first day on one of them, or add its weekday.",
        )
    if len(offsets) < needed:
        raise Refusal(
            "Planning the series",
            [f"{len(offsets)} weekdays were chosen, the protocol needs {needed} in its busiest weeks"],
            f"Choose {needed} weekdays.",
        )
    return offsets


def _phase_of_week(protocol: Protocol, week: int) -> Phase | None:
    return next((phase for phase in protocol.phases if phase.covers(week)), None)


def _phase_of_number(protocol: Protocol, number: int) -> Phase | None:
    for phase in protocol.phases:
        if phase.sessions is None or number <= phase.sessions:
            return phase
        number -= phase.sessions
    return None


def _has_session(phase: Phase, week: int, interval_weeks: int | None) -> bool:
    if phase.longest_interval_weeks == 1:
        return True
    # The spacing counts from the last week before the phase: after week 8, "every two weeks" means week 10.
    return (week - phase.first_week + 1) % (interval_weeks or phase.longest_interval_weeks) == 0


def _days_of(start: date) -> Iterator[date]:
    return (start + timedelta(days=n) for n in range(DAYS))


def _place(wanted: list[date], open_days: list[date]) -> tuple[list[tuple[date, date | None]], list[date]]:
    placed: list[tuple[date, date | None]] = [(day, None) for day in wanted if day in open_days]
    left_out: list[date] = []
    for day in wanted:
        if day in open_days:
            continue
        taken = {d for d, _ in placed}
        free = [d for d in open_days if d not in taken]
        if free:
            placed.append((min(free, key=lambda d: (abs((d - day).days), d < day)), day))
        else:
            left_out.append(day)
    return sorted(placed, key=lambda pair: pair[0]), left_out
