"""SPR-MON-01, SPR-MON-07-D, DIS-05-TIME: when a patient may leave, as a table a clinician can check.

Minutes count from the first device or from the start of the infusion.
"""

from __future__ import annotations

import pytest

from ketacore.treatment import SessionFacts, leave_not_before, ready_for_discharge
from tests.core.treatment.course import (
    IV_GATE,
    NASAL_GATE,
    devices,
    ev,
    infusion,
    minute,
    nasal,
    setting,
    start_infusion,
)


def ended(at: float, rate: float = 1.0) -> SessionFacts:
    return infusion(*IV_GATE, start_infusion(rate=rate), ev(at, "infusion_end"))


@pytest.mark.parametrize(
    ("facts", "earliest"),
    [
        (nasal(*NASAL_GATE, *devices(0), dose_mg=28), 120),
        (nasal(*NASAL_GATE, *devices(0, 5), dose_mg=56), 125),
        (nasal(*NASAL_GATE, *devices(0, 5, 10), dose_mg=84), 130),
        (nasal(*NASAL_GATE, *devices(0, 5, 25), dose_mg=84), 145),
        (nasal(*NASAL_GATE, *devices(0, 5), ev(12, "dosing_ended", reason="nausea"), dose_mg=84), 125),
        (nasal(*NASAL_GATE, *devices(0), dose_mg=56), None),
        (ended(40), 100),
        (ended(20), 100),
        (ended(55, 0.7), 115),
        (infusion(*IV_GATE, start_infusion()), None),
    ],
)
def test_earliest_way_out(facts: SessionFacts, earliest: float | None) -> None:
    soonest = leave_not_before(facts)
    assert soonest == (None if earliest is None else minute(earliest))
    timed = {"SPR-MON-01", "SPR-MON-07-D", "DIS-05-TIME"}
    for at in (1, 60, (earliest or 300) - 0.1, earliest or 300, 300):
        decision = ready_for_discharge(facts, minute(at), setting(facts.product))
        holds = any(f.stops for f in decision.findings if f.rule.rule_id in timed)
        assert holds is (earliest is None or at < earliest)
