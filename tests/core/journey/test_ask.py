from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ketacore.evidence import Refusal
from ketacore.journey.ask import answer

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("journey-*"))
ASKED = {"on": "2026-11-23", "registered_on": "2026-08-03"}


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda f: f.name)
def test_scenario(folder: Path) -> None:
    facts = json.loads((folder / "facts.json").read_text())
    assert answer(facts) == json.loads((folder / "decision.json").read_text())


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 4


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("on", None, "on: expected a day"),
        ("on", "23/11/2026", "on: expected a day"),
        ("registered_on", None, "registered_on: expected a day"),
        ("registered_on", 3, "registered_on: expected a day"),
        ("verdict", "maybe", "verdict: expected one of treat, wait, decline"),
        ("consent", "yes", "consent: expected one of valid, expired"),
        ("sessions_given", True, "sessions_given: expected a whole number"),
        ("sessions_given", -1, "sessions_given: expected a whole number"),
        ("sessions_given", "3", "sessions_given: expected a whole number"),
        ("product", 3, "product: expected text"),
        ("jurisdiction", 3, "jurisdiction: expected text"),
        ("shoe_size", 43, "unknown field shoe_size"),
    ],
)
def test_ill_typed_facts_are_refused(field: str, value: Any, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        answer({**ASKED, field: value})


@pytest.mark.parametrize("moment", [None, "soon", "2026-01-05T10:00:00"])
def test_a_signature_needs_its_moment(moment: str | None) -> None:
    with pytest.raises(Refusal, match="review_policy_signed_at"):
        answer({**ASKED, "review_policy_signed_by": "Dr S", "review_policy_signed_at": moment})


def test_a_null_is_the_same_as_an_absent_fact() -> None:
    assert answer({**ASKED, "verdict": None}) == answer(ASKED)


def test_a_consent_that_expired_holds_the_way() -> None:
    facts = {
        "verdict": "treat",
        "consent": "expired",
        "consent_signed_on": "2025-09-10",
        "plan_signed_on": "2025-09-11",
    }
    assert answer({**ASKED, **facts})["stage"] == "consent"
