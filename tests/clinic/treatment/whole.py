"""Patients ready to be treated, by the clinic's own actions: policies, consent, decision, weight, plan. Synthetic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ketaclinic.consent.actions import sign_consent, sign_off_shipped_texts
from ketaclinic.consent.queries import text_in_force
from ketaclinic.people.models import Patient, Staff
from ketaclinic.planning.actions import PlanChoices, sign_plan
from ketaclinic.planning.models import Plan
from ketaclinic.policy.actions import sign_policy
from ketaclinic.policy.queries import unsigned_policies
from ketaclinic.record.models import StoredDecision
from ketaclinic.screening.models import CandidacyDecision, VitalSign
from ketaclinic.treatment import actions
from ketaclinic.treatment.models import Session
from ketacore.treatment import NASAL
from ketacore.treatment.questions import questions_of
from tests.support.people import NOON

TODAY = date(2026, 11, 24)
OPENED = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
"""Nine in the morning in New York."""
EXPIRES = date(2027, 6, 30)
TICKS = {"copy_given": True, "capacity_assessed": True, "questions_answered": True}


def sign_everything(director: Staff) -> None:
    """The director signs every clinic policy and every shipped consent text."""
    for room in ("screening", "consent", "planning", "treatment", "aftercare"):
        for rule in unsigned_policies(director.clinic, NOON, room):
            sign_policy(rule=rule, by=director, at=NOON)
    sign_off_shipped_texts(by=director, at=NOON)


def ready_plan(patient: Patient, director: Staff, product: str = NASAL) -> Plan:
    """Everything that must stand before the day of the first session."""
    row = {"clinic": patient.clinic, "patient": patient, "recorded_at": NOON, "recorded_by": director}
    text = text_in_force(patient.clinic, product, NOON)
    assert text is not None
    said = {q["id"]: True for q in text.questions}
    sign_consent(patient=patient, text=text, by=director, at=NOON, patient_name=str(patient), teach_back=said, **TICKS)
    stored = StoredDecision.objects.create(
        **row, at=NOON, room="screening", question="candidacy", outcome="candidate", rule_pack="x", facts={},
        decision={},
    )  # fmt: skip
    CandidacyDecision.objects.create(
        **row, at=NOON, product=product, verdict="treat", reason="Synthetic.", decision=stored
    )
    for days, kg in ((2, "80.0"), (1, "81.0")):
        VitalSign.objects.create(**row, at=NOON - timedelta(days=days), kind="weight", value=Decimal(kg), unit="kg")
    protocol = "esketamine-trd-us" if product == NASAL else "ketamine-iv-clinic"
    dose = Decimal(84) if product == NASAL else Decimal("0.5")
    choices = PlanChoices(dose=dose, starts_on=TODAY)
    return sign_plan(patient=patient, protocol_id=protocol, choices=choices, by=director, at=NOON)


def minute(number: float) -> datetime:
    """Minutes from the first dose, half an hour after opening."""
    return OPENED + timedelta(minutes=30 + number)


def opened(plan: Plan, nurse: Staff, chair: int = 1) -> Session:
    """The session of today, opened; for the nasal product the patient is enrolled."""
    if plan.product == NASAL:
        actions.enrol_in_rems(patient=plan.patient, by=nurse, at=OPENED, enrolled_on=TODAY)
    return actions.open_session(patient=plan.patient, plan=plan, by=nurse, at=OPENED, chair=chair)


def asked(session: Session, nurse: Staff, gate: str, at: datetime) -> None:
    """Every question of one gate, answered so that it opens."""
    for question in questions_of(session.product, gate):
        actions.answer_gate(session=session, question=question.question, answer=question.opens, by=nurse, at=at)


def checked(session: Session, nurse: Staff) -> None:
    """Arrived, asked and measured: the start gate is open."""
    actions.arrive(session=session, by=nurse, at=minute(-25))
    asked(session, nurse, "start", minute(-20))
    measured(session, nurse, -10, (128, 80))


def measured(session: Session, nurse: Staff, at: float, pressure: tuple[int, int]) -> None:
    """Blood pressure, pulse and saturation."""
    values = {"systolic": pressure[0], "diastolic": pressure[1], "heart_rate": 72, "oxygen_saturation": 98}
    actions.record_vitals(session=session, by=nurse, at=minute(at), **values)


def dosed(session: Session, nurse: Staff) -> None:
    """The dose of today: two devices, or an infusion of forty minutes with a pause."""
    if session.product == NASAL:
        for number, at in ((1, 0), (2, 5)):
            actions.give_device(
                session=session, number=number, lot="SYN-1", expires_on=EXPIRES, by=nurse, at=minute(at)
            )
        measured(session, nurse, 45, (142, 86))
        return
    actions.start_infusion(session=session, lot="SYN-2", expires_on=EXPIRES, by=nurse, at=minute(0))
    actions.pause_infusion(session=session, by=nurse, at=minute(10), reason="dizzy")
    actions.record_symptom(session=session, symptom="dizziness", by=nurse, at=minute(10))
    actions.resume_infusion(session=session, by=nurse, at=minute(15))
    measured(session, nurse, 40, (146, 88))
    actions.end_infusion(session=session, by=nurse, at=minute(45))


def observed(session: Session, nurse: Staff, prescriber: Staff, leave: float) -> None:
    """What the leave gate asks for, in the minutes before ``leave``, except the written instructions."""
    measured(session, nurse, leave - 8, (130, 80))
    actions.record_sedation(session=session, moaas=5, by=nurse, at=minute(leave - 8))
    actions.record_dissociation(session=session, level="none", by=nurse, at=minute(leave - 8))
    asked(session, nurse, "release", minute(leave - 7))
    actions.confirm_escort(session=session, name="Daniel", here=True, by=nurse, at=minute(leave - 5))
    actions.sign_release(session=session, by=prescriber, at=minute(leave - 0.5))
