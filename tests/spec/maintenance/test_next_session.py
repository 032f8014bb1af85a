"""Decision table of the next session: a window by the phase, what goes before it, and where no day may be proposed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ketacore.evidence import Approval, Fact, Grade, Refusal, Setting, SignedPolicies
from ketacore.maintenance import OUTCOMES, NextSessionFacts, Proposal, next_session_due
from ketacore.planning import RULES

FIRST = date(2026, 1, 5)
NASAL, IV = "esketamine-trd-us", "ketamine-iv-clinic"
INDUCTION = (0, 3, 7, 10, 14, 17, 21, 24)
WEEKLY = (*INDUCTION, 28, 35, 42, 49)
SERIES = (0, 2, 4, 7, 9, 11, 18, 25, 32, 39)
ALL = tuple(rule.rule_id for rule in RULES if rule.grade is Grade.D)
EVALUATED = {"evaluated_on": Fact.of(FIRST + timedelta(days=27))}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def proposal(
    given: tuple[int, ...],
    on: int,
    *,
    protocol: str = NASAL,
    signed: tuple[str, ...] = ALL,
    place: str = "US",
    **facts: Any,
) -> Proposal:
    at = datetime(2025, 6, 1, tzinfo=UTC)
    made = tuple(Approval(i, RULES[i].rule_version, "Synthetic director", at) for i in signed)
    known = {"starts_on": Fact.of(FIRST), **facts}
    course = NextSessionFacts(protocol, tuple(day(n) for n in given), **known)
    return next_session_due(course, Setting(place, day(on), policies=SignedPolicies(made)))


@pytest.mark.parametrize(
    ("given", "on", "window", "phase", "week"),
    [
        ((), -2, (0, 0, 0), "induction", 1),
        ((0,), 1, (1, 6, 3), "induction", 1),
        ((0, 3), 4, (7, 13, 7), "induction", 2),
        ((0, 6), 6, (7, 13, 9), "induction", 2),
        (INDUCTION, 24, (28, 34, 31), "maintenance-weekly", 5),
        (WEEKLY, 50, (56, 63, 63), "maintenance", 10),
    ],
)
def test_the_label_says_when(
    given: tuple[int, ...], on: int, window: tuple[int, int, int], phase: str, week: int
) -> None:
    found = proposal(given, on, interval_weeks=Fact.of(2), **EVALUATED)
    assert (found.earliest_on, found.latest_on, found.due_on) == tuple(map(day, window))
    assert found.window is not None
    assert (found.window.phase.phase_id, found.window.week) == (phase, week)
    assert (found.outcome, found.overdue_days, found.decide) == ("proposed" if given else "not_started", 0, ())


@pytest.mark.parametrize(
    ("given", "on", "more", "outcome", "told"),
    [
        (INDUCTION, 28, {}, "decide_first", "nobody has"),
        (WEEKLY, 50, EVALUATED, "choose_interval", "Choose the spacing: every week or every 2 weeks"),
        (WEEKLY, 50, {**EVALUATED, "interval_weeks": Fact.of(3)}, "decide_first", "the label ends at every 2 weeks"),
        (
            WEEKLY,
            50,
            {**EVALUATED, "interval_weeks": Fact.of(1), "holds_response": Fact.of(True)},
            "proposed",
            "would every 2 weeks keep it too?",
        ),
        (
            WEEKLY,
            50,
            {**EVALUATED, "interval_weeks": Fact.of(2), "holds_response": Fact.of(False)},
            "proposed",
            "does not hold at every 2 weeks",
        ),
        (
            WEEKLY,
            50,
            {**EVALUATED, "interval_weeks": Fact.of(1), "holds_response": Fact.of(False)},
            "proposed",
            "does not hold at every 1 week:",
        ),
        (
            WEEKLY,
            50,
            {**EVALUATED, "sessions_missed": Fact.of(1), "worse": Fact.of(True)},
            "decide_first",
            "worse by clinical judgement",
        ),
        (INDUCTION, 53, EVALUATED, "lapsed", "Too long since the last session"),
    ],
)
def test_what_the_clinician_decides(
    given: tuple[int, ...], on: int, more: dict[str, Any], outcome: str, told: str
) -> None:
    found = proposal(given, on, **more)
    assert found.outcome == outcome
    assert any(told in line for line in found.decide)
    assert found.in_words == OUTCOMES[outcome]


def test_a_window_that_has_passed_moves_to_the_present_week_and_its_phase() -> None:
    found = proposal((0, 3, 7, 10, 14), 30, **EVALUATED)
    assert (found.earliest_on, found.latest_on, found.overdue_days) == (day(30), day(34), 10)
    assert found.window is not None
    assert (found.window.phase.phase_id, found.window.week) == ("maintenance-weekly", 5)
    assert "SPR-DOS-03" in {f.rule.rule_id for f in found.decision.fired}


def test_after_a_lapse_no_day_is_proposed_and_no_schedule_is_decided() -> None:
    for signed in (ALL, ()):
        found = proposal(INDUCTION, 53, signed=signed, **EVALUATED)
        assert (found.outcome, found.window, found.due_on, found.overdue_days) == ("lapsed", None, None, 0)
        assert not any("once a week" in line for line in found.decide)


@pytest.mark.parametrize(
    ("given", "on", "outcome", "window", "phase"),
    [
        (SERIES[:1], 1, "proposed", (1, 6, 2), "series"),
        (SERIES[:3], 5, "decide_first", (7, 13, 7), "series"),
        (SERIES[:6], 12, "proposed", (14, 20, 18), "weekly"),
        (SERIES[:7], 19, "proposed", (21, 27, 25), "weekly"),
        (SERIES, 40, "open_ended", None, None),
        (SERIES[:6], 40, "lapsed", None, None),
    ],
)
def test_infusions(
    given: tuple[int, ...], on: int, outcome: str, window: tuple[int, int, int] | None, phase: str | None
) -> None:
    found = proposal(given, on, protocol=IV, improvement_percent=Fact.of(60.0))
    days = (found.earliest_on, found.latest_on, found.due_on) if found.window else None
    assert (found.outcome, days) == (outcome, tuple(map(day, window)) if window else None)
    assert (found.window.phase.phase_id if found.window else None) == phase


@pytest.mark.parametrize(
    ("given", "more", "told"),
    [
        ((0,), {"protocol": IV, "signed": ()}, "not signed"),
        ((0,), {"place": "CH"}, "Cannot be told"),
        ((), {"starts_on": Fact.not_asked()}, "Choose the first day"),
    ],
)
def test_where_nothing_can_be_told(given: tuple[int, ...], more: dict[str, Any], told: str) -> None:
    found = proposal(given, 2, **more)
    assert (found.outcome, found.window) == ("cannot_decide", None)
    assert any(told in line for line in found.decide)


def test_a_course_that_cannot_be_is_refused() -> None:
    with pytest.raises(Refusal, match="there is no protocol"):
        proposal((0,), 1, protocol="none")
    with pytest.raises(Refusal, match="not in the order of time"):
        proposal((3, 0), 4)
