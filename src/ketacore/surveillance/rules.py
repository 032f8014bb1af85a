"""The rule records of surveillance; their logic is the calendar in ``decide.py``."""

from __future__ import annotations

from ketacore.evidence import RuleSet, load_rules

RULES: RuleSet = load_rules("surveillance")
