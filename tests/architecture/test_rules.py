"""Every rule is complete, known to the reference, looked at by two, and not overdue."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import pytest

from ketacore.evidence import Grade, Rule
from tests.support.tree import REFERENCE, all_rules

RULES = [rule for _, rule in all_rules()]
OWN = "KC-"
"""Begins the ids of this project's own defaults, which the reference has under no id."""
SHAPE = re.compile(r"^(KC-)?[A-Z]{1,5}(-[A-Z]{1,5})*-\d{2}(-[A-Z0-9]+)*$")
STEM = re.compile(r"^[A-Z]{1,5}(-[A-Z]{1,5})?-\d{2}")


def test_no_id_is_used_twice() -> None:
    assert [rule_id for rule_id, times in Counter(rule.rule_id for rule in RULES).items() if times > 1] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.rule_id)
def test_a_rule_is_complete(rule: Rule) -> None:
    assert SHAPE.match(rule.rule_id)
    assert rule.rule_version >= 1
    assert rule.title and rule.text and rule.jurisdiction and rule.source.section and rule.source.version
    assert rule.review.author != rule.review.checker
    assert rule.review.reviewed_on < rule.review.review_due
    assert rule.effective_to is None or rule.effective_from < rule.effective_to


def test_no_review_is_overdue() -> None:
    assert [rule.rule_id for rule in RULES if rule.review.overdue(date.today())] == []


def test_what_is_not_checked_does_not_act() -> None:
    assert [rule.rule_id for rule in RULES if rule.enabled and rule.grade in (Grade.C, Grade.D)] == []


def test_the_reference_knows_every_id() -> None:
    """Where the clinical reference lies beside the checkout; elsewhere its absence is all there is to say."""
    if not REFERENCE.is_dir():
        assert not REFERENCE.exists()
        return
    known = set(
        re.findall(r"\b[A-Z]{1,5}(?:-[A-Z]{1,5})?-\d{2}\b", "".join(f.read_text() for f in REFERENCE.glob("*.md")))
    )
    stems = {
        match.group() for rule in RULES if (match := STEM.match(rule.rule_id)) and not rule.rule_id.startswith(OWN)
    }
    assert stems - known == set()


def test_other_rules_named_by_a_rule_exist() -> None:
    ids = {rule.rule_id for rule in RULES}
    assert [r.rule_id for r in RULES if not set(r.supersedes) | set(r.conflicts_with) <= ids] == []
