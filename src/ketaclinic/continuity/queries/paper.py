"""What may still have to be typed in from paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.queries import one_in
from ketaclinic.planning.models import Booking
from ketaclinic.planning.queries import bookings_between
from ketaclinic.treatment.actions.paper import PAPER_WITHIN
from ketaclinic.treatment.models import Session
from ketaclinic.treatment.queries import open_sessions


@dataclass(frozen=True, slots=True)
class ToEnter:
    """The sessions that are not closed, and the bookings of the last days that have no session."""

    open: tuple[Session, ...]
    bookings: tuple[Booking, ...]


def to_enter(clinic: Clinic, at: datetime) -> ToEnter:
    """Return where entries from paper belong, the newest booking first."""
    first, last = clinic.day_of(at - PAPER_WITHIN), clinic.day_of(at)
    bookings = bookings_between(clinic, first, last).filter(session__isnull=True, starts_at__lte=at)
    sessions = tuple(o.session for o in open_sessions(clinic, at))
    return ToEnter(sessions, tuple(reversed(bookings)))


def booking_kept(patient: Patient, pk: str) -> Booking | None:
    """Return one of the patient's standing bookings without a session; raises ``Http404`` for any other."""
    if not pk:
        return None
    rows: QuerySet[Booking] = Booking.objects.of(patient.clinic).standing()
    number = int(pk) if pk.isdecimal() and len(pk) < 19 else 0
    return one_in(rows.filter(patient=patient, session__isnull=True), "booking of this patient", number)
