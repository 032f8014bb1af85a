"""Rule records come from TOML files beside the code, read once at import, refused if incomplete."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from types import MappingProxyType
from typing import Any

from ketacore.evidence.grades import DESIGN_SOURCE_KEY, Grade, Review, Source
from ketacore.evidence.rules import Effect, Kind, Override, Parameter, Rule

RULE_PACK = "2026.11"
"""Version of the rule data as a whole; stored with every decision."""

_REQUIRED = [
    "rule_id",
    "rule_version",
    "kind",
    "effect",
    "title",
    "text",
    "jurisdiction",
    "grade",
    "source",
    "effective_from",
    "review",
    "enabled",
]
_LISTS = ["product", "route", "indication", "phase", "supersedes", "conflicts_with", "needs"]


class RuleDataError(ValueError):
    """A rule record that may not be loaded; the message names the record and the field."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one room, by id, in the order of the data file."""

    room: str
    rules: Mapping[str, Rule]

    def __getitem__(self, rule_id: str) -> Rule:
        return self.rules[rule_id]

    def __iter__(self) -> Any:
        return iter(self.rules.values())

    def __len__(self) -> int:
        return len(self.rules)


def load_rules(room: str) -> RuleSet:
    """Return the rules of ``ketacore.<room>``, read from ``data/rules*.toml`` beside its code.

    Raises ``RuleDataError`` for a record that is incomplete, duplicated, or enabled without the right to be.
    """
    folder = resources.files(f"ketacore.{room}") / "data"
    rules: dict[str, Rule] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not (file.name.startswith("rules") and file.name.endswith(".toml")):
            continue
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        for rule in parse_rules(document):
            if rule.rule_id in rules:
                raise RuleDataError(f"{rule.rule_id}: stands twice in {room}")
            rules[rule.rule_id] = rule
    return RuleSet(room, MappingProxyType(rules))


def parse_rules(document: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of one parsed TOML document.

    ``[sources.KEY]`` tables hold each source once; a rule names its key and section. ``[defaults]`` holds
    fields shared by the file (``review``, ``jurisdiction``, ``effective_from`` …).
    """
    sources: Mapping[str, Any] = document.get("sources", {})
    defaults: Mapping[str, Any] = document.get("defaults", {})
    return tuple(_rule({**defaults, **record}, sources) for record in document.get("rule", []))


def _rule(record: Mapping[str, Any], sources: Mapping[str, Any]) -> Rule:
    rule_id = str(record.get("rule_id", "a rule without rule_id"))
    for name in _REQUIRED:
        if name not in record or record[name] in ("", [], {}):
            raise RuleDataError(f"{rule_id}: {name} is missing")
    unknown = set(record) - set(_REQUIRED) - set(_LISTS) - _OPTIONAL
    if unknown:
        raise RuleDataError(f"{rule_id}: unknown field {', '.join(sorted(unknown))}")
    rule = Rule(
        rule_id=rule_id,
        rule_version=int(record["rule_version"]),
        kind=Kind(record["kind"]),
        effect=Effect(record["effect"]),
        title=record["title"],
        text=record["text"],
        jurisdiction=tuple(record["jurisdiction"]),
        grade=Grade(record["grade"]),
        source=_source(rule_id, record, sources),
        review=_review(rule_id, record["review"]),
        effective_from=record["effective_from"],
        effective_to=record.get("effective_to"),
        expires=record.get("expires"),
        enabled=bool(record["enabled"]),
        parameters=MappingProxyType({k: _parameter(v) for k, v in record.get("parameters", {}).items()}),
        override=_override(record.get("override", {})),
        **{name: tuple(record.get(name, ())) for name in _LISTS},
    )
    _refuse_if_not_allowed(rule, primary_checked=bool(record.get("primary_checked", False)))
    return rule


_OPTIONAL = {"effective_to", "expires", "parameters", "override", "section", "primary_checked"}


def _source(rule_id: str, record: Mapping[str, Any], sources: Mapping[str, Any]) -> Source:
    key = record["source"]
    section = str(record.get("section", ""))
    if key not in sources:
        raise RuleDataError(f"{rule_id}: source {key} is not described in this file")
    described = sources[key]
    if not section:
        raise RuleDataError(f"{rule_id}: section is missing")
    return Source(
        key=key,
        title=described["title"],
        section=section,
        version=described["version"],
        checked_on=described["checked_on"],
        url=described.get("url", ""),
    )


def _review(rule_id: str, record: Mapping[str, Any]) -> Review:
    try:
        review = Review(**record)
    except TypeError as error:
        raise RuleDataError(f"{rule_id}: review is incomplete: {error}") from error
    if review.author == review.checker:
        raise RuleDataError(f"{rule_id}: author and checker must be two people or teams")
    if not all(type(record[day]) is date for day in ("reviewed_on", "review_due")):
        raise RuleDataError(f"{rule_id}: review dates must be dates")
    return review


def _override(record: Mapping[str, Any]) -> Override:
    return Override(
        roles=tuple(record.get("roles", ())),
        reason_required=bool(record.get("reason_required", True)),
        second_signoff=bool(record.get("second_signoff", False)),
    )


def _parameter(value: Any) -> Parameter:
    return tuple(value) if isinstance(value, list) else value


def _refuse_if_not_allowed(rule: Rule, *, primary_checked: bool) -> None:
    if rule.enabled and rule.grade is Grade.C:
        raise RuleDataError(f"{rule.rule_id}: grade C cannot be enabled")
    if rule.enabled and rule.grade is Grade.B and not primary_checked:
        raise RuleDataError(f"{rule.rule_id}: grade B cannot be enabled before a person checked the primary")
    if rule.enabled and rule.grade is Grade.D:
        raise RuleDataError(f"{rule.rule_id}: grade D is enabled by the medical director's signature, not by data")
    if rule.grade is Grade.D and rule.source.key != DESIGN_SOURCE_KEY:
        raise RuleDataError(f"{rule.rule_id}: a grade D rule has the source 'design'")
