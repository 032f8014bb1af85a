"""Handing over the aftercare sheet; contacting the patient the day after."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib import resources
from json import dumps

import typst
from django.db import transaction

from ketaclinic.aftercare.facts import ended_at, told
from ketaclinic.aftercare.models import InstructionsGiven, NextDayContact
from ketaclinic.aftercare.presenters import Sheet, sheet
from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.planning.queries import next_booking
from ketaclinic.record.actions import chronicle
from ketaclinic.treatment.actions import new_key, record_event
from ketaclinic.treatment.models import Session
from ketacore.aftercare.ask import as_json
from ketacore.evidence import Refusal, to_jsonable


@cache
def _layout() -> bytes:
    return (resources.files("ketaclinic.aftercare") / "data" / "sheet.typ").read_bytes()


def prepare_sheet(session: Session, at: datetime) -> Sheet:
    """Return what the sheet of one session says at ``at``."""
    booking = next_booking(session.patient, at)
    if booking is not None and booking.pk == session.booking_id:
        booking = None
    return sheet(session, told(session, at), ended_at(session, at), booking)


def print_sheet(page: Sheet) -> bytes:
    """Return the sheet as PDF. Its words travel as one JSON string: markup in a name stays letters."""
    content = dumps(to_jsonable(page), ensure_ascii=False)
    found: bytes = typst.compile(_layout(), sys_inputs={"sheet": content}, format="pdf", ignore_system_fonts=True)
    return found


@transaction.atomic
def give_instructions(
    *, session: Session, by: Staff, at: datetime, to_escort: bool = False, entry_key: str = ""
) -> InstructionsGiven:
    """Record that the sheet was handed over, with what it said; again the same entry is the same row."""
    check_may(by, Permission.GIVE_AFTERCARE)
    check_in_clinic(by, session)
    key = entry_key or new_key()
    before: InstructionsGiven | None = InstructionsGiven.objects.filter(session=session, entry_key=key).first()
    if before is not None:
        return before
    said = as_json(told(session, at))
    record_event(
        session=session, kind="instructions", payload={"to_escort": to_escort}, by=by, at=at, entry_key=key[:60] + "-i"
    )
    row: InstructionsGiven = InstructionsGiven.objects.create(
        clinic=session.clinic,
        patient=session.patient,
        session=session,
        at=at,
        recorded_at=at,
        recorded_by=by,
        to_escort=to_escort,
        content=said,
        entry_key=key,
    )
    chronicle(
        patient=session.patient,
        by=by,
        at=at,
        recorded_at=at,
        stage="aftercare",
        kind="instructions",
        title="Aftercare sheet given",
        detail=f"No driving until {said['no_driving_until']}, not before {said['no_driving_before']}",
        about=row,
    )
    write_audit("give_instructions", by=by, at=at, patient_id=session.patient_id, obj=row)
    return row


@transaction.atomic
def record_contact(
    *, session: Session, by: Staff, at: datetime, outcome: str, wellbeing: str = "not_told", note: str = ""
) -> NextDayContact:
    """Record that somebody tried to reach the patient after a session, or did."""
    check_may(by, Permission.GIVE_AFTERCARE)
    check_in_clinic(by, session)
    if outcome == NextDayContact.Outcome.NOT_REACHED and wellbeing != NextDayContact.Wellbeing.NOT_TOLD:
        raise Refusal("Recording the contact", ["nobody was reached, so nothing was told"], "Choose one of the two.")
    row: NextDayContact = NextDayContact.objects.create(
        clinic=session.clinic,
        patient=session.patient,
        session=session,
        at=at,
        recorded_at=at,
        recorded_by=by,
        outcome=outcome,
        wellbeing=wellbeing,
        note=note.strip(),
    )
    chronicle(
        patient=session.patient,
        by=by,
        at=at,
        recorded_at=at,
        stage="aftercare",
        kind="contact",
        title=f"Contact after the session: {row.get_outcome_display().lower()}",
        detail=f"{row.get_wellbeing_display()}. {row.note}".strip(),
        about=row,
    )
    write_audit("record_contact", by=by, at=at, patient_id=session.patient_id, obj=row)
    return row
