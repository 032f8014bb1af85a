"""The rules of this room, and those of planning that giving a dose rests on."""

from __future__ import annotations

from ketacore.evidence import Rule, RuleSet, Setting, Standing, load_rules, standing

RULES: RuleSet = load_rules("treatment")
_PLANNING: RuleSet = load_rules("planning")

DEVICE: Rule = _PLANNING["SPR-ADM-04"]
"""What one device holds and how long the rest after it lasts."""


def stands(rule_id: str, setting: Setting) -> bool:
    """Return whether a rule acts in this setting."""
    return standing(RULES[rule_id], setting) is Standing.ACTIVE
