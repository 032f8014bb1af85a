"""The outcome, and what stands between the prescriber and the verdict "treat"."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ketacore.evidence import Fact, Refusal, SignedPolicies
from ketacore.screening import OUTCOMES, TreatNeeds, assess_candidacy, what_treating_needs
from tests.core.screening.people import IV, NASAL, POLICIES, facts, setting, signing


@pytest.mark.parametrize("product", [NASAL, IV])
@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({}, "candidate"),
        ({"medicines": None}, "cannot_decide"),
        ({"medicines": Fact.not_known()}, "cannot_decide"),
        ({"pregnant": True}, "caution"),
        ({"regular_alcohol": None}, {NASAL: "caution", IV: "candidate"}),
        ({"hypersensitivity": True}, "stop"),
        ({"hypersensitivity": True, "trials": None}, "stop"),
        ({"aneurysmal_disease": True}, {NASAL: "stop", IV: "candidate"}),
    ],
)
def test_the_outcome(product: str, told: dict[str, Any], outcome: Any) -> None:
    expected = outcome if isinstance(outcome, str) else outcome[product]
    if product == NASAL and "medicines" in told:
        expected = "caution"
    decided = assess_candidacy(facts(**told), setting(product))
    assert decided.outcome == expected
    assert decided.outcome in OUTCOMES


def test_an_unsigned_stop_neither_stops_nor_passes() -> None:
    decided = assess_candidacy(facts(hypersensitivity=True), setting(IV, policies=SignedPolicies()))
    assert "DEC-15" in [f.rule.rule_id for f in decided.not_evaluated]
    assert decided.outcome == "cannot_decide"


def test_where_no_stop_stands_nothing_can_be_decided() -> None:
    assert assess_candidacy(facts(), setting(on=date(1990, 1, 1))).outcome == "cannot_decide"


@pytest.mark.parametrize("product", ["", "aspirin"])
def test_an_unknown_product_is_refused(product: str) -> None:
    with pytest.raises(Refusal, match=product or "no product"):
        assess_candidacy(facts(), setting(product))


def ids(needs: TreatNeeds) -> tuple[Any, ...]:
    found = [tuple(f.rule.rule_id for f in part) for part in (needs.barred, needs.reasons, needs.second_signature)]
    return (needs.unasked, *found)


WITHOUT_DEC_01 = signing(*(rule_id for rule_id in POLICIES if rule_id != "DEC-01"))


@pytest.mark.parametrize(
    ("told", "policies", "expected"),
    [
        ({}, None, ((), (), (), ())),
        ({"pregnant": None}, None, (("pregnant",), (), (), ())),
        ({"pregnant": Fact.not_known()}, None, ((), (), ("SPR-W-09",), ("SPR-W-09",))),
        ({"psychosis_history": True}, None, ((), (), ("SPR-PRE-07",), ())),
        ({"aneurysmal_disease": True}, None, ((), (), ("SPR-CI-01",), ("SPR-CI-01",))),
        ({"aneurysmal_disease": True}, WITHOUT_DEC_01, ((), ("SPR-CI-01",), (), ())),
        ({"aneurysmal_disease": Fact.not_known()}, WITHOUT_DEC_01, ((), (), ("SPR-CI-01",), ("SPR-CI-01",))),
    ],
)
def test_what_treating_needs(told: dict[str, Any], policies: SignedPolicies | None, expected: tuple[Any, ...]) -> None:
    known = facts(**told)
    where = setting() if policies is None else setting(policies=policies)
    assert ids(what_treating_needs(assess_candidacy(known, where), known)) == expected


def test_a_list_of_medicines_that_was_not_reviewed_must_be_asked_for() -> None:
    known = facts(medicines_reviewed=False)
    needs = what_treating_needs(assess_candidacy(known, setting(IV)), known)
    assert ids(needs) == (("medicines_reviewed",), (), (), ())
