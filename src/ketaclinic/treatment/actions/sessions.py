"""Opening a session, and the REMS enrolment that its start gate asks for."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.record.actions import chronicle
from ketaclinic.treatment.actions.dose import dose_of_today
from ketaclinic.treatment.actions.entries import checked_key
from ketaclinic.treatment.actions.paper import Paper, check_paper_time, keep_paper
from ketaclinic.treatment.models import RemsEnrolment, Session
from ketaclinic.treatment.queries import open_sessions, session_on_chair
from ketacore.evidence import Refusal
from ketacore.treatment.events import text_fault


@transaction.atomic
def enrol_in_rems(
    *, patient: Patient, by: Staff, at: datetime, enrolled_on: date, enrolled: bool = True, note: str = ""
) -> RemsEnrolment:
    """Record that the patient is enrolled in the REMS, or no longer is."""
    check_may(by, Permission.RUN_SESSION)
    check_in_clinic(by, patient)
    if enrolled_on > patient.clinic.day_of(at):
        raise Refusal("Recording the enrolment", ["its day lies in the future"], "Check the date.")
    row: RemsEnrolment = RemsEnrolment.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        enrolled=enrolled,
        enrolled_on=enrolled_on,
        note=note,
    )
    chronicle(
        patient=patient,
        by=by,
        at=at,
        recorded_at=at,
        stage="treatment",
        kind="rems_enrolment",
        title=str(row),
        about=row,
    )
    write_audit("enrol_in_rems", by=by, at=at, patient_id=patient.pk, obj=row)
    return row


@transaction.atomic
def open_session(
    *,
    patient: Patient,
    plan: Plan,
    by: Staff,
    at: datetime,
    chair: int,
    booking: Booking | None = None,
    dose_mg: Decimal | None = None,
    dose_reason: str = "",
    weight_confirmed: bool = False,
    entry_key: str = "",
    recorded_at: datetime | None = None,
    paper: Paper | None = None,
) -> Session:
    """Open today's session on a chair. The dose is the plan's; another one needs a prescriber and a reason.

    With ``paper`` the session ran on paper: ``at`` is when it was opened there, ``recorded_at`` the moment of writing.
    """
    recorded_at = recorded_at or at
    check_may(by, Permission.RUN_SESSION)
    check_in_clinic(by, patient)
    key = checked_key(entry_key)
    clinic = Clinic.objects.select_for_update().get(pk=patient.clinic_id)  # two nurses at once cannot take one chair
    before: Session | None = Session.objects.of(clinic).filter(entry_key=key).first()
    if before is not None:
        return _same_session(before, patient)
    if paper is not None:
        check_paper_time(at, recorded_at)
    _check_chair(patient, chair, at)
    _check_patient(patient, plan, booking, dose_reason, at)
    draft = Session(
        clinic=patient.clinic,
        patient=patient,
        plan=plan,
        booking=booking,
        product=plan.product,
        chair=chair,
        dose_reason=dose_reason.strip(),
        entry_key=key,
        at=at,
        recorded_at=recorded_at,
        recorded_by=by,
    )
    dose = dose_of_today(draft, by=by, at=at, asked_mg=dose_mg, weight_confirmed=weight_confirmed)
    draft.dose_mg, draft.infusion_min, draft.weight_kg = dose.dose_mg, dose.infusion_min, dose.weight_kg
    draft.save()
    if paper is not None:
        keep_paper(draft, paper, by=by, at=at, recorded_at=recorded_at)
    _tell_opened(draft, dose.words if paper is None else f"{dose.words}; on paper, {paper.reason}", by)
    return draft


def _tell_opened(session: Session, detail: str, by: Staff) -> None:
    chronicle(
        patient=session.patient,
        by=by,
        at=session.at,
        recorded_at=session.recorded_at,
        stage="treatment",
        kind="session_opened",
        title=f"Session opened on chair {session.chair}",
        detail=detail,
        about=session,
    )
    write_audit(
        "open_session",
        by=by,
        at=session.recorded_at,
        patient_id=session.patient_id,
        obj=session,
        reason=session.dose_reason,
    )


def _same_session(session: Session, patient: Patient) -> Session:
    if session.patient_id != patient.pk:
        raise Refusal("Opening a session", ["this entry was already used for another patient"], "Open the page again.")
    return session


def _check_patient(patient: Patient, plan: Plan, booking: Booking | None, dose_reason: str, at: datetime) -> None:
    wrong = []
    if Patient.objects.filter(pk=patient.pk, deceased_on__isnull=False).exists():
        wrong.append(f"{patient} is on record as deceased")
    if any(o.session.patient_id == patient.pk for o in open_sessions(patient.clinic, at)):
        wrong.append(f"{patient} is on the floor already")
    if plan.patient_id != patient.pk or not Plan.objects.standing_at(at).filter(pk=plan.pk).exists():
        wrong.append("this plan does not stand for this patient")
    if booking is not None:
        wrong += _wrong_with_booking(booking, plan, at)
    fault = text_fault(dose_reason)
    if fault:
        wrong.append(f"reason for another dose: {fault}")
    if wrong:
        raise Refusal("Opening a session", wrong, "Open the patient's chart again.")


def _wrong_with_booking(booking: Booking, plan: Plan, at: datetime) -> list[str]:
    wrong = []
    if booking.patient_id != plan.patient_id or booking.plan.course_id != plan.course_id:
        wrong.append("the booking is not one of this plan")
    if not Booking.objects.standing().filter(pk=booking.pk, session__isnull=True).exists():
        wrong.append("the booking was moved, cancelled or already kept")
    if plan.clinic.day_of(booking.starts_at) != plan.clinic.day_of(at):
        wrong.append("the booking is for another day")
    return wrong


def _check_chair(patient: Patient, chair: int, at: datetime) -> None:
    if not 1 <= chair <= patient.clinic.chairs:
        raise Refusal("Opening a session", [f"there is no chair {chair}"], f"Choose 1 to {patient.clinic.chairs}.")
    taken = session_on_chair(patient.clinic, chair, at)
    if taken is not None:
        raise Refusal("Opening a session", [f"chair {chair} is taken by {taken.patient}"], "Choose a free chair.")
