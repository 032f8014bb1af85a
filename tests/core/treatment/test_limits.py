"""Alerts: each limit at its edge, what silences it, and who has seen it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ketacore.treatment import INFUSION, Priority, alerts
from tests.core.treatment.course import (
    IV_GATE,
    NASAL_GATE,
    bp,
    but,
    devices,
    ev,
    infusion,
    minute,
    nasal,
    plus,
    says,
    setting,
    start_infusion,
)

OBSERVED = nasal(*NASAL_GATE, *devices(0, 5), ev(10, "vitals", oxygen_saturation=97))
RUNNING = infusion(*IV_GATE, start_infusion(), ev(10, "vitals", oxygen_saturation=97))


@pytest.mark.parametrize(
    ("kind", "fields", "rule_id"),
    [
        ("vitals", {"systolic": 159, "diastolic": 99}, None),
        ("vitals", {"systolic": 160, "diastolic": 80}, "IVK-MON-04-BP-SOFT"),
        ("vitals", {"systolic": 130, "diastolic": 104}, "IVK-MON-04-BP-SOFT"),
        ("vitals", {"systolic": 180, "diastolic": 80}, "IVK-MON-04-BP-HARD"),
        ("vitals", {"systolic": 150, "diastolic": 110}, "IVK-MON-04-BP-HARD"),
        ("vitals", {"heart_rate": 130}, None),
        ("vitals", {"heart_rate": 131}, "IVK-MON-04-HR"),
        ("vitals", {"heart_rate": 50}, None),
        ("vitals", {"heart_rate": 49}, "IVK-MON-04-HR"),
        ("vitals", {"oxygen_saturation": 94}, None),
        ("vitals", {"oxygen_saturation": 93}, "IVK-MON-04-SPO2-SOFT"),
        ("vitals", {"oxygen_saturation": 89}, "IVK-MON-04-SPO2-HARD"),
        ("vitals", {"respiratory_rate": 10}, None),
        ("vitals", {"respiratory_rate": 9}, "IVK-MON-04-RR"),
        ("sedation", {"moaas": 3}, None),
        ("sedation", {"moaas": 2}, "IVK-MON-04-MOAAS"),
        ("symptom", {"symptom": "nausea"}, None),
        ("symptom", {"symptom": "syncope"}, "IVK-MON-04-SYMPTOM"),
    ],
)
def test_each_limit_at_its_edge(kind: str, fields: dict[str, Any], rule_id: str | None) -> None:
    for facts in (OBSERVED, RUNNING):
        raised = alerts(plus(facts, ev(12, kind, **fields)), minute(12), setting(facts.product)).raised
        assert [a.rule.rule_id for a in raised] == ([rule_id] if rule_id else [])


def test_what_to_do_depends_on_urgency_and_route() -> None:
    told = {
        (facts.product, a.priority): a.do
        for facts in (OBSERVED, RUNNING)
        for event in (bp(12, 165, 80), bp(12, 185, 80))
        for a in alerts(plus(facts, event), minute(12), setting(facts.product)).raised
    }
    assert told["esketamine-nasal", Priority.HIGH] == "Call the clinician."
    assert told["ketamine-iv", Priority.HIGH] == "Pause the infusion, call the clinician."
    assert told["ketamine-iv", Priority.MEDIUM].startswith("Look at the patient")
    (pain,) = alerts(plus(OBSERVED, ev(12, "symptom", symptom="seizure")), minute(12), setting()).raised
    assert pain.do == "Emergency care at once." and pain.rule.rule_id == "SPR-MON-05"


def test_what_to_do_depends_on_the_phase() -> None:
    """Nobody can pause or stop what is no longer given; a paused infusion stays paused."""
    paused = plus(RUNNING, ev(11, "infusion_pause"))
    ended = plus(RUNNING, ev(11, "infusion_end"))
    closed = plus(ended, bp(12, 185, 80), ev(13, "stopped", outcome="emergency_transfer", reason="pressure"))
    told = {
        name: [a.do for a in alerts(facts, minute(14), setting(INFUSION)).raised if a.rule.rule_id.endswith("HARD")]
        for name, facts in {
            "runs": plus(RUNNING, bp(12, 185, 80)),
            "paused": plus(paused, bp(12, 185, 80)),
            "ended": plus(ended, bp(12, 185, 80)),
            "closed": closed,
        }.items()
    }
    assert told == {
        "runs": ["Pause the infusion, call the clinician."],
        "paused": ["Keep the infusion paused, call the clinician."],
        "ended": ["Call the clinician."],
        "closed": ["The session is closed. Tell the clinician."],
    }
    for facts, words in ((RUNNING, "Stop. Emergency care at once."), (ended, "Emergency care at once.")):
        fainted = plus(facts, ev(12, "symptom", symptom="syncope"))
        assert [a.do for a in alerts(fainted, minute(12), setting(INFUSION)).raised] == [words]


def test_a_symptom_that_is_gone_waits_only_to_be_seen() -> None:
    gone = plus(OBSERVED, ev(12, "symptom", symptom="seizure"), ev(14, "symptom", symptom="seizure", present=False))
    (alert,) = alerts(gone, minute(15), setting()).raised
    assert not alert.standing and alert.open
    seen = plus(gone, ev(15, "alert_acknowledged", alert="another"), ev(15, "alert_acknowledged", alert=alert.key))
    assert alerts(seen, minute(15), setting()).raised == ()


def test_one_symptom_gone_does_not_hide_another() -> None:
    both = plus(
        OBSERVED,
        ev(12, "symptom", symptom="chest_pain"),
        ev(13, "symptom", symptom="seizure"),
        ev(14, "symptom", symptom="seizure", present=False),
    )
    assert all(a.standing for a in alerts(both, minute(15), setting()).raised)


def test_a_standing_alert_stays_after_it_was_seen_and_the_unseen_comes_first() -> None:
    high = plus(OBSERVED, bp(11, 185, 80))
    (alert,) = alerts(high, minute(11), setting()).raised
    seen = plus(high, ev(12, "alert_acknowledged", alert=alert.key))
    report = alerts(seen, minute(12), setting())
    assert report.worst is not None and report.worst.acknowledged_by and report.worst.standing
    slow = alerts(plus(seen, ev(13, "vitals", heart_rate=45)), minute(13), setting())
    assert slow.worst is not None and slow.worst.rule.rule_id == "IVK-MON-04-HR"
    assert alerts(OBSERVED, minute(11), setting()).worst is None


def test_on_site_is_watched_while_the_patient_is_in_care() -> None:
    gone = plus(OBSERVED, says(20, "prescriber_on_site", "no"))
    titles = [a.title for a in alerts(gone, minute(26), setting()).raised]
    assert titles == ["No oxygen saturation for 16 minutes", "No prescriber on site"]
    assert alerts(nasal(*NASAL_GATE), minute(26), setting()).raised == ()
    left = plus(gone, ev(25, "stopped", outcome="emergency_transfer", reason="chest pain"))
    assert alerts(left, minute(40), setting()).raised == ()


def test_the_reading_before_the_dose_is_no_rise() -> None:
    at_zero = nasal(*NASAL_GATE, bp(0, 165, 80), *devices(0, 5), ev(10, "vitals", oxygen_saturation=97))
    assert alerts(at_zero, minute(11), setting()).raised == ()


def test_a_rise_says_what_it_was_before() -> None:
    quiet = (ev(-20, "arrived"), bp(-15, 100, 60, oxygen_saturation=98), *NASAL_GATE[2:])
    risen = nasal(*quiet, *devices(0, 5), bp(10, 131, 70, oxygen_saturation=97))
    (alert,) = alerts(risen, minute(11), setting()).raised
    assert alert.title == "Blood pressure 131/70, was 100/60 before the dose"
    unknown = nasal(*devices(0, 5), bp(10, 131, 70, oxygen_saturation=97), says(1, "prescriber_on_site"))
    assert alerts(unknown, minute(11), setting()).raised == ()


@pytest.mark.parametrize(
    ("signed", "why"),
    [(but("DEC-12"), "DEC-12: this clinic policy"), (but("IVK-MON-04-BP-HARD"), "this clinic policy is not signed")],
)
def test_a_limit_that_is_not_signed_is_named_as_not_looked_at(signed: tuple[str, ...], why: str) -> None:
    report = alerts(plus(OBSERVED, bp(11, 185, 115)), minute(11), setting(signed=signed))
    (silent,) = [f for f in report.not_evaluated if f.rule.rule_id == "IVK-MON-04-BP-HARD"]
    assert silent.because[0].startswith(why)
    assert "IVK-MON-04-BP-HARD" not in {a.rule.rule_id for a in report.raised}


def test_limits_of_another_place_or_day_are_not_mentioned() -> None:
    abroad = alerts(OBSERVED, minute(11), setting(place="EU", signed=()))
    assert "SPR-MON-05" not in {f.rule.rule_id for f in abroad.not_evaluated}
    long_ago = alerts(OBSERVED, minute(11), setting(on=date(1990, 1, 1)))
    assert long_ago.not_evaluated == () and long_ago.raised == ()


def test_the_ketamine_limits_stand_without_the_nasal_policy() -> None:
    report = alerts(plus(RUNNING, bp(11, 185, 80)), minute(11), setting(INFUSION, signed=but("DEC-12")))
    assert [a.rule.rule_id for a in report.raised] == ["IVK-MON-04-BP-HARD"]
