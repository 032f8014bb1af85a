"""The start gate asks what the other rooms know today, not only what was known when treatment was decided."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ketaclinic.people.models import Patient, Staff
from ketaclinic.policy.actions import sign_policy
from ketaclinic.policy.queries import setting_of
from ketaclinic.screening.actions import record_problem
from ketaclinic.screening.models import CandidacyDecision
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.models import Session
from ketacore.evidence import Fact
from ketacore.treatment import INFUSION, NASAL, RULES, may_start
from tests.clinic.treatment.whole import OPENED, checked, dosed, minute, opened, ready_plan, sign_everything

BEFORE = minute(-5)
ANEURYSM = "Aneurysm of abdominal aorta"


@pytest.fixture
def director(prescriber: Staff) -> Staff:
    sign_everything(prescriber)
    return prescriber


def candidate(session: Session) -> Fact[bool]:
    return facts_of(session, BEFORE).candidate


def test_a_contraindication_written_down_since_the_decision_holds(
    patient: Patient, director: Staff, nurse: Staff
) -> None:
    session = opened(ready_plan(patient, director), nurse)
    assert candidate(session) == Fact.of(True, "decision: treat")
    record_problem(patient=patient, by=nurse, at=OPENED, display="Seasonal rhinitis")
    assert candidate(session).value is True
    record_problem(patient=patient, by=nurse, at=OPENED, display=ANEURYSM)
    told = candidate(session)
    assert told.value is False and "SPR-CI-01" in told.source


def test_what_lay_on_the_table_was_decided_about(patient: Patient, director: Staff, nurse: Staff) -> None:
    session = opened(ready_plan(patient, director), nurse)
    record_problem(patient=patient, by=nurse, at=OPENED, display=ANEURYSM)
    decided = CandidacyDecision.objects.get(patient=patient)
    stored = decided.decision
    seen = type(stored).objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=stored.at,
        recorded_at=stored.at,
        recorded_by=director,
        room="screening",
        question="candidacy",
        outcome="stop",
        rule_pack="x",
        facts={},
        decision={"fired": [{"rule_id": "SPR-CI-01"}]},
    )
    row = {"clinic": patient.clinic, "patient": patient, "recorded_by": director, "product": NASAL}
    CandidacyDecision.objects.create(
        **row,
        at=stored.at + timedelta(minutes=1),
        recorded_at=stored.at + timedelta(minutes=1),
        verdict="treat",
        reason="Repaired, cleared by the surgeon.",
        decision=seen,
    )
    assert candidate(session).value is True


def test_a_dose_above_the_one_consented_to_is_not_consented(patient: Patient, director: Staff, nurse: Staff) -> None:
    session = opened(ready_plan(patient, director, INFUSION), nurse)
    assert facts_of(session, BEFORE).consent_valid.value is True
    assert session.weight_kg is not None
    session.dose_mg = Decimal("1.0") * session.weight_kg
    assert facts_of(session, BEFORE).consent_valid == Fact.of(False, "expired", BEFORE)
    session.dose_mg, session.weight_kg, session.plan.dose_mg_per_kg = None, None, None
    assert not facts_of(session, BEFORE).consent_valid.known


def test_a_second_session_on_a_day_is_the_prescribers_decision(patient: Patient, director: Staff, nurse: Staff) -> None:
    plan = ready_plan(patient, director)
    first = opened(plan, nurse)
    assert facts_of(first, BEFORE).day_allowed.value is True
    checked(first, nurse)
    dosed(first, nurse)

    def session_after(days: int) -> Session:
        at = OPENED + timedelta(days=days, hours=4)
        row = {"clinic": patient.clinic, "patient": patient, "at": at, "recorded_at": at, "recorded_by": nurse}
        return Session.objects.create(
            **row, plan=plan, product=plan.product, chair=2, dose_mg=Decimal(84), entry_key=f"again-{days}"
        )

    for days, allowed in ((0, False), (3, True), (200, False)):
        session = session_after(days)
        told = facts_of(session, session.at).day_allowed
        assert told.value is allowed, (days, told)


def test_a_policy_taken_back_closes_the_start_gate(patient: Patient, director: Staff, nurse: Staff) -> None:
    session = opened(ready_plan(patient, director), nurse)
    checked(session, nurse)
    facts = facts_of(session, BEFORE)
    assert may_start(facts, setting_of(patient.clinic, BEFORE, NASAL)).outcome == "may_start"
    sign_policy(rule=RULES["DEC-11"], by=director, at=minute(-8), signed=False, reason="Under review.")
    decision = may_start(facts, setting_of(patient.clinic, BEFORE, NASAL))
    assert [f.rule.rule_id for f in decision.findings if f.stops] == ["KC-GATE-07"]
