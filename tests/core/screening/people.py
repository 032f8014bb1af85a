"""One person against whom nothing speaks, and settings with every clinic policy signed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from ketacore.evidence import Approval, Fact, Grade, Setting, SignedPolicies
from ketacore.screening import QUESTIONS, RULES, CandidateFacts, Trial, TrialOutcome
from ketacore.units import BloodPressure

TODAY = date(2026, 11, 23)
NASAL, IV = "esketamine-nasal", "ketamine-iv"


def signing(*rule_ids: str) -> SignedPolicies:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return SignedPolicies(tuple(Approval(i, RULES[i].rule_version, "director", day) for i in rule_ids))


POLICIES = tuple(r.rule_id for r in RULES if r.grade is Grade.D)
ALL_SIGNED = signing(*POLICIES)


def setting(
    product: str = NASAL, place: str = "US", policies: SignedPolicies = ALL_SIGNED, on: date = TODAY
) -> Setting:
    return Setting(place, on, product, policies)


def failed(drug: str = "sertraline", mg: float | None = 100, **fields: Any) -> Trial:
    told = {"days": 70, "days_at_dose": 60, "outcome": TrialOutcome.NONE, "current_episode": True}
    return Trial(drug, mg, **{**told, **fields})


def facts(**told: Any) -> CandidateFacts:
    """Return the facts of a person against whom nothing speaks; ``told`` replaces some, ``None`` was not asked."""
    values: dict[str, Any] = {name: False for name, q in QUESTIONS.items() if q.kind == "yes_no"}
    values |= {
        "oral_antidepressant": True,
        "ssri_or_snri": True,
        "medicines_reviewed": True,
        "age_years": 45,
        "indication": "TRD",
        "child_pugh": "none",
        "blood_pressure": BloodPressure(124, 78),
        "medicines": (),
        "trials": (failed(), failed("citalopram", 20)),
    }
    facts_ = {k: v if isinstance(v, Fact) else Fact.of(v) for k, v in (values | told).items() if v is not None}
    return CandidateFacts(**facts_)
