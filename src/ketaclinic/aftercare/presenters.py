"""The aftercare sheet as the printed page and the screen show it: plain words, no decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ketaclinic.people.models import Clinic
from ketaclinic.planning.models import Booking
from ketaclinic.treatment.models import Session
from ketacore.aftercare import Instructions, PhoneNumber


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything one sheet says, as plain text."""

    clinic: str
    patient: str
    session: str
    no_driving_title: str
    no_driving_date: str
    until_then: tuple[str, ...]
    normal: tuple[str, ...]
    watch_title: str
    watch: tuple[str, ...]
    call: tuple[PhoneNumber, ...]
    closing: tuple[str, ...]
    footer: str
    synthetic: bool


def sheet(session: Session, told: Instructions, ended_at: datetime, booking: Booking | None) -> Sheet:
    """Return the sheet of one session."""
    clinic = session.clinic
    driving = told.no_driving
    closing = []
    if booking is not None:
        closing.append(f"Your next visit: {_moment(booking.starts_at, clinic)}.")
    if told.contact_on is not None:
        closing.append(f"Somebody of the clinic will ask how you are on {_day(told.contact_on)}.")
    closing.append("This sheet is no emergency service, and nobody watches it for messages.")
    return Sheet(
        clinic=clinic.name,
        patient=str(session.patient),
        session=f"Session of {_moment(ended_at, clinic)}",
        no_driving_title=f"No driving until {driving.words}",
        no_driving_date=f"Not before {_day(driving.earliest_on)}, and only after you have slept well.",
        until_then=tuple(line.text for line in told.until_then),
        normal=tuple(line.text for line in told.normal),
        watch_title="Get emergency help at once if there is",
        watch=tuple(line.text for line in told.watch),
        call=told.call,
        closing=tuple(closing),
        footer=", ".join(dict.fromkeys([driving.rule.rule_id, *(ln.rule.rule_id for ln in told.watch)])),
        synthetic=session.patient.synthetic or clinic.synthetic,
    )


def _day(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _moment(at: datetime, clinic: Clinic) -> str:
    local = at.astimezone(clinic.zone)
    return f"{_day(local.date())}, {local:%H:%M}"
