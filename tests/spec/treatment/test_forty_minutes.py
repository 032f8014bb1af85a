"""DEC-10: the reading 40 minutes after the last device, as a table. Minutes count from the last device."""

from __future__ import annotations

import pytest

from ketacore.treatment import ready_for_discharge
from tests.core.treatment.course import NASAL_GATE, bp, devices, ev, minute, nasal, setting

GO = {"about": "DEC-10", "ruling": "go_ahead", "reason": "cuff failed"}


@pytest.mark.parametrize(
    ("readings", "decided", "asked_at", "held"),
    [
        ([35], False, 60, False),
        ([50], False, 60, False),
        ([34.9], False, 60, True),
        ([84.9], False, 120, False),
        ([85], False, 120, True),
        ([], False, 60, True),
        ([], True, 120, True),
        ([90], True, 120, True),
        ([90, 99.9], True, 120, True),
        ([90, 100], True, 120, False),
        ([90, 100], False, 120, True),
    ],
)
def test_the_forty_minute_reading(readings: list[float], decided: bool, asked_at: float, held: bool) -> None:
    events = [bp(m, 130, 80) for m in readings]
    decision = [ev(119, "prescriber_decision", by_role="prescriber", **GO)] if decided else []
    facts = nasal(*NASAL_GATE, *devices(0), *events, *decision, dose_mg=28)
    found = ready_for_discharge(facts, minute(asked_at), setting())
    assert ("DEC-10" in {f.rule.rule_id for f in found.findings if f.stops}) is held
