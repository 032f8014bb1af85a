"""Sessions for tests, told in minutes from the first dose. All synthetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ketacore.evidence import Approval, Fact, Grade, Setting, SignedPolicies
from ketacore.treatment import INFUSION, NASAL, RULES, Event, SessionFacts, in_order, read_payload

ZERO = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
"""Minute 0: the first device, or the start of the infusion."""
TODAY = ZERO.date()
LOT = {"lot": "L42", "expires_on": "2027-06-30"}
DEVICE = {**LOT, "two_green_dots_before": True, "not_primed": True, "no_green_dots_after": True}
ALL_POLICIES = tuple(rule.rule_id for rule in RULES if rule.grade is Grade.D)


def minute(number: float) -> datetime:
    return ZERO + timedelta(minutes=number)


def ev(at: float, kind: str, by_role: str = "nurse", **fields: Any) -> Event:
    words = "-".join(str(v) for v in fields.values())
    return Event(minute(at), read_payload(kind, fields), f"{kind}@{at:g}:{words}", f"Synthetic {by_role}", by_role)


def setting(
    product: str = NASAL, signed: tuple[str, ...] = ALL_POLICIES, place: str = "US", on: date = TODAY
) -> Setting:
    approvals = tuple(Approval(rule_id, RULES[rule_id].rule_version, "Synthetic director", ZERO) for rule_id in signed)
    return Setting(place, on, product, SignedPolicies(approvals))


def but(*rule_ids: str) -> tuple[str, ...]:
    return tuple(rule_id for rule_id in ALL_POLICIES if rule_id not in rule_ids)


def bp(at: float, systolic: int, diastolic: int, **more: Any) -> Event:
    return ev(at, "vitals", systolic=systolic, diastolic=diastolic, **more)


def says(at: float, question: str, answer: str = "yes") -> Event:
    return ev(at, "answer", question=question, answer=answer)


NASAL_GATE = (
    ev(-20, "arrived"),
    bp(-15, 128, 80, heart_rate=70, oxygen_saturation=98),
    says(-14, "raised_pressure_risk", "no"),
    says(-14, "ate_within_2h", "no"),
    says(-14, "drank_within_30min", "no"),
    says(-14, "nasal_spray_within_1h", "no"),
    says(-14, "ride_arranged"),
    says(-14, "enrolment_checked"),
    says(-14, "staff_and_oximeter"),
    says(-14, "prescriber_on_site"),
)
IV_GATE = (
    ev(-20, "arrived"),
    bp(-15, 128, 80, heart_rate=70, oxygen_saturation=98),
    says(-14, "airway_ready"),
    says(-14, "prescriber_on_site"),
)
KNOWN = {
    "consent_valid": Fact.of(True),
    "plan_active": Fact.of(True),
    "candidate": Fact.of(True),
    "dose_allowed": Fact.of(True),
    "day_allowed": Fact.of(True),
}


def nasal(*events: Event, dose_mg: float = 56.0, **facts: Any) -> SessionFacts:
    known = {**KNOWN, "rems_enrolled": Fact.of(True), "setting_certified": Fact.of(True), **facts}
    return SessionFacts(product=NASAL, dose_mg=Fact.of(dose_mg), events=in_order(events), **known)


def infusion(*events: Event, dose_mg: float = 40.0, **facts: Any) -> SessionFacts:
    known = {**KNOWN, "weight_usable": Fact.of(True), "infusion_min": Fact.of(40.0), **facts}
    return SessionFacts(product=INFUSION, dose_mg=Fact.of(dose_mg), events=in_order(events), **known)


def devices(*minutes: float) -> tuple[Event, ...]:
    return tuple(ev(at, "device", number=n, **DEVICE) for n, at in enumerate(minutes, start=1))


def start_infusion(at: float = 0, rate: float = 1.0, planned: float = 40.0) -> Event:
    return ev(at, "infusion_start", rate_mg_per_min=rate, planned_min=planned, **LOT)


def seen(at: float, moaas: int = 5, level: str = "none") -> tuple[Event, ...]:
    return ev(at, "sedation", moaas=moaas), ev(at, "dissociation", level=level)


def nasal_ready(leave: float = 130) -> tuple[Event, ...]:
    """Return a 56 mg session in which nothing is missing just before minute ``leave``."""
    return (
        *NASAL_GATE,
        *devices(0, 5),
        bp(45, 146, 88, oxygen_saturation=97),
        bp(95, 138, 84, oxygen_saturation=97),
        bp(leave - 5, 130, 80, oxygen_saturation=98),
        *seen(45, 4, "strong"),
        *seen(leave - 5),
        says(leave - 5, "breathing_normal"),
        ev(leave - 4, "escort", name="Daniel", here=True),
        ev(leave - 4, "instructions"),
        ev(leave - 3, "release_signed", by_role="prescriber"),
    )


def infusion_ready(leave: float = 105) -> tuple[Event, ...]:
    """Return an infusion of 40 minutes in which nothing is missing just before minute ``leave``."""
    return (
        *IV_GATE,
        start_infusion(),
        bp(40, 150, 92, oxygen_saturation=97),
        ev(40, "infusion_end"),
        bp(leave - 5, 130, 80, oxygen_saturation=98),
        *seen(leave - 5),
        says(leave - 5, "oriented"),
        says(leave - 5, "gait_steady"),
        says(leave - 5, "new_suicidal_thoughts", "no"),
        ev(leave - 4, "escort", name="Daniel", here=True),
        ev(leave - 4, "instructions"),
        ev(leave - 3, "release_signed", by_role="prescriber"),
    )


def without(facts: SessionFacts, *kinds: str) -> SessionFacts:
    return replace(facts, events=tuple(e for e in facts.events if e.kind not in kinds))


def plus(facts: SessionFacts, *events: Event) -> SessionFacts:
    return replace(facts, events=in_order((*facts.events, *events)))
