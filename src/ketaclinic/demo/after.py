"""What follows a session: the sheet that was handed over, the contact the day after, the benefit judged in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from ketaclinic.aftercare.models import InstructionsGiven, NextDayContact
from ketaclinic.demo.clinic import DemoClinic
from ketaclinic.demo.courses import Outcome
from ketaclinic.demo.ledger import Ledger
from ketaclinic.demo.life import Life
from ketaclinic.maintenance.models import BenefitEvaluation
from ketaclinic.treatment.models import Session
from ketacore.aftercare import AftercareFacts, instructions
from ketacore.aftercare.ask import as_json
from ketacore.evidence import Setting

_SECOND_TRY = timedelta(hours=5)
_CALLED_AFTER = timedelta(hours=20)
_BENEFIT = {
    Outcome.REMISSION: (BenefitEvaluation.Benefit.BENEFIT, "In remission by the PHQ-9."),
    Outcome.RESPONSE: (BenefitEvaluation.Benefit.BENEFIT, "The PHQ-9 has fallen by half."),
    Outcome.LITTLE: (BenefitEvaluation.Benefit.UNCLEAR, "Little change so far; looked at again in four weeks."),
    Outcome.WORSE: (BenefitEvaluation.Benefit.WORSE, "The PHQ-9 is higher than at the start."),
}


def write_aftercare(
    ledger: Ledger, home: DemoClinic, setting: Setting, session: Session, left_at: datetime, now: datetime
) -> None:
    """Write the sheet, and the call of the next day where that day has come and the nurse got round to it.

    Nobody was called yet after the sessions of yesterday: they are the list of today.
    """
    _write_sheet(ledger, home, setting, session, left_at)
    called_at = left_at + _CALLED_AFTER
    if home.clinic.day_of(left_at) + timedelta(days=1) >= home.clinic.day_of(now):
        return
    tries = 2 if left_at.day % 7 == 0 else 1
    for number in range(tries):
        reached = number == tries - 1
        row = ledger.row(
            NextDayContact,
            session.patient,
            called_at + number * _SECOND_TRY,
            home.nurse,
            session=session,
            outcome=NextDayContact.Outcome.REACHED if reached else NextDayContact.Outcome.NOT_REACHED,
            wellbeing=NextDayContact.Wellbeing.WELL if reached else NextDayContact.Wellbeing.NOT_TOLD,
            note="",
        )
        ledger.line(
            row, "aftercare", "contact", "Contact after the session: reached, well" if reached else "Not reached"
        )


def _write_sheet(ledger: Ledger, home: DemoClinic, setting: Setting, session: Session, left_at: datetime) -> None:
    clinic = home.clinic
    facts = AftercareFacts(session.product, left_at, clinic.zone, clinic.emergency_contact, clinic.phone)
    said = as_json(instructions(facts, setting))
    row = ledger.row(
        InstructionsGiven,
        session.patient,
        left_at - timedelta(minutes=3),
        home.nurse,
        session=session,
        to_escort=True,
        content=said,
        entry_key=ledger.key("sheet"),
    )
    detail = f"No driving until {said['no_driving_until']}, not before {said['no_driving_before']}"
    ledger.line(row, "aftercare", "instructions", "Aftercare sheet given", detail)


def write_benefit(ledger: Ledger, home: DemoClinic, life: Life, at: datetime) -> None:
    """Write how the prescriber judged the benefit at the end of the induction."""
    benefit, reason = _BENEFIT[life.course.outcome]
    row = ledger.row(
        BenefitEvaluation, life.patient, at, home.prescriber, plan=life.plan, benefit=benefit, reason=reason
    )
    title = f"Benefit evaluated: {row.get_benefit_display().lower()}"
    ledger.line(row, "maintenance", "benefit_evaluated", title, reason)
