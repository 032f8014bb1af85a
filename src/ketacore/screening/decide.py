"""The two questions of screening: is this person a candidate, and what would treating in spite of a finding need?"""

from __future__ import annotations

from dataclasses import dataclass

from ketacore.evidence import (
    RULE_PACK,
    Decision,
    Effect,
    Finding,
    Known,
    Refusal,
    Setting,
    Standing,
    State,
    evaluate,
    standing,
)
from ketacore.screening.facts import PRODUCTS, CandidateFacts
from ketacore.screening.rules import PREDICATES, RULES, Asked

OUTCOMES = ("stop", "cannot_decide", "caution", "candidate")
"""The possible outcomes, from the least to the most eligible."""

QUESTION = "candidacy"


def assess_candidacy(facts: CandidateFacts, setting: Setting) -> Decision:
    """Return whether the person is a candidate for ``setting.product``, with every finding.

    A contraindication that fired gives ``stop``; a stop of either kind whose fact is unknown gives ``cannot_decide``.
    Anything else that fired or could not be checked is a ``caution``, a soft stop among it: it holds the verdict until
    the prescriber gives a reason (``what_treating_needs``). Rules that are disabled or unsigned are listed as not
    evaluated and neither stop nor pass. Raises ``Refusal`` for a product that nobody can be assessed for.
    """
    if setting.product not in PRODUCTS:
        raise Refusal(
            "Assessing candidacy",
            [f"{setting.product or 'no product'} is not a product of this room"],
            f"Ask for one of: {', '.join(PRODUCTS)}.",
        )
    findings = evaluate(RULES, PREDICATES, Asked(facts, setting), setting)
    return Decision(QUESTION, _outcome(findings, setting), setting, RULE_PACK, findings)


def _outcome(findings: tuple[Finding, ...], setting: Setting) -> str:
    active = [f for f in findings if standing(f.rule, setting) is Standing.ACTIVE]
    stops = [f for f in active if f.rule.effect.stops]
    if any(f.state is State.FIRED and f.rule.effect is Effect.HARD_STOP for f in stops):
        return "stop"
    if not stops or any(f.state is State.NOT_EVALUATED for f in stops):
        return "cannot_decide"
    if any(f.state is not State.CLEAR for f in active):
        return "caution"
    return "candidate"


@dataclass(frozen=True, slots=True)
class TreatNeeds:
    """What stands between the prescriber and the verdict "treat".

    ``unasked`` facts must be asked first; ``barred`` stops cannot be passed in this clinic; each finding in
    ``reasons`` needs a reason of its own, those in ``second_signature`` a second prescriber as well.
    """

    unasked: tuple[str, ...] = ()
    barred: tuple[Finding, ...] = ()
    reasons: tuple[Finding, ...] = ()
    second_signature: tuple[Finding, ...] = ()


def what_treating_needs(decision: Decision, facts: CandidateFacts) -> TreatNeeds:
    """Return what a prescriber owes before deciding to treat (DEC-01, DEC-16).

    "Not asked" blocks until it is asked; "asked, not known" goes to the prescriber, who gives a reason.
    """
    open_ = [f for f in decision.findings if f.stops and standing(f.rule, decision.setting) is Standing.ACTIVE]
    unasked = tuple(dict.fromkeys(name for f in open_ for name in f.missing if _unasked(facts, name)))
    fired_hard = [f for f in open_ if f.state is State.FIRED and f.rule.effect is Effect.HARD_STOP]
    passable = standing(RULES["DEC-01"], decision.setting) is Standing.ACTIVE
    barred = () if passable else tuple(fired_hard)
    reasons = tuple(f for f in open_ if f not in barred and not any(_unasked(facts, name) for name in f.missing))
    second = tuple(f for f in reasons if f.rule.override.second_signoff)
    return TreatNeeds(unasked, barred, reasons, second)


def _unasked(facts: CandidateFacts, name: str) -> bool:
    fact = getattr(facts, name)
    return fact.state is Known.NOT_ASKED or (name == "medicines_reviewed" and fact.value is False)
