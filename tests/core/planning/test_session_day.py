"""On which days a session fits the protocol, and when it is the prescriber's decision."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ketacore.evidence import Approval, Setting, SignedPolicies
from ketacore.planning import FITS, PRESCRIBER_DECIDES, PROTOCOLS, RULES, assess_day, plan_series

NASAL, INFUSION = PROTOCOLS["esketamine-trd-us"], PROTOCOLS["ketamine-iv-clinic"]
FIRST = date(2026, 1, 5)


def setting(product: str, day: int) -> Setting:
    on = FIRST + timedelta(days=day)
    lapse = Approval("DEC-08", RULES["DEC-08"].rule_version, "Synthetic director", on)  # type: ignore[arg-type]
    return Setting("US", on, product, SignedPolicies((lapse,)))


def given(*days: int) -> list[date]:
    return [FIRST + timedelta(days=day) for day in days]


@pytest.mark.parametrize(
    ("days", "today", "fits"),
    [
        ((), 0, True),
        ((0,), 0, False),
        ((0,), 1, True),
        ((0, 3), 4, False),
        ((0, 3), 7, True),
        ((0, 3, 7, 10, 14, 17, 21, 24), 28, True),
        ((0, 3, 7, 10, 14, 17, 21, 24, 28), 31, False),
        ((0, 3, 7, 10, 14, 17, 21, 24, 28, 35, 42, 49), 55, False),
        ((0, 3, 7, 10, 14, 17, 21, 24, 28, 35, 42, 49), 56, True),
        ((0, 3), 31, True),
        ((0, 3), 32, False),
        ((0,), 200, False),
    ],
)
def test_the_days_of_the_nasal_spray(days: tuple[int, ...], today: int, fits: bool) -> None:
    decision = assess_day(NASAL, given(*days), setting(NASAL.product, today))
    assert decision.outcome == (FITS if fits else PRESCRIBER_DECIDES)
    assert all(finding.because for finding in decision.fired)


def test_every_planned_day_fits_and_after_the_last_infusion_the_prescriber_decides() -> None:
    days = [session.on for session in plan_series(INFUSION, FIRST).sessions]
    for n, day in enumerate(days):
        place = setting(INFUSION.product, (day - FIRST).days)
        assert assess_day(INFUSION, days[:n], place).outcome == FITS, day
    beyond = setting(INFUSION.product, (days[-1] - FIRST).days + 7)
    ended = assess_day(INFUSION, days, beyond)
    assert ended.outcome == PRESCRIBER_DECIDES
    assert "the protocol is at its end" in ended.fired[0].because[0]
