"""The two gates: what opens them, and that every single missing thing keeps them closed."""

from __future__ import annotations

import pytest

from ketacore.evidence import Decision, Fact, Refusal
from ketacore.treatment import (
    INFUSION,
    TRANSITIONS,
    EventKind,
    Phase,
    Step,
    alerts,
    check_event,
    diagram,
    leave_not_before,
    may_start,
    phase,
    ready_for_discharge,
    rems_minutes,
    what_is_due,
)
from ketacore.treatment.phases import step_of
from tests.core.treatment.course import (
    DEVICE,
    IV_GATE,
    NASAL_GATE,
    bp,
    but,
    devices,
    ev,
    infusion,
    infusion_ready,
    minute,
    nasal,
    nasal_ready,
    plus,
    says,
    seen,
    setting,
    start_infusion,
    without,
)


def held(decision: Decision) -> set[str]:
    return {f.rule.rule_id for f in decision.findings if f.stops}


def test_a_complete_start_gate_opens() -> None:
    assert may_start(nasal(*NASAL_GATE), setting()).outcome == "may_start"
    assert may_start(infusion(*IV_GATE), setting(INFUSION)).outcome == "may_start"


@pytest.mark.parametrize("event", NASAL_GATE[1:], ids=lambda e: e.key)
def test_every_question_and_reading_of_the_nasal_start_gate_is_needed(event: object) -> None:
    rest = tuple(e for e in NASAL_GATE if e is not event)
    assert may_start(nasal(*rest), setting()).outcome == "blocked"


@pytest.mark.parametrize(
    "name",
    ["consent_valid", "plan_active", "candidate", "dose_allowed", "day_allowed", "rems_enrolled", "setting_certified"],
)
@pytest.mark.parametrize("fact", [Fact.of(False), Fact.not_asked(), Fact.not_known()])
def test_what_other_rooms_deny_or_do_not_know_holds_the_session(name: str, fact: Fact[bool]) -> None:
    assert may_start(nasal(*NASAL_GATE, **{name: fact}), setting()).outcome == "blocked"


def test_a_high_pressure_asks_for_a_decision_after_that_reading() -> None:
    high = (*NASAL_GATE, bp(-10, 144, 80))
    go = {"about": "SPR-PRE-01-DOSE", "ruling": "go_ahead", "reason": "usual for her"}
    early = ev(-12, "prescriber_decision", by_role="prescriber", **go)
    late = ev(-8, "prescriber_decision", by_role="prescriber", **go)
    hold = ev(-7, "prescriber_decision", by_role="prescriber", **{**go, "ruling": "hold"})
    assert held(may_start(nasal(*high), setting())) == {"SPR-PRE-01-DOSE"}
    assert held(may_start(nasal(*high, early), setting())) == {"SPR-PRE-01-DOSE"}
    assert held(may_start(nasal(*high, late), setting())) == set()
    assert held(may_start(nasal(*high, late, hold), setting())) == {"SPR-PRE-01-DOSE"}


@pytest.mark.parametrize(("systolic", "diastolic", "free"), [(140, 90, True), (141, 90, False), (140, 91, False)])
def test_the_pressure_threshold_is_above_not_at(systolic: int, diastolic: int, free: bool) -> None:
    facts = nasal(*NASAL_GATE, bp(-10, systolic, diastolic))
    assert (may_start(facts, setting()).outcome == "may_start") is free


def test_an_infusion_waits_for_two_rechecks_ten_minutes_apart() -> None:
    on = setting(INFUSION)
    hot = (ev(-60, "arrived"), bp(-40, 162, 90), bp(-35, 130, 80), *IV_GATE[2:])
    assert held(may_start(infusion(*hot), on)) == {"IVK-MON-04-PRE-HARD"}
    assert held(may_start(infusion(*hot, bp(-30, 130, 80)), on)) == {"IVK-MON-04-PRE-HARD"}
    assert held(may_start(infusion(*hot, bp(-30, 130, 80), bp(-20, 130, 80)), on)) == set()


def test_unsigned_policies_keep_both_gates_closed() -> None:
    assert may_start(nasal(*NASAL_GATE), setting(signed=())).outcome == "blocked"
    assert ready_for_discharge(nasal(*nasal_ready()), minute(130), setting(signed=but("DEC-11"))).outcome == "not_yet"


def test_complete_leave_gates_open() -> None:
    assert held(ready_for_discharge(nasal(*nasal_ready()), minute(130), setting())) == set()
    assert held(ready_for_discharge(infusion(*infusion_ready()), minute(105), setting(INFUSION))) == set()


@pytest.mark.parametrize(
    ("kind", "rule_id"),
    [
        ("escort", "SPR-MON-10"),
        ("instructions", "SPR-MON-10-TOLD"),
        ("release_signed", "SPR-MON-04-STABLE"),
        ("sedation", "SPR-MON-11-SEDATION"),
        ("dissociation", "SPR-MON-11-DISSOCIATION"),
        ("answer", "SPR-MON-11-BREATHING"),
        ("vitals", "SPR-MON-04"),
    ],
)
def test_each_missing_condition_is_named(kind: str, rule_id: str) -> None:
    decision = ready_for_discharge(without(nasal(*nasal_ready()), kind), minute(130), setting())
    assert decision.outcome == "not_yet" and rule_id in held(decision)


def test_two_hours_count_from_the_last_device() -> None:
    facts = nasal(*nasal_ready(leave=124))
    assert leave_not_before(facts) == minute(125)
    assert {"SPR-MON-01", "SPR-MON-07-D"} <= held(ready_for_discharge(facts, minute(124.9), setting()))
    assert rems_minutes(facts, minute(124.9)) == 124


def test_the_forty_minute_reading_may_be_late_and_may_be_missed_with_a_reason() -> None:
    rest = tuple(e for e in nasal_ready() if e.key != bp(45, 146, 88, oxygen_saturation=97).key)
    assert held(ready_for_discharge(nasal(*rest, bp(60, 140, 84)), minute(130), setting())) == set()
    missed = nasal(*rest)
    assert held(ready_for_discharge(missed, minute(130), setting())) == {"DEC-10"}
    go = ev(126, "prescriber_decision", by_role="prescriber", about="DEC-10", ruling="go_ahead", reason="cuff failed")
    assert held(ready_for_discharge(plus(missed, go), minute(130), setting())) == set()


def test_a_pressure_that_does_not_fall_keeps_the_patient() -> None:
    facts = plus(nasal(*nasal_ready()), bp(129, 150, 95))
    assert {"SPR-MON-04", "DEC-11"} <= held(ready_for_discharge(facts, minute(130), setting()))


def test_a_standing_urgent_finding_keeps_the_patient_although_signed() -> None:
    facts = plus(nasal(*nasal_ready()), ev(129, "symptom", symptom="chest_pain"))
    assert "SPR-MON-04-STABLE" in held(ready_for_discharge(facts, minute(130), setting()))


def test_the_second_device_waits_five_minutes() -> None:
    facts = nasal(*NASAL_GATE, *devices(0))
    with pytest.raises(Refusal, match="SPR-ADM-04"):
        check_event(facts, ev(4.9, "device", number=2, **DEVICE), setting())
    check_event(facts, ev(5, "device", number=2, **DEVICE), setting())


def test_the_first_device_waits_for_the_gate() -> None:
    with pytest.raises(Refusal, match="Consent is valid today"):
        check_event(
            nasal(*NASAL_GATE, consent_valid=Fact.of(False)), ev(0, "device", number=1, **DEVICE), setting()
        )  # fmt: skip


def test_an_infusion_may_not_exceed_the_dose() -> None:
    with pytest.raises(Refusal, match=r"44\.0 mg"):
        check_event(infusion(*IV_GATE), start_infusion(rate=1.1), setting(INFUSION))


def test_after_a_dose_nobody_is_simply_closed_out() -> None:
    stop = ev(3, "stopped", outcome="not_started", reason="changed her mind")
    with pytest.raises(Refusal, match="stays under observation"):
        check_event(nasal(*NASAL_GATE, *devices(0)), stop, setting())


def test_every_phase_and_kind_has_an_answer() -> None:
    assert set(TRANSITIONS) == set(Phase)
    assert {step_of(kind, 0, 2) for kind in EventKind} | {Step.LAST_DEVICE, Step.TIME_MET} == set(Step)
    assert {target for steps in TRANSITIONS.values() for target in steps.values()} | {Phase.ARRIVING} == set(Phase)
    assert "observation --> leaving: time met" in diagram()


def test_phases_follow_the_events() -> None:
    facts = nasal(*nasal_ready(), ev(130, "discharged"))
    told = [phase(facts, minute(m)) for m in (-30, -20, 0, 5, 124.9, 125, 130)]
    assert told == ["arriving", "ready", "dosing", "observation", "observation", "leaving", "left"]


def test_limits_act_only_when_signed() -> None:
    facts = nasal(*NASAL_GATE, *devices(0, 5), bp(30, 182, 95, oxygen_saturation=97), says(30, "prescriber_on_site"))
    assert [a.priority for a in alerts(facts, minute(31), setting()).raised] == ["high"]
    silent = alerts(facts, minute(31), setting(signed=()))
    assert silent.raised == () and "IVK-MON-04-BP-HARD" in {f.rule.rule_id for f in silent.not_evaluated}


def test_an_alert_goes_when_the_value_is_back_and_somebody_saw_it() -> None:
    facts = nasal(*NASAL_GATE, *devices(0, 5), bp(30, 182, 95, oxygen_saturation=97))
    (alert,) = alerts(facts, minute(31), setting()).raised
    back = plus(facts, bp(33, 140, 85))
    assert [a.standing for a in alerts(back, minute(34), setting()).raised] == [False]
    acknowledged = plus(back, ev(34, "alert_acknowledged", alert=alert.key))
    assert alerts(acknowledged, minute(35), setting()).raised == ()


def test_the_forty_minute_reading_is_due_from_35_to_50() -> None:
    facts = nasal(*NASAL_GATE, *devices(0, 5), *seen(6))
    first = next(d for d in what_is_due(facts, minute(41), setting()) if d.what == "blood_pressure")
    assert (first.opens_at, first.due_at, first.closes_at) == (minute(40), minute(45), minute(55))
    assert first.overdue(minute(56)) and not first.overdue(minute(55))


def test_a_day_the_protocol_does_not_have_is_the_prescribers_decision() -> None:
    early = {"day_allowed": Fact.of(False, "last session today")}
    go = {"about": "KC-GATE-06", "ruling": "go_ahead", "reason": "Travels tomorrow."}
    decided = ev(-8, "prescriber_decision", by_role="prescriber", **go)
    assert held(may_start(nasal(*NASAL_GATE, **early), setting())) == {"KC-GATE-06"}
    assert held(may_start(nasal(*NASAL_GATE, decided, **early), setting())) == set()
    unknown = nasal(*NASAL_GATE, decided, day_allowed=Fact.not_asked())
    assert held(may_start(unknown, setting())) == {"KC-GATE-06"}


@pytest.mark.parametrize("rule_id", ["DEC-11", "DEC-12", "IVK-MON-04-SPO2-HARD", "SPR-MON-08-END"])
def test_nobody_is_given_a_drug_who_could_not_leave_by_the_rules(rule_id: str) -> None:
    decision = may_start(nasal(*NASAL_GATE), setting(signed=but(rule_id)))
    finding = next(f for f in decision.findings if f.rule.rule_id == "KC-GATE-07")
    assert decision.outcome == "blocked"
    assert finding.because == (f"{rule_id} is not signed",)


def test_a_policy_of_the_other_route_is_not_asked_for() -> None:
    assert may_start(infusion(*IV_GATE), setting(INFUSION, signed=but("DEC-12"))).outcome == "may_start"


def test_what_was_measured_after_a_dose_opened_no_gate_before_it() -> None:
    facts, early = infusion(*IV_GATE), start_infusion(-16)
    with pytest.raises(Refusal, match="blood pressure before the dose"):
        check_event(facts, early, setting(INFUSION))
    check_event(facts, start_infusion(-14), setting(INFUSION))
