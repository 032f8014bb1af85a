"""When consent stands: the record alone decides, except for the renewal that a director signed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ketacore.consent import RULES, ConsentFacts, SignedConsent, Withdrawal, consent_valid, renewal_due_on
from ketacore.evidence import Approval, Fact, Setting, SignedPolicies

SIGNED = datetime(2025, 11, 1, tzinfo=UTC)
RENEW = SignedPolicies((Approval("CON-13-RENEW", RULES["CON-13-RENEW"].rule_version, "Director", SIGNED),))


def signature(product: str = "ketamine-iv", *, copy: bool = True) -> SignedConsent:
    return SignedConsent(product, SIGNED, "1", "en", "A Person", "A Clinician", copy)


@pytest.mark.parametrize(
    ("signatures", "withdrawals", "policies", "outcome"),
    [
        ([], [], RENEW, "missing"),
        ([signature(copy=False)], [], RENEW, "missing"),
        ([signature("esketamine-nasal")], [], RENEW, "other_route"),
        ([signature()], [Withdrawal("ketamine-iv", SIGNED)], RENEW, "withdrawn"),
        ([signature()], [], RENEW, "expired"),
        ([signature()], [], SignedPolicies(), "valid"),
    ],
)
def test_outcomes(signatures: list, withdrawals: list, policies: SignedPolicies, outcome: str) -> None:
    facts = ConsentFacts(Fact.of(tuple(signatures)), Fact.of(tuple(withdrawals)), Fact.of(()))
    assert consent_valid(facts, Setting("US", date(2026, 11, 24), "ketamine-iv", policies)).outcome == outcome


def test_an_unsigned_renewal_is_told_as_not_evaluated() -> None:
    facts = ConsentFacts(Fact.of((signature(),)), Fact.of(()), Fact.of(()))
    decision = consent_valid(facts, Setting("US", date(2026, 11, 24), "ketamine-iv"))
    assert "CON-13-RENEW" in [f.rule.rule_id for f in decision.not_evaluated]


def test_nothing_known_is_missing_and_says_what_lacks() -> None:
    decision = consent_valid(ConsentFacts(), Setting("US", date(2026, 11, 24), "ketamine-iv"))
    assert (decision.outcome, decision.missing) == ("missing", ("signatures", "withdrawals"))


def test_the_day_of_renewal() -> None:
    assert renewal_due_on(date(2024, 2, 29), Setting("US", date(2025, 1, 1), policies=RENEW)) == date(2025, 3, 1)
    assert renewal_due_on(date(2024, 2, 29), Setting("US", date(2025, 1, 1))) is None
