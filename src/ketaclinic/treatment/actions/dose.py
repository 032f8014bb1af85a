"""The dose of a session about to be opened: the plan's, with the weight of today where it is given per kilogram."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from ketaclinic.people.models import Staff
from ketaclinic.people.permissions import Permission
from ketaclinic.planning.facts import weight_facts
from ketaclinic.policy.queries import setting_of
from ketaclinic.treatment.facts import given_before
from ketaclinic.treatment.models import Session
from ketacore.evidence import Refusal
from ketacore.planning import PROTOCOLS, Protocol, WeightFacts, dose_for
from ketacore.planning import RULES as PLANNING_RULES

_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class DoseOfToday:
    """What will be given if the start gate opens."""

    dose_mg: Decimal | None
    words: str
    infusion_min: int | None = None
    weight_kg: Decimal | None = None


def dose_of_today(
    session: Session, *, by: Staff, at: datetime, asked_mg: Decimal | None, weight_confirmed: bool
) -> DoseOfToday:
    """Return the dose of a session that is not saved yet; raises ``Refusal`` where a weight must be confirmed first."""
    protocol = PROTOCOLS[session.plan.protocol_id]
    if protocol.dose_unit == "mg/kg":
        return _by_weight(session, protocol, at, weight_confirmed)
    planned, _ = given_before(session, at)
    if asked_mg is None or asked_mg == planned:
        return DoseOfToday(planned, f"{planned:g} mg planned" if planned is not None else "no dose planned")
    if not by.may(Permission.SIGN_PLAN) or not session.dose_reason:
        raise Refusal(
            "Opening a session with another dose",
            [f"the plan means {planned} mg today"],
            "A prescriber opens it with a reason, or changes the plan.",
        )
    return DoseOfToday(asked_mg, f"{asked_mg:g} mg instead of {planned} mg: {session.dose_reason}")


def _by_weight(session: Session, protocol: Protocol, at: datetime, confirmed: bool) -> DoseOfToday:
    plan = session.plan
    facts = weight_facts(session.patient, at)
    facts = replace(facts, confirmed=confirmed or _confirmed_with_plan(session, facts, at))
    minutes = _minutes(session, protocol)
    if plan.dose_mg_per_kg is None:
        return DoseOfToday(None, "no dose planned", minutes)
    setting = setting_of(session.clinic, at, session.product)
    found = dose_for(protocol, float(plan.dose_mg_per_kg), facts, setting)
    if found.dose is None:
        because = [
            line for f in found.decision.findings for line in (*f.because, *(f"{m} is missing" for m in f.missing))
        ]
        raise Refusal(
            "Computing today's dose",
            because or ["no rule on weights stands in this place"],
            "Measure the weight and record it, or confirm it where the clinic's policy allows.",
        )
    dose = Decimal(str(found.dose.value)).quantize(_TENTH, rounding=ROUND_DOWN)
    weight = Decimal(str(facts.weight_kg.value))
    return DoseOfToday(dose, f"{plan.dose_mg_per_kg:g} mg/kg × {weight:g} kg = {dose:g} mg", minutes, weight)


def _minutes(session: Session, protocol: Protocol) -> int | None:
    chosen = session.plan.customised.get("infusion_min", protocol.infusion_min)
    return None if chosen is None else round(float(chosen))


def _confirmed_with_plan(session: Session, facts: WeightFacts, at: datetime) -> bool:
    """Return whether the weight is the one confirmed when the plan was signed, and still young enough."""
    plan, measured_on = session.plan, facts.measured_on.value
    if facts.weight_kg.value is None or measured_on is None or plan.weight_kg is None:
        return False
    same = measured_on == plan.weight_measured_on and float(plan.weight_kg) == facts.weight_kg.value
    age = (session.clinic.day_of(at) - measured_on).days
    return same and age <= PLANNING_RULES["DEC-09"].number("max_age_days")
