"""What a decision rests on: sources and grades, rules as data, three-valued facts, findings, refusals.

Every other room of the core builds on this one. A rule is a record (``data/rules*.toml``); its logic is a small
named predicate; ``evaluate`` asks the rules that stand in a place, on a day, under the signed policies.
"""

from ketacore.evidence.as_json import decision_as_json, rule_as_json, to_jsonable
from ketacore.evidence.decisions import (
    Decision,
    Finding,
    Predicate,
    Refusal,
    State,
    evaluate,
    strongest,
)
from ketacore.evidence.grades import Grade, Review, Source
from ketacore.evidence.loading import RULE_PACK, RuleDataError, RuleSet, load_rules, parse_rules
from ketacore.evidence.rules import (
    Approval,
    Effect,
    Kind,
    Override,
    Rule,
    Setting,
    SignedPolicies,
    Standing,
    standing,
)
from ketacore.evidence.truth import Fact, Known, Truth, all_of, any_of, no, present, unknown, yes

__all__ = [
    "RULE_PACK",
    "Approval",
    "Decision",
    "Effect",
    "Fact",
    "Finding",
    "Grade",
    "Kind",
    "Known",
    "Override",
    "Predicate",
    "Refusal",
    "Review",
    "Rule",
    "RuleDataError",
    "RuleSet",
    "Setting",
    "SignedPolicies",
    "Source",
    "Standing",
    "State",
    "Truth",
    "all_of",
    "any_of",
    "decision_as_json",
    "evaluate",
    "load_rules",
    "no",
    "parse_rules",
    "present",
    "rule_as_json",
    "standing",
    "strongest",
    "to_jsonable",
    "unknown",
    "yes",
]
