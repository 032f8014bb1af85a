"""The setting in which the core is asked, every rule of every room, and where each stands at this clinic."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib import import_module

from django.http import Http404

import ketacore
from ketaclinic.people.models import Clinic
from ketaclinic.policy.models import PolicySignature
from ketacore.evidence import RULE_PACK, Approval, Grade, Rule, RuleSet, Setting, SignedPolicies, Standing, standing


def signed_policies(clinic: Clinic, at: datetime) -> SignedPolicies:
    """Return the clinic policies whose signature stands at ``at``."""
    newest: dict[tuple[str, int], PolicySignature] = {}
    rows = PolicySignature.objects.of(clinic).filter(at__lte=at).select_related("by").order_by("at", "pk")
    for row in rows:
        newest[row.rule_id, row.rule_version] = row
    return SignedPolicies(
        tuple(
            Approval(row.rule_id, row.rule_version, row.by.display_name, row.at)
            for row in newest.values()
            if row.signed
        )
    )


def setting_of(clinic: Clinic, at: datetime, product: str = "") -> Setting:
    """Return the setting for a question asked in this clinic at ``at``; the day is the clinic's own."""
    return Setting(
        jurisdiction=clinic.jurisdiction,
        on=clinic.day_of(at),
        product=product,
        policies=signed_policies(clinic, at),
    )


@cache
def rule_sets() -> Mapping[str, RuleSet]:
    """Return the rules of every room of the core that has some, by room, in the order of the rooms' names.

    A room shows its rules as ``RULES``, in its ``__init__`` or in its ``rules`` module.
    """
    found: dict[str, RuleSet] = {}
    for module in pkgutil.iter_modules(ketacore.__path__):
        if not module.ispkg:
            continue
        rules = _rules_in(f"ketacore.{module.name}")
        if rules is not None:
            found[module.name] = rules
    return found


def _rules_in(room: str) -> RuleSet | None:
    package = import_module(room)
    if not hasattr(package, "RULES") and any(m.name == "rules" for m in pkgutil.iter_modules(package.__path__)):
        package = import_module(f"{room}.rules")
    rules = getattr(package, "RULES", None)
    return rules if isinstance(rules, RuleSet) else None


def all_rules() -> tuple[tuple[str, Rule], ...]:
    """Return every rule with its room. A rule that two rooms hold appears in both."""
    return tuple((room, rule) for room, rules in rule_sets().items() for rule in rules)


def rule_named(rule_id: str) -> tuple[tuple[str, ...], Rule]:
    """Return a rule and the rooms that hold it; raises ``Http404`` for an id that no room has."""
    held = [(room, rule) for room, rule in all_rules() if rule.rule_id == rule_id]
    if not held:
        raise Http404("There is no such rule.")
    return tuple(room for room, _ in held), held[0][1]


@dataclass(frozen=True, slots=True)
class StandingRule:
    """A rule and where it stands at one clinic on one day."""

    room: str
    rule: Rule
    standing: Standing
    approval: Approval | None


def standing_rules(clinic: Clinic, at: datetime) -> tuple[StandingRule, ...]:
    """Return every rule of every room as it stands here; two queries in all."""
    setting = setting_of(clinic, at)
    return tuple(
        StandingRule(room, rule, standing(rule, setting), setting.policies.approval(rule)) for room, rule in all_rules()
    )


def unsigned_policies(clinic: Clinic, at: datetime, room: str) -> tuple[Rule, ...]:
    """Return the clinic policies of a room that hold here and that nobody has signed; ``Http404`` for no such room."""
    if room not in rule_sets():
        raise Http404("There is no such room.")
    setting = setting_of(clinic, at)
    return tuple(rule for rule in rule_sets()[room] if standing(rule, setting) is Standing.UNSIGNED)


def signatures_under(clinic: Clinic, rule: Rule, at: datetime) -> tuple[PolicySignature, ...]:
    """Return who signed the rule and who withdrew a signature, newest first, for all its versions."""
    rows = PolicySignature.objects.of(clinic).filter(rule_id=rule.rule_id, at__lte=at).select_related("by")
    return tuple(rows.order_by("-at", "-pk"))


@dataclass(frozen=True, slots=True)
class RulesLine:
    """One line for the head of a page: which rules stand here, and who signed the clinic's own."""

    pack: str
    jurisdiction: str
    signed: int
    policies: int
    signed_by: tuple[str, ...]

    def __str__(self) -> str:
        head = f"Rules {self.pack}, {self.jurisdiction}"
        if not self.signed:
            return f"{head}, no clinic policy signed"
        part = "" if self.signed == self.policies else f" ({self.signed} of {self.policies} clinic policies)"
        return f"{head}, signed by {', '.join(self.signed_by)}{part}"


def rules_line(clinic: Clinic, at: datetime) -> RulesLine:
    """Return the line about the rules for the head of a page; one query."""
    setting = setting_of(clinic, at)
    here = {(r.rule_id, r.rule_version): r for _, r in all_rules() if r.grade is Grade.D}
    held = {
        key: rule
        for key, rule in here.items()
        if standing(rule, replace(setting, policies=SignedPolicies())) is Standing.UNSIGNED
    }
    approvals = [a for rule in held.values() if (a := setting.policies.approval(rule)) is not None]
    return RulesLine(
        pack=RULE_PACK,
        jurisdiction=clinic.jurisdiction,
        signed=len(approvals),
        policies=len(held),
        signed_by=tuple(dict.fromkeys(a.approved_by for a in approvals)),
    )
