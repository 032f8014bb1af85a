"""Severity, response, remission and worsening from scores; safety alerts and their escalation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ketacore.evidence import (
    RULE_PACK,
    Decision,
    Fact,
    Finding,
    Rule,
    Setting,
    Standing,
    State,
    Truth,
    evaluate,
    no,
    standing,
    unknown,
    yes,
)
from ketacore.followup.facts import AlertFacts, AnswerFacts, ScoreFacts
from ketacore.followup.rules import (
    RESPONSE_PREDICATES,
    RULES,
    SUICIDE_PREDICATES,
    WORSE_PREDICATES,
    percent_better,
    points_worse,
    risen,
)
from ketacore.scales import Band, Scale, band_of

RESPONSE, PARTIAL, NONE, WORSE = "response", "partial", "none", "worse"
REMISSION, NO_REMISSION = "remission", "no_remission"
UNDEFINED, CANNOT_DECIDE = "undefined", "cannot_decide"
ALERT, NO_ALERT = "alert", "no_alert"
WAITING, ESCALATED, ACKNOWLEDGED, CLOSED, NO_CLOCK = "waiting", "escalated", "acknowledged", "closed", "no_clock"

DEFAULT_OWNER_ROLE = "prescriber"
"""Who owns an alert while the clinic has signed no escalation policy: it never has no owner."""


def severity(scale: Scale, total: int) -> Band:
    """Return the band of a total; raises ``Refusal`` outside the range of the scale."""
    return band_of(scale, total)


def response(baseline: Fact[int], now: Fact[int], scale: Scale, setting: Setting) -> Decision:
    """Say what became of a score since its baseline.

    ``response``, ``partial``, ``none``, ``worse``; ``undefined`` from a baseline of zero; ``cannot_decide`` when a
    score is missing, or when what is left to tell rests on a policy nobody signed.
    """
    facts = ScoreFacts(scale, baseline, now)
    findings = evaluate(RULES, RESPONSE_PREDICATES, facts, setting)
    worse = _worse(facts, setting)
    outcome = _response_outcome(facts, {f.rule.rule_id: f.state for f in findings}, worse)
    return Decision("response", outcome, setting, RULE_PACK, findings + ((worse,) if worse is not None else ()))


def _worse(facts: ScoreFacts, setting: Setting) -> Finding | None:
    rule, baseline = RULES["DEC-18"], facts.baseline.value
    if standing(rule, setting) is not Standing.ACTIVE:
        return None
    return _finding(rule, unknown("baseline") if baseline is None else risen(facts, baseline, "at baseline"))


def _finding(rule: Rule, truth: Truth) -> Finding:
    state = {True: State.FIRED, False: State.CLEAR, None: State.NOT_EVALUATED}[truth.value]
    return Finding(rule, state, truth.because, truth.missing)


def _response_outcome(facts: ScoreFacts, states: Mapping[str, State], worse: Finding | None) -> str:
    baseline, now = facts.baseline.value, facts.now.value
    if baseline is None or now is None or "KC-OUT-01" not in states:
        return CANNOT_DECIDE
    if states["KC-OUT-01"] is State.FIRED:
        return RESPONSE
    if percent_better(facts) is None:
        return UNDEFINED
    if worse is not None and worse.state is State.FIRED:
        return WORSE
    untold = worse is None or (worse.state is State.NOT_EVALUATED and points_worse(baseline, now, facts) > 0)
    if untold:
        return CANNOT_DECIDE
    return PARTIAL if states["DEC-18"] is State.FIRED else NONE


def remission(now: Fact[int], scale: Scale, setting: Setting) -> Decision:
    """Say whether a total counts as remission: ``undefined`` for an instrument without a checked cut-off."""
    cut_off = scale.remission
    if cut_off is None or standing(cut_off.rule, setting) is not Standing.ACTIVE:
        return Decision("remission", UNDEFINED, setting, RULE_PACK)
    total = now.value
    if total is None:
        truth = unknown("now")
    else:
        inside = total < cut_off.below if scale.higher_is_worse else total > cut_off.below
        told = f"{scale.name} {total}; remission is below {cut_off.below}"
        truth = yes(told) if inside else no(told)
    outcome = {True: REMISSION, False: NO_REMISSION, None: CANNOT_DECIDE}[truth.value]
    return Decision("remission", outcome, setting, RULE_PACK, (_finding(cut_off.rule, truth),))


def item9_alert(scale: Scale, answers: Mapping[str, int | None], setting: Setting) -> Decision:
    """Say whether an item about suicide asks for an assessment: ``alert``, ``no_alert`` or ``cannot_decide``.

    An unanswered item is never "no". ``no_alert`` carries the notice that the form is not the only suicide screen.
    """
    findings = evaluate(RULES, SUICIDE_PREDICATES, AnswerFacts(scale, answers), setting)
    if not scale.suicide_items:
        return Decision("suicide_item", NO_ALERT, setting, RULE_PACK)
    asked = next((f for f in findings if f.rule.rule_id == "RS-01-S"), None)
    by_state = {State.FIRED: ALERT, State.CLEAR: NO_ALERT, State.NOT_EVALUATED: CANNOT_DECIDE}
    outcome = CANNOT_DECIDE if asked is None else by_state[asked.state]
    return Decision("suicide_item", outcome, setting, RULE_PACK, findings)


def worse_after_session(facts: ScoreFacts, setting: Setting) -> Decision:
    """Say whether a score after a session asks for a review today: ``alert``, ``no_alert`` or ``cannot_decide``."""
    findings = evaluate(RULES, WORSE_PREDICATES, facts, setting)
    by_state = {State.FIRED: ALERT, State.CLEAR: NO_ALERT, State.NOT_EVALUATED: CANNOT_DECIDE}
    outcome = by_state[findings[0].state] if findings else CANNOT_DECIDE
    return Decision("worse_after_session", outcome, setting, RULE_PACK, findings)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who must answer an alert, and by when; without a signed policy there is an owner and no clock."""

    owner_role: str
    backup_role: str
    due_at: datetime | None
    policy: Finding


def ownership(raised_at: datetime, setting: Setting) -> Ownership:
    """Return owner, backup and deadline of an alert raised now."""
    rule = RULES["KC-ESC-01"]
    if standing(rule, setting) is not Standing.ACTIVE:
        why = "the escalation policy is not signed: every prescriber owns the alert, and no clock runs"
        return Ownership(DEFAULT_OWNER_ROLE, "", None, Finding(rule, State.NOT_EVALUATED, (why,)))
    minutes = rule.number("acknowledge_within_min")
    owner, backup = str(rule.parameters["owner_role"]), str(rule.parameters["backup_role"])
    told = f"{owner} within {minutes:g} minutes, then {backup} too"
    due_at = raised_at + timedelta(minutes=minutes)
    return Ownership(owner, backup, due_at, Finding(rule, State.FIRED, (told,)))


def escalation(facts: AlertFacts, at: datetime, setting: Setting) -> Decision:
    """Say where the loop of an alert stands: ``waiting``, ``escalated``, ``acknowledged``, ``closed``, ``no_clock``."""
    owned = ownership(facts.raised_at, setting)
    return Decision("escalation", _loop(facts, owned, at), setting, RULE_PACK, (owned.policy,))


def _loop(facts: AlertFacts, owned: Ownership, at: datetime) -> str:
    if facts.closed_at is not None and facts.closed_at <= at:
        return CLOSED
    if facts.acknowledged_at is not None and facts.acknowledged_at <= at:
        return ACKNOWLEDGED
    if owned.due_at is None:
        return NO_CLOCK
    return ESCALATED if at > owned.due_at else WAITING


@dataclass(frozen=True, slots=True)
class CrisisLine:
    """Where to call in a crisis, in this jurisdiction."""

    name: str
    number: str


def crisis_lines(setting: Setting) -> tuple[CrisisLine, ...]:
    """Return the checked crisis numbers of the place; none where none was checked: show the clinic's own contact."""
    rule = RULES["SAF-04"]
    if standing(rule, setting) is not Standing.ACTIVE:
        return ()
    return (
        CrisisLine("Suicide and crisis lifeline: call or text", str(rule.parameters["crisis_line"])),
        CrisisLine("Emergency", str(rule.parameters["emergency"])),
    )
