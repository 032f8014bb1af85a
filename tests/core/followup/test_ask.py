"""Follow-up from a shell."""

from __future__ import annotations

from typing import Any

import pytest

from ketacore.evidence import Refusal
from ketacore.followup.ask import answer

SETTING = {"jurisdiction": "US", "on": "2026-11-23", "scale": "phq9"}
FULL = {f"q{n}": 1 for n in range(1, 10)}


def test_scores_in_words() -> None:
    facts = {"baseline": 19, "now": 4, "previous": 9, "session_since_previous": True}
    reply = answer({**SETTING, "signed": ["DEC-18", "SAF-06"], "facts": facts})
    assert reply["severity"] == "minimal"
    asked = ("response", "remission", "worse_after_session")
    assert [reply[q]["outcome"] for q in asked] == ["response", "remission", "no_alert"]
    assert "suicide_item" not in reply


def test_answers_are_scored_and_looked_at() -> None:
    reply = answer({**SETTING, "answers": FULL})
    assert (reply["severity"], reply["missing_items"], reply["suicide_item"]["outcome"]) == ("mild", [], "alert")


def test_half_a_form_gives_no_number_and_no_all_clear() -> None:
    reply = answer({**SETTING, "answers": {**FULL, "q9": None}})
    assert (reply["severity"], reply["missing_items"]) == (None, ["q9"])
    assert reply["suicide_item"]["outcome"] == reply["response"]["outcome"] == "cannot_decide"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"answers": FULL, "facts": {"now": 3}}, "both now and answers"),
        ({"facts": {"now": 28}}, "outside 0 to 27"),
        ({"facts": {"mood": 1}}, "unknown field in facts"),
        ({"signed": ["RS-01"]}, "not a clinic policy"),
    ],
)
def test_what_cannot_be_read_is_refused(more: dict[str, Any], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        answer({**SETTING, **more})
