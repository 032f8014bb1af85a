"""Signing, changing and ending a plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.planning.actions.bookings import change_booking
from ketaclinic.planning.actions.lines import check_stands, leave_line
from ketaclinic.planning.facts import weight_facts
from ketaclinic.planning.models import BookingChange, Plan, PlanEnd
from ketaclinic.planning.queries import GRAM_STEP, active_plan, bookings_of_course
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.actions import keep_decision
from ketaclinic.screening.queries import candidacy
from ketacore.evidence import Decision, Refusal, Setting
from ketacore.planning import (
    PROTOCOLS,
    Protocol,
    WeightFacts,
    check_dose,
    check_protocol,
    dose_for,
    plan_series,
)
from ketacore.planning.decide import COMPUTED, dose_facts


@dataclass(frozen=True, slots=True)
class PlanChoices:
    """What the prescriber chose. ``dose`` is in the unit of the protocol; ``reason`` explains every departure."""

    dose: Decimal
    starts_on: date
    weekdays: tuple[int, ...] = ()
    interval_weeks: int | None = None
    weight_confirmed: bool = False
    reason: str = ""
    goals: str = ""

    def customised(self) -> dict[str, Any]:
        """Return what departs from the protocol's default, as the plan keeps it."""
        chosen = {
            "weekdays": list(self.weekdays) or None,
            "interval_weeks": self.interval_weeks,
            "reason": self.reason.strip() or None,
        }
        return {name: value for name, value in chosen.items() if value is not None}


def protocol_named(protocol_id: str) -> Protocol:
    """Return the protocol; raises ``Refusal`` for a word nobody knows."""
    if protocol_id not in PROTOCOLS:
        raise Refusal("This plan", [f"there is no protocol {protocol_id}"], "Choose one of the list.")
    return PROTOCOLS[protocol_id]


@transaction.atomic
def sign_plan(*, patient: Patient, protocol_id: str, choices: PlanChoices, by: Staff, at: datetime) -> Plan:
    """Sign a plan for the patient.

    Refused without a prescriber's decision to treat with this product, while another plan stands, where the
    protocol does not hold, and for a dose or a weight the rules do not let pass.
    """
    check_may(by, Permission.SIGN_PLAN)
    check_in_clinic(by, patient)
    protocol = protocol_named(protocol_id)
    _check_may_begin(patient, protocol, choices, by, at)
    fields = _fields(patient, protocol, choices, by, at, previous=None)
    plan: Plan = Plan.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        protocol_id=protocol.protocol_id,
        protocol_version=protocol.version,
        product=protocol.product,
        starts_on=choices.starts_on,
        signed_by=by,
        **fields,
    )
    leave_line(plan, by, at, "plan_signed", f"Plan signed: {protocol.title}", _dose_words(plan))
    write_audit("sign_plan", by=by, at=at, patient_id=patient.pk, obj=plan, reason=choices.reason)
    return plan


def _check_may_begin(patient: Patient, protocol: Protocol, choices: PlanChoices, by: Staff, at: datetime) -> None:
    refused = "Signing the plan"
    if active_plan(patient, at) is not None:
        raise Refusal(refused, [f"another plan stands for {patient}"], "Change that plan, or end it first.")
    decided = candidacy(patient, protocol.product, at)
    if decided is None or decided.verdict != "treat":
        told = "nobody has decided yet" if decided is None else f"the decision is: {decided.get_verdict_display()}"
        raise Refusal(
            refused,
            [f"there is no decision to treat {patient} with {protocol.product}; {told}"],
            "A prescriber decides on the screening page first.",
        )
    if choices.starts_on < by.clinic.day_of(at):
        raise Refusal(refused, ["the first day lies in the past"], "Choose today or a later day.")


def _fields(
    patient: Patient, protocol: Protocol, choices: PlanChoices, by: Staff, at: datetime, previous: Plan | None
) -> dict[str, Any]:
    """Ask the core about protocol, days, dose and weight; keep what it decided; return what the plan stores."""
    setting = setting_of(patient.clinic, at, protocol.product)
    check_protocol(protocol, setting)
    plan_series(protocol, choices.starts_on, weekdays=choices.weekdays, interval_weeks=choices.interval_weeks)
    decision, facts = _check_dose(protocol, choices, setting, at, previous)
    keep_decision(patient=patient, by=by, at=at, room="planning", decision=decision, facts=facts)
    fields: dict[str, Any] = {"customised": choices.customised(), "goals": choices.goals.strip()}
    if protocol.dose_unit == "mg":
        return {**fields, "dose_mg": choices.dose}
    return {**fields, **_weighed(patient, protocol, choices, setting, by, at)}


def _check_dose(
    protocol: Protocol, choices: PlanChoices, setting: Setting, at: datetime, previous: Plan | None
) -> tuple[Decision, Any]:
    last_phase = protocol.phases[-1]
    before = protocol.first_dose if previous is None or previous.dose_mg is None else float(previous.dose_mg)
    facts = dose_facts(
        protocol,
        float(choices.dose),
        protocol.phases[0].phase_id,
        before,
        interval_weeks=choices.interval_weeks,
    )
    decision = check_dose(protocol, facts, setting, reason=choices.reason)
    if choices.interval_weeks is not None:
        spacing = dose_facts(
            protocol,
            float(choices.dose),
            last_phase.phase_id,
            float(choices.dose),
            interval_weeks=choices.interval_weeks,
        )
        check_dose(protocol, spacing, setting, reason=choices.reason)
    return decision, facts


def _weighed(
    patient: Patient, protocol: Protocol, choices: PlanChoices, setting: Setting, by: Staff, at: datetime
) -> dict[str, Any]:
    facts = weight_facts(patient, at, confirmed=choices.weight_confirmed)
    answer = dose_for(protocol, float(choices.dose), facts, setting)
    if answer.decision.outcome != COMPUTED or answer.dose is None:
        raise Refusal(
            "Computing the dose", _weight_reasons(answer.decision, facts), _WHAT_TO_DO[answer.decision.outcome]
        )
    keep_decision(patient=patient, by=by, at=at, room="planning", decision=answer.decision, facts=facts)
    return {
        "dose_mg_per_kg": choices.dose,
        "dose_mg": Decimal(str(answer.dose.value)).quantize(GRAM_STEP),
        "weight_kg": Decimal(str(facts.weight_kg.value)),
        "weight_measured_on": facts.measured_on.value,
    }


_WHAT_TO_DO = {
    "confirm": "Read the weight aloud with the patient, then confirm it on the form.",
    "cannot_decide": "Record a weight, or have DEC-09 signed.",
}


def _weight_reasons(decision: Decision, facts: WeightFacts) -> list[str]:
    if not facts.weight_kg.known:
        return ["no weight is on record"]
    reasons = [f"{f.rule.rule_id}: {'; '.join(f.because)}" for f in decision.findings if f.because]
    return reasons or ["DEC-09: there is no earlier weight to compare with"]


@transaction.atomic
def change_plan(*, plan: Plan, choices: PlanChoices, reason: str, by: Staff, at: datetime) -> Plan:
    """Sign a changed version of a plan that stands; the old version is kept with the reason for the change."""
    check_may(by, Permission.SIGN_PLAN)
    check_in_clinic(by, plan)
    check_stands(plan, at, "Changing the plan")
    if not reason.strip():
        raise Refusal("Changing the plan", ["no reason was given"], "Say why the plan changes.")
    if choices.starts_on != plan.starts_on and choices.starts_on < plan.clinic.day_of(at):
        raise Refusal("Changing the plan", ["the new first day lies in the past"], "Choose today or a later day.")
    protocol = PROTOCOLS[plan.protocol_id]
    fields = _fields(plan.patient, protocol, choices, by, at, previous=plan)
    changed: Plan = Plan.objects.create(
        clinic=plan.clinic,
        patient=plan.patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        amends=plan,
        amendment_reason=reason.strip(),
        protocol_id=protocol.protocol_id,
        protocol_version=protocol.version,
        product=protocol.product,
        starts_on=choices.starts_on,
        signed_by=by,
        first_id=plan.course_id,
        **fields,
    )
    leave_line(changed, by, at, "plan_changed", f"Plan changed: {_dose_words(changed)}", reason.strip(), amends=plan)
    write_audit("change_plan", by=by, at=at, patient_id=plan.patient_id, obj=changed, reason=reason)
    return changed


@transaction.atomic
def end_plan(*, plan: Plan, why: str, reason: str, by: Staff, at: datetime) -> PlanEnd:
    """End a plan that stands and cancel its bookings to come."""
    check_may(by, Permission.SIGN_PLAN)
    check_in_clinic(by, plan)
    check_stands(plan, at, "Ending the plan")
    if not reason.strip():
        raise Refusal("Ending the plan", ["no reason was given"], "Say why the plan ends.")
    end: PlanEnd = PlanEnd.objects.create(
        clinic=plan.clinic,
        patient=plan.patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        plan=plan,
        why=PlanEnd.Why(why),
        reason=reason.strip(),
    )
    for booking in bookings_of_course(plan).filter(change__isnull=True, session__isnull=True, starts_at__gt=at):
        change_booking(booking, BookingChange.Kind.CANCELLED, f"Plan ended: {reason.strip()}", by, at)
    leave_line(plan, by, at, "plan_ended", f"Plan ended: {end.get_why_display()}", reason.strip())
    write_audit("end_plan", by=by, at=at, patient_id=plan.patient_id, obj=end, reason=reason)
    return end


def _dose_words(plan: Plan) -> str:
    if plan.dose_mg_per_kg is not None:
        return f"{plan.dose_mg_per_kg.normalize():f} mg/kg, {plan.dose_mg} mg for {plan.weight_kg} kg"
    return f"{plan.dose_mg.normalize():f} mg" if plan.dose_mg is not None else ""
