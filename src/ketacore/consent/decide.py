"""The consent decisions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from ketacore.consent.facts import ConsentFacts, RenewalFacts, SignedConsent, TextFacts
from ketacore.consent.rules import RULES, TEXT_PREDICATES, is_element, renewal_predicates
from ketacore.evidence import RULE_PACK, Decision, Finding, Rule, Setting, Standing, State, evaluate, standing

VALID, EXPIRED, MISSING, WITHDRAWN, OTHER_ROUTE = "valid", "expired", "missing", "withdrawn", "other_route"
COMPLETE, INCOMPLETE = "complete", "incomplete"


def consent_valid(facts: ConsentFacts, setting: Setting) -> Decision:
    """Say whether consent for ``setting.product`` stands on ``setting.on``.

    Outcomes: ``valid``; ``expired`` (a signed policy asks for a new one); ``missing``; ``withdrawn``;
    ``other_route`` (there is one, for another product). See the room's own words for what an unsigned renewal
    policy means.
    """
    signatures, withdrawals = facts.signatures.value, facts.withdrawals.value
    if signatures is None or withdrawals is None:
        lacking = [n for n, v in (("signatures", signatures), ("withdrawals", withdrawals)) if v is None]
        finding = Finding(RULES["CON-13"], State.NOT_EVALUATED, (), tuple(lacking))
        return _decision(MISSING, setting, (finding,))
    complete = [s for s in signatures if not s.lacks]
    mine = [s for s in complete if s.product == setting.product]
    if not mine:
        return _none_for_this(signatures, complete, setting)
    newest = max(mine, key=lambda s: s.signed_at)
    taken_back = [w.at for w in withdrawals if w.product == setting.product and w.at >= newest.signed_at]
    if taken_back:
        told = f"the patient took consent back on {min(taken_back).date().isoformat()}"
        return _decision(WITHDRAWN, setting, (Finding(RULES["CON-10"], State.FIRED, (told,)),))
    return _as_it_stands(newest, facts, setting)


def _none_for_this(signatures: Collection[SignedConsent], complete: list[SignedConsent], setting: Setting) -> Decision:
    incomplete = [s for s in signatures if s.lacks and s.product == setting.product]
    others = sorted({s.product for s in complete})
    if incomplete:
        newest = max(incomplete, key=lambda s: s.signed_at)
        because = (f"the signature of {newest.signed_at.date().isoformat()} lacks {', '.join(newest.lacks)}",)
        return _decision(MISSING, setting, (Finding(RULES["CON-13"], State.FIRED, because),))
    if others:
        because = (f"consent was given for {', '.join(others)}, not for {setting.product}",)
        return _decision(OTHER_ROUTE, setting, (Finding(RULES["CON-13"], State.FIRED, because),))
    return _decision(MISSING, setting, (Finding(RULES["CON-13"], State.FIRED, ("no signature is on record",)),))


def _as_it_stands(signature: SignedConsent, facts: ConsentFacts, setting: Setting) -> Decision:
    told = f"signed on {signature.signed_at.date().isoformat()} under version {signature.text_version}"
    stands = Finding(RULES["CON-13"], State.CLEAR, (told,))
    asked = RenewalFacts(signature, facts.renewing_texts, facts.planned_dose)
    renewal = evaluate(RULES, renewal_predicates(setting.on), asked, setting)
    outcome = EXPIRED if any(f.state is State.FIRED for f in renewal) else VALID
    return _decision(outcome, setting, (stands, *renewal))


def _decision(outcome: str, setting: Setting, findings: tuple[Finding, ...]) -> Decision:
    return Decision("consent", outcome, setting, RULE_PACK, findings)


def renewal_due_on(signed_on: date, setting: Setting) -> date | None:
    """Return the day from which a signature no longer stands; ``None`` while no signed policy sets an interval."""
    rule = RULES["CON-13-RENEW"]
    if standing(rule, setting) is not Standing.ACTIVE:
        return None
    return _months_later(signed_on, int(rule.number("renew_months")))


def _months_later(day: date, months: int) -> date:
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month0 + 1, 1)
    later = first + timedelta(days=day.day - 1)
    # 29 February plus twelve months is 1 March, the same day from which the rule counts twelve months.
    return later if later.month == first.month else date(later.year, later.month, 1)


def elements_for(setting: Setting) -> tuple[Rule, ...]:
    """Return the checklist elements a text for ``setting.product`` has to cover here, one rule for each."""
    return tuple(
        rule
        for rule in RULES
        if is_element(rule) and standing(rule, setting) not in (Standing.ELSEWHERE, Standing.OUT_OF_DATE)
    )


def assess_text(elements: Collection[str], setting: Setting) -> Decision:
    """Say whether a text covers its checklist: ``complete`` or ``incomplete``.

    Elements of grade A always count, those of clinic policy while they are signed; the others are listed as not
    evaluated.
    """
    findings = evaluate(RULES, TEXT_PREDICATES, TextFacts(frozenset(elements)), setting)
    outcome = INCOMPLETE if any(f.state is State.FIRED for f in findings) else COMPLETE
    return Decision("consent_text", outcome, setting, RULE_PACK, findings)
