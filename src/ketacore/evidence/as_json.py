"""Values of the core as plain JSON, the same in the shell, in the record and in a scenario file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from ketacore.evidence.decisions import Decision, Finding
from ketacore.evidence.rules import Rule


def rule_as_json(rule: Rule) -> dict[str, Any]:
    """Return the parts of a rule that a reason card shows."""
    return {
        "rule_id": rule.rule_id,
        "rule_version": rule.rule_version,
        "title": rule.title,
        "text": rule.text,
        "kind": rule.kind.value,
        "effect": rule.effect.value,
        "grade": rule.grade.value,
        "source": to_jsonable(rule.source),
        "parameters": to_jsonable(rule.parameters),
    }


def decision_as_json(decision: Decision) -> dict[str, Any]:
    """Return a decision with every finding, as ``ketacore ROOM`` prints it."""
    return {
        "question": decision.question,
        "outcome": decision.outcome,
        "rule_pack": decision.rule_pack,
        "jurisdiction": decision.setting.jurisdiction,
        "on": decision.setting.on.isoformat(),
        "product": decision.setting.product,
        "missing": list(decision.missing),
        "fired": [_finding(f) for f in decision.fired],
        "not_evaluated": [_finding(f) for f in decision.not_evaluated],
        "clear": [_finding(f) for f in decision.clear],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        **rule_as_json(finding.rule),
        "because": list(finding.because),
        "missing": list(finding.missing),
    }


def to_jsonable(value: Any) -> Any:
    """Return ``value`` built of JSON types only: dataclasses become objects, dates ISO text, enums their value."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_jsonable(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(to_jsonable(k)): to_jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_jsonable(v) for v in value]
    return value
