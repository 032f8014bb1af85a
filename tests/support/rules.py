"""Rule records for tests, complete unless a test takes something away."""

from __future__ import annotations

from datetime import date
from typing import Any

from ketacore.evidence import Rule, parse_rules

RECORD: dict[str, Any] = {
    "rule_id": "TST-01",
    "rule_version": 1,
    "kind": "contraindication",
    "effect": "hard_stop",
    "title": "A stop for tests",
    "text": "Something that stops.",
    "jurisdiction": ["US"],
    "grade": "A",
    "source": "label",
    "section": "4",
    "review": {
        "author": "one team",
        "checker": "another team",
        "reviewed_on": date(2026, 11, 23),
        "review_due": date(2027, 5, 23),
    },
    "effective_from": date(2025, 1, 1),
    "enabled": True,
    "parameters": {"limit_mmhg": 140, "words": ["a", "b"], "strict": True},
}

SOURCES = {
    "label": {"title": "A label", "version": "1", "checked_on": date(2026, 11, 23), "url": "https://example.org"},
    "design": {"title": "Design", "version": "1", "checked_on": date(2026, 11, 23)},
}


def make_rule(**fields: Any) -> Rule:
    return parse_rules({"sources": SOURCES, "rule": [{**RECORD, **fields}]})[0]


def make_policy(**fields: Any) -> Rule:
    return make_rule(**{"grade": "D", "source": "design", "enabled": False, **fields})
