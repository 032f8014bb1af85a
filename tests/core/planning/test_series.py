"""Both protocols on the calendar, and doses by the label."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ketacore.evidence import Refusal, Setting
from ketacore.planning import PROTOCOLS, allowed_doses, check_protocol, phase_on, plan_series, series

NASAL, IV = PROTOCOLS["esketamine-trd-us"], PROTOCOLS["ketamine-iv-clinic"]
MONDAY = date(2026, 11, 23)
US = Setting("US", MONDAY)


def test_the_nasal_label_gives_eight_then_four_then_every_two_weeks() -> None:
    weeks = [s.week for s in series(NASAL, MONDAY)]
    assert weeks == [1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12]


def test_the_infusion_series_is_six_and_then_four() -> None:
    assert [s.phase for s in series(IV, MONDAY)] == ["series"] * 6 + ["weekly"] * 4


def test_a_closed_day_moves_within_its_week_or_is_named() -> None:
    thursday = MONDAY + timedelta(days=3)
    moved = plan_series(NASAL, MONDAY, closed_on=[thursday], closed_weekdays=[5, 6]).sessions[1]
    assert (moved.on, moved.moved_from) == (thursday + timedelta(days=1), thursday)
    week2 = [MONDAY + timedelta(days=7 + n) for n in range(7)]
    assert plan_series(NASAL, MONDAY, closed_on=week2).left_out == (week2[0], week2[3])
    with pytest.raises(Refusal, match="closed"):
        plan_series(NASAL, MONDAY, closed_on=[MONDAY])


@pytest.mark.parametrize(
    ("phase", "before", "dose", "outcome"),
    [
        ("induction", None, 56, "allowed"),
        ("induction", None, 84, "needs_reason"),
        ("induction", 56, 84, "allowed"),
        ("induction", 56, 28, "needs_reason"),
        ("maintenance", 84, 28, "refused"),
    ],
)
def test_doses_by_the_label(phase: str, before: float | None, dose: float, outcome: str) -> None:
    found = {c.dose: c.outcome for c in allowed_doses(NASAL, phase, before, US)}
    assert found[dose] == outcome


def test_an_infusion_needs_its_policies_signed() -> None:
    with pytest.raises(Refusal, match="KC-PRO-IV-01"):
        check_protocol(IV, US)
    with pytest.raises(Refusal, match="this clinic is in UK"):
        check_protocol(NASAL, Setting("UK", MONDAY))


def test_a_day_has_its_place_in_the_course() -> None:
    place = phase_on(NASAL, MONDAY, MONDAY + timedelta(days=28))
    assert place is not None
    assert (place.day, place.week, place.phase) == (29, 5, NASAL.phases[1])
    assert phase_on(NASAL, MONDAY, MONDAY - timedelta(days=1)) is None
