"""The rule records of follow-up and their predicates, one small function each."""

from __future__ import annotations

from collections.abc import Mapping

from ketacore.evidence import Predicate, Rule, RuleSet, Truth, load_rules, no, unknown, yes
from ketacore.followup.facts import AnswerFacts, ScoreFacts

RULES: RuleSet = load_rules("followup")


def percent_better(facts: ScoreFacts) -> float | None:
    """Return the improvement from baseline in percent, unrounded; ``None`` while it cannot be told."""
    baseline, now = facts.baseline.value, facts.now.value
    if baseline is None or now is None or baseline == 0:
        return None
    fall = baseline - now if facts.scale.higher_is_worse else now - baseline
    return 100 * fall / baseline


def points_worse(before: int, now: int, facts: ScoreFacts) -> int:
    """Return by how many points ``now`` is worse than ``before``; negative when it is better."""
    return now - before if facts.scale.higher_is_worse else before - now


def _missing(facts: ScoreFacts) -> tuple[str, ...]:
    return tuple(name for name, fact in (("baseline", facts.baseline), ("now", facts.now)) if not fact.known)


def _response(facts: ScoreFacts, rule: Rule) -> Truth:
    if _missing(facts):
        return unknown(*_missing(facts))
    better = percent_better(facts)
    if better is None:
        return no("the baseline is zero: no percentage can be taken")
    told = f"{facts.scale.name} from {facts.baseline.value} to {facts.now.value}: {_percent(better)}"
    return yes(told) if better >= rule.number("response_percent") else no(told)


def _partial(facts: ScoreFacts, rule: Rule) -> Truth:
    if _missing(facts):
        return unknown(*_missing(facts))
    better = percent_better(facts)
    if better is None:
        return no("the baseline is zero: no percentage can be taken")
    full = RULES["KC-OUT-01"].number("response_percent")
    told = f"{facts.scale.name} from {facts.baseline.value} to {facts.now.value}: {_percent(better)}"
    return yes(told) if rule.number("partial_percent") <= better < full else no(told)


def _percent(better: float) -> str:
    return f"{better:.1f} percent less" if better >= 0 else f"{-better:.1f} percent more"


def risen(facts: ScoreFacts, before: int, name: str) -> Truth:
    """Return whether the score rose by the instrument's meaningful change since ``before``."""
    threshold = facts.scale.change("meaningful")
    now = facts.now.value
    if threshold is None:
        return unknown("meaningful_change")
    if now is None:
        return unknown("now")
    worse = points_worse(before, now, facts)
    told = f"{facts.scale.name} {before} {name}, {now} now; {threshold.points:g} points are a meaningful change"
    return yes(told) if worse >= threshold.points else no(told)


def _worse_after_session(facts: ScoreFacts, rule: Rule) -> Truth:
    since = facts.session_since_previous.value
    if since is False:
        return no("no session since the score before")
    if since is None:
        return unknown("session_since_previous")
    if facts.previous.value is None:
        return unknown("previous")
    return risen(facts, facts.previous.value, "before the session")


def _suicide_item(facts: AnswerFacts, rule: Rule) -> Truth:
    items = facts.scale.suicide_items
    asked = [(item, facts.answers.get(item.item)) for item in items]
    positive = tuple(
        f'{facts.scale.name} {_place(facts, item.item)}: "{facts.scale.item(item.item).words(value)}" ({value})'
        for item, value in asked
        if value is not None and value >= item.at_least
    )
    if positive:
        return yes(*positive)
    unasked = tuple(item.item for item, value in asked if value is None)
    if unasked:
        return unknown(*unasked)
    return no(*(f"{facts.scale.name} {_place(facts, item.item)}: not at all" for item, _ in asked))


def _place(facts: AnswerFacts, key: str) -> str:
    return f"item {facts.scale.item(key).number}"


def _has_suicide_item(facts: AnswerFacts, rule: Rule) -> Truth:
    return yes(f"{facts.scale.name} holds one item about suicide") if facts.scale.suicide_items else no()


RESPONSE_PREDICATES: Mapping[str, Predicate[ScoreFacts]] = {"KC-OUT-01": _response, "DEC-18": _partial}
WORSE_PREDICATES: Mapping[str, Predicate[ScoreFacts]] = {"SAF-06": _worse_after_session}
SUICIDE_PREDICATES: Mapping[str, Predicate[AnswerFacts]] = {
    "RS-01-S": _suicide_item,
    "DEC-20": _suicide_item,
    "RS-01-N": _has_suicide_item,
}
