"""Maintenance from a shell."""

from __future__ import annotations

from typing import Any

import pytest

from ketacore.evidence import Refusal
from ketacore.maintenance.ask import answer

SETTING = {"jurisdiction": "US", "on": "2026-09-18"}
FACTS: dict[str, Any] = {
    "protocol_id": "esketamine-trd-us",
    "starts_on": "2026-09-14",
    "given_on": ["2026-09-14", "2026-09-17"],
    "improvement_percent": None,
}


def test_the_next_session() -> None:
    reply = answer({**SETTING, "facts": FACTS})
    asked = ("outcome", "earliest_on", "latest_on", "due_on", "phase", "week", "overdue_days", "decide")
    expected = ["proposed", "2026-09-21", "2026-09-27", "2026-09-21", "induction", 2, 0, []]
    assert [reply[name] for name in asked] == expected
    assert reply["proposal_never_an_order"]


def test_no_day_where_none_may_be_proposed() -> None:
    reply = answer({**SETTING, "on": "2026-12-24", "facts": FACTS})
    assert reply["outcome"] == "lapsed"
    assert [reply[n] for n in ("earliest_on", "latest_on", "due_on", "phase", "week")] == [None] * 5


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, "protocol_id is missing"),
        ({**FACTS, "protocol_id": "x"}, "there is no protocol x"),
        ({**FACTS, "given_on": ["2026-09-17", "2026-09-14"]}, "order of time"),
        ({**FACTS, "worse": "yes"}, "worse must be true"),
        ({**FACTS, "mood": 1}, "unknown field in facts"),
    ],
)
def test_what_cannot_be_read_is_refused(facts: dict[str, Any], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        answer({**SETTING, "facts": facts})
