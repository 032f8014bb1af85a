"""The clinician's judgement of the benefit, and the answer to a proposal; planning books or moves the session."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.maintenance.models import BenefitEvaluation, NextSessionAnswer
from ketaclinic.maintenance.queries import NextDue, next_due
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.planning.actions import book_next, move_booking
from ketaclinic.planning.models import Booking
from ketaclinic.planning.queries import active_plan
from ketaclinic.record.actions import chronicle, keep_decision
from ketacore.evidence import Refusal

STAGE = "maintenance"
ANSWER = NextSessionAnswer.Answer


@transaction.atomic
def answer_proposal(
    *, patient: Patient, answer: str, by: Staff, at: datetime, next_on: date | None = None, reason: str = ""
) -> NextSessionAnswer:
    """Record what the prescriber made of the proposal; the session is booked on the chosen day, or moved to it."""
    check_may(by, Permission.ANSWER_PROPOSAL)
    check_in_clinic(by, patient)
    due = next_due(patient, at)
    if due is None:
        raise Refusal("Answering the proposal", ["no plan stands"], "Sign a plan first.")
    window = due.proposal.window
    first, last = (window.earliest_on, window.latest_on) if window else (None, None)
    _check(answer, next_on, reason, first, last, patient.clinic.day_of(at))
    decision = keep_decision(patient=patient, by=by, at=at, room=STAGE, decision=due.proposal.decision, facts=due.facts)
    row: NextSessionAnswer = NextSessionAnswer.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        plan=due.plan,
        answer=answer,
        decision=decision,
        proposed_from=first,
        proposed_until=last,
        next_on=next_on,
        reason=reason.strip(),
        booking=_booked(due, next_on, reason, by, at),
    )
    title = f"Next session: {f'{next_on.day} {next_on:%b %Y}' if next_on else 'none for now'}"
    chronicle(
        patient=patient,
        by=by,
        at=at,
        recorded_at=at,
        stage=STAGE,
        kind="next_session",
        title=title,
        detail=reason.strip(),
        about=row,
    )
    write_audit("answer_proposal", by=by, at=at, patient_id=patient.pk, obj=row, reason=reason)
    return row


def _check(answer: str, next_on: date | None, reason: str, first: date | None, last: date | None, today: date) -> None:
    refused = "Answering the proposal"
    if answer not in ANSWER.values:
        raise Refusal(refused, ["no answer was chosen"], "Accept, choose another day, or stop.")
    if answer != ANSWER.STOP and next_on is None:
        raise Refusal(refused, ["no day was chosen"], "Choose the day of the next session.")
    if next_on is not None and (answer == ANSWER.STOP or next_on < today):
        raise Refusal(refused, ["the day does not fit the answer, or has passed"], "Choose a day from today on.")
    if answer != ANSWER.ACCEPT and not reason.strip():
        raise Refusal(refused, ["no reason was given"], "Say why.")
    inside = first is not None and last is not None and next_on is not None and first <= next_on <= last
    if answer == ANSWER.ACCEPT and not inside:
        raise Refusal(refused, ["this day is outside the proposed window"], "Choose 'another day' and say why.")


def _booked(due: NextDue, next_on: date | None, reason: str, by: Staff, at: datetime) -> Booking | None:
    if next_on is None:
        return None
    booking = due.booking
    if booking is None:
        return book_next(plan=due.plan, on=next_on, by=by, at=at)
    local = booking.starts_at.astimezone(booking.clinic.zone)
    if local.date() == next_on:
        return booking
    wished = local.replace(year=next_on.year, month=next_on.month, day=next_on.day)
    return move_booking(
        booking=booking, starts_at=wished, reason=reason.strip() or "answer to the proposal", by=by, at=at
    )


@transaction.atomic
def evaluate_benefit(*, patient: Patient, benefit: str, reason: str, by: Staff, at: datetime) -> BenefitEvaluation:
    """Record whether the treatment helps, with the reason; the plan itself changes by planning's own actions."""
    check_may(by, Permission.ANSWER_PROPOSAL)
    check_in_clinic(by, patient)
    refused = "Evaluating the benefit"
    plan = active_plan(patient, at)
    if plan is None:
        raise Refusal(refused, ["no plan stands"], "Sign a plan first.")
    if benefit not in BenefitEvaluation.Benefit.values:
        raise Refusal(refused, ["no judgement was chosen"], "Choose one of the list.")
    if not reason.strip():
        raise Refusal(refused, ["no reason was given"], "Say what the judgement rests on.")
    row: BenefitEvaluation = BenefitEvaluation.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        plan=plan,
        benefit=benefit,
        reason=reason.strip(),
    )
    title = f"Benefit evaluated: {row.get_benefit_display().lower()}"
    chronicle(
        patient=patient,
        by=by,
        at=at,
        recorded_at=at,
        stage=STAGE,
        kind="benefit_evaluated",
        title=title,
        detail=row.reason,
        about=row,
    )
    write_audit("evaluate_benefit", by=by, at=at, patient_id=patient.pk, obj=row, reason=row.reason)
    return row
