"""Surveillance from a shell."""

from __future__ import annotations

from typing import Any

import pytest

from ketacore.evidence import Refusal
from ketacore.surveillance.ask import answer

SETTING = {"jurisdiction": "US", "on": "2026-11-23", "product": "esketamine-nasal"}
FACTS = {
    "starts_on": "2026-09-14",
    "induction": False,
    "given_on": ["2026-09-14"],
    "done": {"bladder": {"on": "2026-10-19", "finding": False}},
}


def test_every_screen_with_its_day() -> None:
    reply = answer({**SETTING, "signed": ["LTS-05", "KC-SUR-01"], "facts": FACTS})
    screens = {s["screen"]: s for s in reply["screens"]}
    assert reply["outcome"] == "overdue"
    assert (screens["bladder"]["due_on"], screens["bladder"]["last_on"]) == ("2026-11-19", "2026-10-19")
    assert screens["cognition"]["last_on"] is None
    assert screens["bladder"]["rules"] == ["LTS-05", "SPR-W-08"]


def test_without_facts_nothing_is_fine() -> None:
    assert answer(SETTING)["outcome"] == "not_evaluated"
    assert all(s["due_on"] is None for s in answer({**SETTING, "signed": ["LTS-05"]})["screens"])


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"done": {"mri": {}}}, "mri is not a screen"),
        ({"done": {"bladder": {"on": "2026-10-19"}}}, "finding must be true"),
        ({"done": {"bladder": {"finding": False}}}, "on is missing"),
        ({"done": {"bladder": {"on": "2026-10-19", "finding": False, "x": 1}}}, "unknown field in done: bladder"),
        ({"sessions": 3}, "unknown field in facts"),
    ],
)
def test_what_cannot_be_read_is_refused(facts: dict[str, Any], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        answer({**SETTING, "facts": facts})
