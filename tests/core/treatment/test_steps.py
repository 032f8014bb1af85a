"""Every step from every phase, and what the dose steps themselves refuse."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from ketacore.evidence import Fact, Refusal
from ketacore.treatment import (
    INFUSION,
    TRANSITIONS,
    Event,
    EventKind,
    Phase,
    SessionFacts,
    check_event,
    dose_complete,
    dose_given_mg,
    first_dose_at,
    leave_not_before,
    may_start,
    misfits,
    phase,
    read_payload,
    ready_for_discharge,
    rems_minutes,
)
from ketacore.treatment.course import flows, infusion_ends_at, infusion_running
from ketacore.treatment.phases import check_step, step_of
from ketacore.treatment.questions import questions_of
from tests.core.treatment.course import (
    DEVICE,
    IV_GATE,
    LOT,
    NASAL_GATE,
    bp,
    devices,
    ev,
    infusion,
    infusion_ready,
    minute,
    nasal,
    nasal_ready,
    plus,
    says,
    setting,
    start_infusion,
)
from tests.core.treatment.test_events import WELL

IN_PHASE: dict[Phase, tuple[SessionFacts, float]] = {
    Phase.ARRIVING: (nasal(), -10),
    Phase.READY: (nasal(*NASAL_GATE), -5),
    Phase.DOSING: (nasal(*NASAL_GATE, *devices(0), dose_mg=84), 6),
    Phase.INFUSION: (infusion(*IV_GATE, start_infusion()), 10),
    Phase.OBSERVATION: (nasal(*NASAL_GATE, *devices(0, 5)), 30),
    Phase.LEAVING: (nasal(*NASAL_GATE, *devices(0, 5)), 130),
    Phase.LEFT: (nasal(*nasal_ready(), ev(130, "discharged")), 131),
    Phase.STOPPED: (nasal(*NASAL_GATE, ev(-4, "stopped", outcome="not_started", reason="ill")), 0),
}


@pytest.mark.parametrize(("now", "kind"), list(product(Phase, EventKind)))
def test_a_step_is_taken_where_the_table_has_it_and_refused_where_not(now: Phase, kind: EventKind) -> None:
    facts, at = IN_PHASE[now]
    assert phase(facts, minute(at)) is now
    event = Event(minute(at), read_payload(kind, WELL[kind]), "tried", "S", "prescriber")
    given = sum(e.kind is EventKind.DEVICE for e in facts.events)
    target = TRANSITIONS[now].get(step_of(kind, given, 3 if now is Phase.DOSING else 2))
    if target is None:
        with pytest.raises(Refusal, match=f"in the phase '{now}'"):
            check_step(facts, event)
    else:
        check_step(facts, event)
        assert phase(plus(facts, event), minute(at)) is target


FIRST = {**DEVICE, "number": 1}
START = {**LOT, "rate_mg_per_min": 1.0, "planned_min": 40.0}
NASAL = nasal(*NASAL_GATE)
IV = infusion(*IV_GATE)
RUNNING = infusion(*IV_GATE, start_infusion())
PAUSED = plus(RUNNING, ev(10, "infusion_pause"))


@pytest.mark.parametrize(
    ("facts", "at", "kind", "fields", "because"),
    [
        (NASAL, 0, "device", {**FIRST, "number": 2}, "the next device is number 1"),
        (NASAL, 0, "device", {**FIRST, "number": 3}, "takes 2 devices"),
        (NASAL, 0, "device", {**FIRST, "expires_on": "2026-11-22"}, "expired on 2026-11-22"),
        (
            NASAL,
            0,
            "device",
            {**FIRST, "two_green_dots_before": False},
            "two green dots before the spray are not confirmed",
        ),
        (NASAL, 0, "device", {**FIRST, "not_primed": False}, "not confirmed that the device was not primed"),
        (NASAL, 0, "device", {**FIRST, "no_green_dots_after": False}, "not confirmed that no green dot remains"),
        (NASAL, 0, "infusion_start", START, "gives nasal devices"),
        (IV, 0, "device", FIRST, "takes no devices"),
        (IV, 0, "infusion_start", {**START, "expires_on": "2026-11-22"}, "expired on 2026-11-22"),
        (PAUSED, 11, "infusion_pause", {}, "it is not running"),
        (RUNNING, 11, "infusion_resume", {}, "it is running"),
        (PAUSED, 11, "infusion_resume", {"rate_mg_per_min": 1.5}, "faster than the 1 mg/min"),
        (nasal(*nasal_ready()[:-1]), 128, "release_signed", {}, "only a prescriber signs"),
        (nasal(*nasal_ready()[:-1]), 130, "discharged", {}, "missing: prescriber's sign-off"),
        (NASAL, 0, "stopped", {"outcome": "left_without_release", "reason": "left"}, "no dose was given"),
    ],
)
def test_what_a_dose_step_refuses(facts: SessionFacts, at: float, kind: str, fields: dict, because: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(Refusal, match=because):
        check_event(facts, ev(at, kind, **fields), setting(facts.product))


@pytest.mark.parametrize(
    ("facts", "event"),
    [
        (NASAL, ev(0, "device", **FIRST)),
        (NASAL, bp(0, 120, 80)),
        (IV, start_infusion()),
        (RUNNING, ev(10, "infusion_pause")),
        (PAUSED, ev(12, "infusion_resume")),
        (PAUSED, ev(12, "infusion_resume", rate_mg_per_min=0.5)),
        (nasal(*nasal_ready()[:-1]), ev(128, "release_signed", by_role="prescriber")),
        (nasal(*nasal_ready()), ev(130, "discharged")),
        (nasal(*NASAL_GATE, *devices(0)), ev(3, "stopped", outcome="emergency_transfer", reason="chest pain")),
        (NASAL, ev(-3, "stopped", outcome="not_started", reason="ate")),
    ],
)
def test_what_may_happen_may_be_written_down(facts: SessionFacts, event: Event) -> None:
    check_event(facts, event, setting(facts.product))


def test_an_unset_dose_names_itself() -> None:
    unset = replace(IV, dose_mg=Fact[float].not_asked())
    assert infusion_ends_at(replace(RUNNING, dose_mg=Fact[float].not_asked()), minute(5)) is None
    assert "dose of today" in may_start(unset, setting(INFUSION)).missing
    begun = replace(RUNNING, dose_mg=Fact[float].not_asked())
    with pytest.raises(Refusal, match="does not allow it"):
        check_event(begun, start_infusion(3), setting(INFUSION))


def test_a_place_without_rules_opens_no_gate() -> None:
    nowhere = setting(signed=(), place="XX")
    assert may_start(NASAL, nowhere).outcome == "blocked"
    assert ready_for_discharge(nasal(*nasal_ready()), minute(130), nowhere).outcome == "not_yet"


def test_a_paused_infusion_ends_later_and_counts_only_what_flowed() -> None:
    resumed = plus(PAUSED, ev(20, "infusion_resume", rate_mg_per_min=0.5), ev(21, "infusion_resume"))
    assert infusion_ends_at(resumed, minute(30)) == minute(80)
    assert infusion_ends_at(PAUSED, minute(30)) is None and not infusion_running(PAUSED)
    assert dose_given_mg(resumed, minute(30)) == 15.0 and dose_given_mg(resumed, minute(-1)) == 0
    assert dose_complete(resumed, minute(30)) is None
    over = plus(resumed, ev(40, "infusion_end"), ev(41, "infusion_end"))
    assert dose_complete(over, minute(60)) is False
    assert [f.until for f in flows(over)] == [minute(10), minute(40)]
    assert flows(infusion(*IV_GATE, ev(1, "infusion_resume"))) == ()


def test_a_complete_dose_is_complete() -> None:
    done = infusion(*infusion_ready())
    assert dose_complete(done, minute(50)) is True
    assert leave_not_before(done) == minute(100)
    assert dose_complete(nasal(*nasal_ready()), minute(50)) is True
    assert dose_complete(replace(done, dose_mg=Fact[float].not_asked()), minute(50)) is None


def test_ending_early_starts_the_clock_at_the_last_device() -> None:
    early = nasal(*NASAL_GATE, *devices(0), ev(9, "dosing_ended", reason="nausea"), dose_mg=84)
    assert leave_not_before(early) == minute(120)
    assert leave_not_before(nasal(*NASAL_GATE, *devices(0))) is None


def test_the_rems_minutes_stop_when_the_patient_left() -> None:
    left = nasal(*nasal_ready(), ev(130, "discharged"))
    assert rems_minutes(left, minute(500)) == 130
    assert rems_minutes(IV, minute(5)) is None and rems_minutes(NASAL, minute(5)) is None
    assert first_dose_at(NASAL) is None


def test_a_question_answered_not_known_stays_open() -> None:
    unsure = plus(NASAL, says(-5, "ride_arranged", "not_known"))
    assert may_start(unsure, setting()).outcome == "blocked"
    assert may_start(plus(unsure, says(-4, "ride_arranged", "no")), setting()).outcome == "blocked"


def test_a_prescriber_may_pass_an_answer_once_everything_was_asked() -> None:
    ate = plus(NASAL, says(-12, "ate_within_2h"))
    go = ev(-11, "prescriber_decision", by_role="prescriber", about="SPR-PRE-03", ruling="go_ahead", reason="a cracker")
    assert may_start(ate, setting()).outcome == "blocked"
    assert may_start(plus(ate, go), setting()).outcome == "may_start"
    asked_one = nasal(*(e for e in NASAL_GATE if "drank" not in e.key), says(-12, "ate_within_2h"), go)
    assert may_start(asked_one, setting()).outcome == "blocked"


def test_each_route_has_its_own_questions() -> None:
    assert [q.question for q in questions_of(INFUSION, "start")] == ["prescriber_on_site", "airway_ready"]
    assert [q.question for q in questions_of("esketamine-nasal", "release")] == ["breathing_normal"]


def test_an_infusion_without_any_pressure_does_not_start() -> None:
    unmeasured = infusion(*(e for e in IV_GATE if e.kind != "vitals"))
    assert may_start(unmeasured, setting(INFUSION)).missing == ("blood pressure before the dose",)


def test_a_sequence_without_its_arrival_does_not_hold_together() -> None:
    whole = nasal_ready()
    assert misfits(nasal(*whole), setting()) == ()
    broken = misfits(nasal(*(e for e in whole if e.kind != "arrived")), setting())
    assert broken[0].event.kind == "device" and "does not allow it" in broken[0].because[0]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (says(-10, "bogus"), "there is no question bogus"),
        (ev(-10, "prescriber_decision", about="SPR-MON-01", ruling="go_ahead", reason="x"), "can be decided about"),
        (ev(-10, "alert_acknowledged", alert="none"), "no such alert"),
    ],
)
def test_an_entry_about_nothing_is_refused(event: Event, told: str) -> None:
    with pytest.raises(Refusal, match=told):
        check_event(nasal(*NASAL_GATE), event, setting())


@pytest.mark.parametrize(("note", "told"), [("x" * 1_001, "longer than 1000"), ("a\x00b", "cannot be shown")])
def test_a_text_without_end_or_with_hidden_signs_is_refused(note: str, told: str) -> None:
    with pytest.raises(Refusal, match=told):
        read_payload("arrived", {"note": note})
    assert read_payload("arrived", {"note": "Tired.\n\tSlept badly."})


PAUSE, RESUME = ev(10, "infusion_pause"), ev(15, "infusion_resume")
RUNS = (*IV_GATE, start_infusion())


@pytest.mark.parametrize(
    ("facts", "kinds"),
    [
        (infusion(*RUNS, PAUSE, RESUME, ev(45, "infusion_end")), []),
        (infusion(*RUNS, RESUME, ev(16, "infusion_pause"), ev(45, "infusion_end")), ["infusion_resume"]),
        (infusion(*IV_GATE, PAUSE, start_infusion(12)), ["infusion_pause"]),
        (nasal(*NASAL_GATE, *devices(2, 5)), ["device"]),
        (nasal(*NASAL_GATE, devices(0, 5)[1]), ["device"]),
        (nasal(*NASAL_GATE, ev(9, "stopped", outcome="left_without_release", reason="x")), ["stopped"]),
        (nasal(*NASAL_GATE, bp(-1, 200, 120), *devices(0, 5)), []),
    ],
)
def test_what_does_not_follow_is_named(facts: SessionFacts, kinds: list[str]) -> None:
    product = INFUSION if facts.product == INFUSION else "esketamine-nasal"
    assert [m.event.kind for m in misfits(facts, setting(product))] == kinds
