"""Every consent rule at its decision points, and what cannot be read from the shell."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ketacore.consent import RULES, assess_text, elements_for
from ketacore.consent.ask import answer
from ketacore.evidence import Approval, Grade, Refusal, Setting, SignedPolicies

ON = date(2026, 11, 24)
RENEWALS = ["CON-13-RENEW", "CON-13-DOSE", "CON-13-RISK"]
SIGNED = SignedPolicies(
    tuple(Approval(r.rule_id, 1, "director", datetime(2026, 1, 1, tzinfo=UTC)) for r in RULES if r.grade is Grade.D)
)
SIGNATURE = {
    "product": "ketamine-iv",
    "signed_at": "2025-11-25T10:00:00-05:00",
    "text_version": "1",
    "language": "en",
    "patient_name": "Synthetic Person",
    "clinician_name": "Synthetic Clinician",
    "copy_given": True,
    "dose_limit": 0.5,
    "dose_unit": "mg/kg",
}


def ask(facts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return answer(
        {"jurisdiction": "US", "on": "2026-11-24", "product": "ketamine-iv", "signed": RENEWALS, "facts": facts} | more
    )


@pytest.mark.parametrize(
    ("rule_id", "signature", "more", "outcome", "where"),
    [
        ("CON-13-RENEW", {}, {}, "valid", "clear"),
        ("CON-13-RENEW", {"signed_at": "2025-11-24T10:00:00-05:00"}, {}, "expired", "fired"),
        ("CON-13-DOSE", {}, {"planned_dose": 0.5}, "valid", "clear"),
        ("CON-13-DOSE", {}, {"planned_dose": 0.51}, "expired", "fired"),
        ("CON-13-DOSE", {}, {"planned_dose": None}, "valid", "not_evaluated"),
        ("CON-13-DOSE", {"dose_limit": None}, {"planned_dose": 9}, "valid", "clear"),
        ("CON-13-RISK", {}, {"renewing_texts": ["2025-11-25"]}, "valid", "clear"),
        ("CON-13-RISK", {}, {"renewing_texts": ["2025-11-26"]}, "expired", "fired"),
        ("CON-13-RISK", {}, {}, "valid", "not_evaluated"),
    ],
)
def test_a_signature_is_renewed(
    rule_id: str, signature: dict[str, Any], more: dict[str, Any], outcome: str, where: str
) -> None:
    told = ask({"signatures": [SIGNATURE | signature], "withdrawals": [], **more})
    assert told["outcome"] == outcome
    assert rule_id in [finding["rule_id"] for finding in told[where]]


@pytest.mark.parametrize("element", [r.rule_id for r in RULES if not r.rule_id.startswith("CON-13")])
def test_a_text_lacks_an_element(element: str) -> None:
    setting = Setting("US", ON, (RULES[element].product or ("esketamine-nasal",))[0], SIGNED)
    covered = {"-".join(r.rule_id.split("-")[:2]) for r in elements_for(setting)}
    assert assess_text(covered, setting).outcome == "complete"
    lacking = assess_text(covered - {element.removesuffix("-IV")}, setting)
    assert (lacking.outcome, [f.rule.rule_id for f in lacking.fired]) == ("incomplete", [element])


def test_a_signature_without_a_copy_is_none() -> None:
    unread = {k: v for k, v in SIGNATURE.items() if k not in ("copy_given", "language")}
    assert ask({"signatures": [unread], "withdrawals": []})["outcome"] == "missing"


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"mood": 1}, "unknown field in facts: mood"),
        ({"signatures": [{"ink": 1}]}, "unknown field in a signature: ink"),
        ({"signatures": [{**SIGNATURE, "signed_at": "2026-01-01"}]}, "moment with a time zone"),
        ({"withdrawals": [{"at": "2026-01-01T10:00:00Z"}]}, "product of a withdrawal"),
        ({"withdrawals": {}}, "must be a list"),
    ],
)
def test_what_cannot_be_read_is_refused(facts: dict[str, Any], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        ask(facts)


def test_consent_is_for_a_product() -> None:
    with pytest.raises(Refusal, match="product is missing"):
        answer({"jurisdiction": "US", "on": "2026-11-24"})


def test_a_withdrawal_is_read() -> None:
    back = {"product": "ketamine-iv", "at": "2026-03-01T09:00:00-05:00"}
    assert ask({"signatures": [SIGNATURE], "withdrawals": [back]})["outcome"] == "withdrawn"
