"""Planning from the shell, protocols as data, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ketacore.evidence import Fact, Refusal, RuleDataError, Setting
from ketacore.planning import (
    PROTOCOLS,
    RULES,
    CourseFacts,
    DoseFacts,
    WeightFacts,
    allowed_doses,
    assess_course,
    check_dose,
    dose_for,
    phase_on,
    plan_series,
)
from ketacore.planning.ask import answer
from ketacore.planning.decide import dose_facts
from ketacore.planning.protocols import parse_protocol

NASAL, IV = PROTOCOLS["esketamine-trd-us"], PROTOCOLS["ketamine-iv-clinic"]
MONDAY = date(2026, 11, 23)
US = Setting("US", MONDAY)
POLICIES = ["KC-PRO-IV-01", "KC-PRO-IV-02", "IVK-DOS-03", "DEC-09"]


def ask(question: str, facts: dict[str, Any], protocol: str = "esketamine-trd-us", **more: Any) -> dict[str, Any]:
    document = {"jurisdiction": "US", "on": "2026-11-23", "protocol": protocol, "question": question, "facts": facts}
    return answer({**document, **more})


def test_a_series_is_told_with_its_days() -> None:
    told = ask("series", {"first_on": "2026-11-23", "weeks": 4, "weekdays": [0, 3], "closed_weekdays": [5, 6]})
    assert [s["on"] for s in told["sessions"]][:2] == ["2026-11-23", "2026-11-26"]
    assert len(told["sessions"]) == 8


def test_a_weight_gives_milligrams() -> None:
    facts = {"weight_kg": 80, "measured_on": "2026-11-20", "previous_kg": 79}
    told = ask("weight", facts, "ketamine-iv-clinic", signed=["DEC-09"])
    assert (told["outcome"], told["dose_mg"], "DEC-09" in told["unsigned_needs"]) == ("computed", 40, False)


def test_a_dose_is_asked_by_default() -> None:
    told = ask("dose", {"first_session": True, "phase": "induction", "dose_mg": 56, "interval_weeks": 1})
    assert told["outcome"] == "allowed"


def test_a_course_goes_on() -> None:
    facts = {"phase": "induction", "first_given_on": "2026-11-20", "last_given_on": "2026-11-20", "sessions_missed": 0}
    assert ask("course", facts)["outcome"] == "carry_on"
    assert ask("course", {"first_given_on": None})["outcome"] == "cannot_decide"


@pytest.mark.parametrize(
    ("question", "facts", "told"),
    [
        ("cure", {}, "question cure is not known"),
        ("dose", {"colour": 1}, "unknown field in facts: colour"),
        ("dose", {"phase": "spring"}, "phase spring is not known"),
        ("dose", {"dose_mg": 0}, "more than 0"),
        ("weight", {}, "fixed milligrams"),
        ("series", {"first_on": "2026-11-23", "weeks": 0}, "weeks must be from 1"),
        ("series", {"first_on": "2026-11-23", "weekdays": [7]}, "from 0 \\(Monday\\) to 6"),
        ("series", {"first_on": "2026-11-23", "weekdays": [1, 3]}, "not on one of the chosen weekdays"),
        ("series", {"first_on": "2026-11-23", "weekdays": [0]}, "the protocol needs 2"),
    ],
)
def test_what_cannot_be_read_is_refused(question: str, facts: dict[str, Any], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        ask(question, facts)


def test_an_unsigned_series_is_refused() -> None:
    with pytest.raises(Refusal, match="not signed"):
        ask("series", {"first_on": "2026-11-23"}, "ketamine-iv-clinic")
    told = ask("series", {"first_on": "2026-11-23"}, "ketamine-iv-clinic", signed=POLICIES)
    assert len(told["sessions"]) == 10


def test_doses_that_may_be_thought_of_in_an_infusion() -> None:
    assert [c.dose for c in allowed_doses(IV, "series", None, US)] == [0.1, 0.5, 0.75]


def test_a_dose_passes_with_a_reason_and_never_past_a_hard_stop() -> None:
    odd = dose_facts(NASAL, 28, "induction", 56)
    assert check_dose(NASAL, odd, US, reason="Very sensitive.").outcome == "needs_reason"
    for facts, told in ((odd, "give a reason"), (replace(odd, dose_mg=Fact.of(112.0)), "the protocol allows")):
        with pytest.raises(Refusal, match=told):
            check_dose(NASAL, facts, US)
    with pytest.raises(Refusal, match="not known: dose mg"):
        check_dose(NASAL, DoseFacts(), US, reason="Any.")
    with pytest.raises(Refusal, match="no rule of this place"):
        check_dose(NASAL, odd, Setting("NZ", MONDAY), reason="Any.")
    with pytest.raises(Refusal, match="fixed milligrams"):
        dose_for(NASAL, 0.5, WeightFacts(), US)


def test_a_missed_task_is_for_the_prescriber() -> None:
    facts = CourseFacts(first_given_on=Fact.of(date(2026, 1, 5)))
    assert assess_course(facts, Setting("US", MONDAY, "esketamine-nasal")).outcome == "prescriber_decides"


def test_protocols_are_data() -> None:
    assert NASAL.device_minutes(84) == (0, 5, 10)
    assert (IV.device_minutes(40), IV.infusion_min, NASAL.infusion_min) == ((), 40, None)
    assert NASAL.phase("induction").title == "Induction"
    with pytest.raises(KeyError, match="no phase spring"):
        NASAL.phase("spring")
    record = {"protocol_id": "x", "version": 1, "title": "", "basis": "", "off_label": False, "product": ""}
    more = {"indication": "", "jurisdiction": [], "dose_unit": "mg", "preview_weeks": 1, "chair_minutes": 1}
    with pytest.raises(RuleDataError, match="NO-RULE does not exist"):
        parse_protocol({**record, **more, "default_weekday_offsets": [0], "first_dose_rule": "NO-RULE"}, RULES)


@pytest.mark.parametrize(("given", "phase"), [(0, "series"), (5, "series"), (6, "weekly"), (9, "weekly"), (10, None)])
def test_an_infusion_phase_lasts_until_its_infusions_are_given(given: int, phase: str | None) -> None:
    place = phase_on(IV, MONDAY, date(2027, 2, 1), given=given)
    assert place is not None
    assert (place.phase.phase_id if place.phase else None) == phase


def test_weekdays_that_were_chosen_are_kept() -> None:
    sessions = plan_series(NASAL, MONDAY, weekdays=[0, 4], weeks=2).sessions
    assert {s.on.weekday() for s in sessions} == {0, 4}
