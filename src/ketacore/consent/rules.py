"""The rule records of consent and their predicates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ketacore.consent.facts import RenewalFacts, TextFacts
from ketacore.evidence import Predicate, Rule, RuleSet, Truth, load_rules, no, unknown, yes

RULES: RuleSet = load_rules("consent")

_ABOUT_A_SIGNATURE = "CON-13"


def element_of(rule: Rule) -> str:
    """Return the id of the checklist element a rule is about (``CON-09-IV`` is about ``CON-09``)."""
    return "-".join(rule.rule_id.split("-")[:2])


def is_element(rule: Rule) -> bool:
    """Return whether a rule says what a text must cover, rather than when a signature stands."""
    return element_of(rule) != _ABOUT_A_SIGNATURE


def months_between(earlier: date, later: date) -> int:
    """Return the completed calendar months between two days."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)


def _not_covered(facts: TextFacts, rule: Rule) -> Truth:
    element = element_of(rule)
    return no(f"covers {element}") if element in facts.elements else yes(f"the text does not cover {element}")


def _too_old(facts: RenewalFacts, rule: Rule, on: date) -> Truth:
    signed_on = facts.signature.signed_at.date()
    months = months_between(signed_on, on)
    told = f"signed on {signed_on.isoformat()}, {months} months ago"
    return yes(told) if months >= rule.number("renew_months") else no(told)


def _dose_beyond(facts: RenewalFacts, rule: Rule) -> Truth:
    limit, dose = facts.signature.dose_limit, facts.planned_dose.value
    if limit is None:
        return no("the signed text names no highest dose")
    if dose is None:
        return unknown("planned_dose")
    unit = facts.signature.dose_unit
    told = f"{dose:g} {unit} planned, the signed text names up to {limit:g} {unit}"
    return yes(told) if dose > limit else no(told)


def _new_risk(facts: RenewalFacts, rule: Rule) -> Truth:
    texts = facts.renewing_texts.value
    if texts is None:
        return unknown("renewing_texts")
    newer = [day for day in texts if day > facts.signature.signed_at.date()]
    if newer:
        return yes(f"a text with a new material risk is in force since {max(newer).isoformat()}")
    return no("no text with a new material risk since the signature")


TEXT_PREDICATES: Mapping[str, Predicate[TextFacts]] = {rule.rule_id: _not_covered for rule in RULES if is_element(rule)}


def renewal_predicates(on: date) -> Mapping[str, Predicate[RenewalFacts]]:
    """Return the predicates that ask whether a signature must be renewed by ``on``."""
    return {
        "CON-13-RENEW": lambda facts, rule: _too_old(facts, rule, on),
        "CON-13-DOSE": _dose_beyond,
        "CON-13-RISK": _new_risk,
    }
