"""Whatever the calendar: day 1 is 56 mg, nothing passes the maximum, and no week holds more than its sessions."""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ketacore.evidence import Setting
from ketacore.planning import PROTOCOLS, DoseFacts, Protocol, allowed_doses, assess_dose, plan_series, planned_dose
from ketacore.planning.decide import dose_facts

NASAL = PROTOCOLS["esketamine-trd-us"]
US = Setting("US", date(2026, 11, 24))
MONDAYS = st.dates(date(2026, 1, 1), date(2027, 1, 1))
DOSES = st.floats(-100, 500, allow_nan=False)


@given(MONDAYS, st.sampled_from(list(PROTOCOLS.values())), st.integers(1, 30), st.lists(st.dates(), max_size=5))
def test_spacing(first_on: date, protocol: Protocol, weeks: int, closed: list[date]) -> None:
    plan = plan_series(
        protocol,
        first_on,
        weeks=weeks,
        closed_on=[d for d in closed if d != first_on],
    )
    days = [s.on for s in plan.sessions]
    assert days == sorted(set(days)), "one session a day, in order"
    assert [s.number for s in plan.sessions] == list(range(1, len(days) + 1))
    phases = {p.phase_id: p for p in protocol.phases}
    for week, count in Counter(s.week for s in plan.sessions).items():
        phase = next(phases[s.phase] for s in plan.sessions if s.week == week)
        assert count <= phase.sessions_per_week
        assert phase.covers(week)


@given(DOSES, st.sampled_from(["induction", "maintenance-weekly", "maintenance"]), st.sampled_from([None, 28, 56, 84]))
def test_never_above_the_maximum(dose: float, phase: str, before: float | None) -> None:
    outcome = assess_dose(NASAL, dose_facts(NASAL, dose, phase, before), US).outcome
    if outcome in ("allowed", "needs_reason"):
        assert 0 < dose <= 84
        assert dose % 28 == 0


@given(st.integers(1, 40), st.sampled_from([28.0, 56.0, 84.0]))
def test_day_one_is_56_mg(number: int, chosen: float) -> None:
    assert planned_dose(NASAL, number, chosen) == (56 if number == 1 else chosen)
    first = allowed_doses(NASAL, "induction", None, US)
    assert [c.dose for c in first if c.outcome == "allowed"] == [56]


@given(DOSES)
def test_knowing_nothing_allows_nothing(dose: float) -> None:
    assert dose_facts(NASAL, dose, "induction", None).first_session.value is True
    assert assess_dose(NASAL, DoseFacts(), US).outcome == "cannot_decide"
