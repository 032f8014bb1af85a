"""Treatment from the shell: what it answers, and what it refuses to read."""

from __future__ import annotations

from typing import Any

import pytest

from ketacore.evidence import Refusal
from ketacore.treatment import payload_as_json
from ketacore.treatment.ask import answer
from tests.core.treatment.course import ALL_POLICIES, ZERO, bp, minute, nasal_ready

EVENTS = [
    {"at": e.at.isoformat(), "kind": e.kind.value, "by": e.by, "by_role": e.by_role, **payload_as_json(e.what)}
    for e in nasal_ready()
]
FACTS = dict.fromkeys(
    ("consent_valid", "plan_active", "candidate", "dose_allowed", "day_allowed", "rems_enrolled", "setting_certified"),
    True,
)
WHOLE: dict[str, Any] = {
    "jurisdiction": "US",
    "product": "esketamine-nasal",
    "at": minute(130).isoformat(),
    "signed": list(ALL_POLICIES),
    "facts": {**FACTS, "dose_mg": 56},
    "events": EVENTS,
}


def test_a_whole_session_is_answered() -> None:
    said = answer(WHOLE)
    assert (said["phase"], said["start"]["outcome"], said["release"]["outcome"]) == ("leaving", "may_start", "ready")
    assert said["leave_not_before"] == minute(125).isoformat()
    assert (said["dose_given_mg"], said["dose_complete"], said["rems_minutes"]) == (56.0, True, 130)
    assert said["due"] and said["alerts"] == {"raised": [], "not_evaluated": []}


def test_later_events_have_not_happened_and_alerts_carry_their_rule() -> None:
    high = {"at": minute(20).isoformat(), "kind": "vitals", "systolic": 190, "diastolic": 95}
    said = answer({**WHOLE, "at": minute(20).isoformat(), "events": [*EVENTS, high]})
    assert said["phase"] == "observation" and said["release"]["outcome"] == "not_yet"
    raised = {a["rule"]["rule_id"]: a["key"] for a in said["alerts"]["raised"]}
    assert raised["IVK-MON-04-BP-HARD"] == f"IVK-MON-04-BP-HARD@event-{len(EVENTS) + 1}"
    unsigned = answer({**WHOLE, "signed": []})
    assert unsigned["alerts"]["not_evaluated"][0]["because"]


def test_what_is_left_out_was_not_asked_and_null_is_not_known() -> None:
    said = answer({k: WHOLE[k] for k in ("jurisdiction", "product", "at", "signed")})
    assert said["start"]["outcome"] == "blocked" and said["phase"] == "arriving" and said["leave_not_before"] is None
    unsure = answer({**WHOLE, "facts": {"dose_mg": None, "consent_valid": None}})
    assert unsure["start"]["outcome"] == "blocked" and unsure["dose_complete"] is None


def event(**fields: Any) -> dict[str, Any]:
    return {"events": [{"at": ZERO.isoformat(), "kind": "arrived", **fields}]}


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        ({"mood": 1}, "unknown field in the document: mood"),
        ({"at": "noon"}, "at: expected a time with its zone"),
        ({"at": "2026-11-23T12:10:00"}, "at: expected a time with its zone"),
        ({"at": 5}, "at: expected a time with its zone"),
        ({"jurisdiction": ""}, "jurisdiction: missing"),
        ({"product": "aspirin"}, "'aspirin' is not known"),
        ({"signed": "DEC-10"}, "signed: expected a list"),
        ({"signed": ["SPR-MON-01"]}, "'SPR-MON-01' is not a clinic policy"),
        ({"facts": []}, "facts: expected an object"),
        ({"facts": {"mood": True}}, "unknown field in facts: mood"),
        ({"facts": {"dose_mg": True}}, "dose_mg: expected a number"),
        ({"facts": {"dose_mg": 0}}, "dose_mg: expected a number"),
        ({"facts": {"dose_mg": "56"}}, "dose_mg: expected a number"),
        ({"facts": {"consent_valid": "yes"}}, "consent_valid: expected true, false or null"),
        ({"events": {}}, "events: expected a list"),
        ({"events": [1]}, "events: expected a list"),
        ({"events": [{}] * 2_001}, "more than 2000"),
        (event(by=5), "event 1: by is not text"),
        (event(at=None), "event 1: at: expected a time"),
        (event(kind="magic"), "'magic' is not a kind"),
        (event(mood=1), "mood: unknown field"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(wrong: dict[str, Any], because: str) -> None:
    with pytest.raises(Refusal) as refused:
        answer({**WHOLE, **wrong})
    assert because in str(refused.value)


def test_the_key_of_an_event_is_its_own_or_its_place() -> None:
    named = {"at": minute(129).isoformat(), "key": "mine", "kind": "vitals", **payload_as_json(bp(1, 190, 95).what)}
    said = answer({**WHOLE, "events": [*EVENTS, named]})
    assert said["alerts"]["raised"][0]["key"] == "IVK-MON-04-BP-HARD@mine"
