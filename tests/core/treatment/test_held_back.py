"""What happened while no gate could be asked: recorded with what the gate would have said, unless it cannot be true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ketacore.evidence import Fact, Refusal
from ketacore.treatment import Event, HeldBack, SessionFacts, check_event, held_back
from tests.core.treatment.course import (
    DEVICE,
    IV_GATE,
    LOT,
    NASAL_GATE,
    devices,
    ev,
    infusion,
    infusion_ready,
    minute,
    nasal,
    nasal_ready,
    setting,
    start_infusion,
)

GIVEN = nasal(*NASAL_GATE, *devices(0), dose_mg=84)
UNASKED = nasal(ev(-20, "arrived"))
PAUSED = (start_infusion(), ev(10, "infusion_pause"))

HELD: dict[str, tuple[SessionFacts, Event, str, str]] = {
    "a first device with the gate closed": (UNASKED, devices(0)[0], "esketamine-nasal", "Blood pressure"),
    "no consent then": (
        replace(nasal(*NASAL_GATE), consent_valid=Fact.of(False, "withdrawn")),
        devices(0)[0],
        "esketamine-nasal",
        "consent",
    ),
    "a device too early": (GIVEN, ev(3, "device", number=2, **DEVICE), "esketamine-nasal", "minutes of rest"),
    "an expired device": (
        GIVEN,
        ev(5, "device", number=2, **{**DEVICE, "expires_on": "2026-01-01"}),
        "esketamine-nasal",
        "expired",
    ),
    "an infusion of expired drug": (
        infusion(*IV_GATE),
        ev(0, "infusion_start", rate_mg_per_min=1.0, planned_min=40.0, lot="L", expires_on="2026-01-01"),
        "ketamine-iv",
        "expired",
    ),
    "more than today's dose": (
        infusion(*IV_GATE),
        ev(0, "infusion_start", rate_mg_per_min=9.0, planned_min=40.0, **LOT),
        "ketamine-iv",
        "today's dose",
    ),
    "faster after a pause": (
        infusion(*IV_GATE, *PAUSED),
        ev(12, "infusion_resume", rate_mg_per_min=9.0),
        "ketamine-iv",
        "faster",
    ),
    "home with conditions open": (
        nasal(*NASAL_GATE, *devices(0, 5)),
        ev(130, "discharged"),
        "esketamine-nasal",
        "prescriber",
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_a_rule_that_would_have_said_no_is_told(name: str) -> None:
    facts, event, product, says = HELD[name]
    held = held_back(facts, event, setting(product))
    assert any(says in line for h in held for line in h.because), [h.because for h in held]
    with pytest.raises(HeldBack) as refused:
        check_event(facts, event, setting(product))
    assert refused.value.because == held[0].because


FITTING = {
    "the next device": (GIVEN, ev(5, "device", number=2, **DEVICE), "esketamine-nasal"),
    "the first device through an open gate": (nasal(*NASAL_GATE), devices(0)[0], "esketamine-nasal"),
    "home through an open gate": (nasal(*nasal_ready()), ev(130, "discharged"), "esketamine-nasal"),
    "a reading": (GIVEN, ev(4, "vitals", heart_rate=70), "esketamine-nasal"),
    "resumed as it ran": (infusion(*IV_GATE, *PAUSED), ev(12, "infusion_resume"), "ketamine-iv"),
    "home after an infusion": (infusion(*infusion_ready()), ev(110, "discharged"), "ketamine-iv"),
    "a transfer": (
        GIVEN,
        ev(4, "stopped", outcome="emergency_transfer", reason="Synthetic"),
        "esketamine-nasal",
    ),
}


@pytest.mark.parametrize("name", FITTING)
def test_what_the_rules_allow_is_held_back_by_none(name: str) -> None:
    facts, event, product = FITTING[name]
    assert held_back(facts, event, setting(product)) == ()


IMPOSSIBLE = {
    "a device before the arrival": (nasal(), devices(0)[0], "does not allow it"),
    "the second device first": (nasal(*NASAL_GATE), ev(0, "device", number=2, **DEVICE), "next device is number 1"),
    "a device more than planned": (GIVEN, ev(5, "device", number=9, **DEVICE), "today's dose takes"),
    "an infusion in a nasal session": (nasal(*NASAL_GATE), start_infusion(), "nasal devices"),
    "a release signed by a nurse": (nasal(*NASAL_GATE, *devices(0, 5)), ev(130, "release_signed"), "only a prescriber"),
    "home before the time": (nasal(*NASAL_GATE, *devices(0, 5)), ev(30, "discharged"), "does not allow it"),
    "an unknown question": (nasal(), ev(-9, "answer", question="no_such", answer="yes"), "there is no question"),
    "never started after a dose": (
        GIVEN,
        ev(4, "stopped", outcome="not_started", reason="Synthetic"),
        "a dose was given",
    ),
    "anything after leaving": (
        nasal(*nasal_ready(), ev(130, "discharged")),
        ev(131, "vitals", heart_rate=70),
        "does not allow it",
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_contradicts_the_entries_is_refused_all_the_same(name: str) -> None:
    facts, event, says = IMPOSSIBLE[name]
    with pytest.raises(Refusal, match=says) as refused:
        held_back(facts, event, setting())
    assert not isinstance(refused.value, HeldBack)


def test_running_and_standing_still_exclude_each_other() -> None:
    running, paused = infusion(*IV_GATE, start_infusion()), infusion(*IV_GATE, *PAUSED)
    for facts, kind in ((running, "infusion_resume"), (paused, "infusion_pause")):
        with pytest.raises(Refusal, match="running"):
            held_back(facts, ev(12, kind), setting("ketamine-iv"))


def test_everything_that_speaks_against_it_is_told_at_once() -> None:
    early = ev(3, "device", number=2, **{**DEVICE, "expires_on": "2026-01-01", "two_green_dots_before": False})
    lines = [line for held in held_back(GIVEN, early, setting()) for line in held.because]
    assert len(lines) == 3 and minute(0) == GIVEN.events[-1].at
