"""Whatever happens in a session: nobody leaves early, and knowing less never opens a gate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from ketacore.evidence import Refusal
from ketacore.treatment import (
    INFUSION,
    NASAL,
    Event,
    Phase,
    SessionFacts,
    check_event,
    first_dose_at,
    in_order,
    may_start,
    phase,
    ready_for_discharge,
)
from ketacore.treatment.events import DeviceGiven, InfusionEnded
from tests.core.treatment.course import (
    ALL_POLICIES,
    DEVICE,
    IV_GATE,
    NASAL_GATE,
    bp,
    ev,
    infusion,
    infusion_ready,
    minute,
    nasal,
    nasal_ready,
    says,
    seen,
    setting,
    start_infusion,
)

MINUTES = st.integers(-30, 400)
PLACES = st.sampled_from(["US", "US-PA", "EU", "UK", "CH", "NZ", "XX"])
SIGNED = st.sampled_from([ALL_POLICIES, (), ALL_POLICIES[::2], ALL_POLICIES[1::2]])
PRESSURES = st.tuples(st.integers(95, 200), st.integers(50, 94))
GOOD = {"nasal": (nasal, nasal_ready(), 130), "iv": (infusion, infusion_ready(), 105)}


def any_event() -> st.SearchStrategy[Event]:
    return st.one_of(
        st.builds(lambda at, n: ev(at, "device", **{**DEVICE, "number": n}), MINUTES, st.integers(1, 3)),
        st.builds(lambda at, p: bp(at, *p, oxygen_saturation=98), MINUTES, PRESSURES),
        st.builds(lambda at, n: ev(at, "sedation", moaas=n), MINUTES, st.integers(0, 5)),
        st.builds(start_infusion, MINUTES),
        *(
            st.builds(ev, MINUTES, st.just(kind))
            for kind in ("arrived", "instructions", "infusion_pause", "infusion_resume", "infusion_end")
        ),
        st.builds(lambda at: ev(at, "release_signed", by_role="prescriber"), MINUTES),
        st.builds(lambda at: ev(at, "dosing_ended", reason="nausea"), MINUTES),
        st.builds(lambda at: ev(at, "escort", name="Daniel", here=True), MINUTES),
    )


@given(st.sampled_from(sorted(GOOD)), st.lists(any_event(), max_size=8), MINUTES, PLACES, SIGNED)
def test_nobody_leaves_before_the_time_after_the_last_dose(
    route: str, extra: list[Event], at: int, place: str, signed: tuple[str, ...]
) -> None:
    make, events, _ = GOOD[route]
    facts = make(*events, *extra)
    facts = replace(facts, events=tuple(e for e in facts.events if e.at <= minute(at)))
    decision = ready_for_discharge(facts, minute(at), setting(facts.product, signed, place))
    if decision.outcome == "ready":
        kind = DeviceGiven if facts.product == NASAL else InfusionEnded
        last = max(e.at for e, _ in facts.of(kind))
        assert minute(at) - last >= timedelta(minutes=120 if facts.product == NASAL else 60)


def opens(facts: SessionFacts, at: float) -> tuple[bool, bool]:
    here = setting(facts.product)
    before = replace(facts, events=tuple(e for e in facts.events if e.at < minute(0)))
    return (
        may_start(before, here).outcome == "may_start",
        ready_for_discharge(facts, minute(at), here).outcome == "ready",
    )


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_removing_an_event_never_opens_a_gate(route: str, data: st.DataObject) -> None:
    make, events, at = GOOD[route]
    extra = (
        *seen(at - 40, 5),
        bp(at - 20, 132, 80, oxygen_saturation=98),
        says(at - 2, "prescriber_on_site"),
        ev(at - 1, "escort", name="Daniel", here=True),
    )
    kept = data.draw(st.lists(st.sampled_from((*events, *extra)), unique_by=id, min_size=1))
    gone = data.draw(st.sampled_from(kept))
    rest = [e for e in kept if e is not gone]
    more, less = opens(make(*kept), at), opens(make(*rest), at)
    assert not (less[0] and not more[0]) and not (less[1] and not more[1])


@given(st.sampled_from([NASAL, INFUSION]), st.lists(any_event(), max_size=12))
@example(INFUSION, [start_infusion(-16)])
def test_what_was_checked_one_by_one_gives_no_dose_through_a_closed_gate(product: str, tried: list[Event]) -> None:
    make: Any = nasal if product == NASAL else infusion
    gate = NASAL_GATE if product == NASAL else IV_GATE
    facts: SessionFacts = make(*gate)
    for event in in_order(tuple(tried)):
        try:
            check_event(facts, event, setting(product))
        except Refusal:
            continue
        first = first_dose_at(facts)
        facts = replace(facts, events=in_order((*facts.events, event)))
        if first is None and first_dose_at(facts) is not None:
            assert may_start(facts, setting(product)).outcome == "may_start"
    assert all(phase(facts, minute(m)) in Phase for m in (-30, 0, 130, 400))
    kinds = {e.kind for e in facts.events}
    assert not ({"device", "infusion_start"} <= kinds)
