"""Who is on the floor and who comes, for the printed sheets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from ketaclinic.people.models import Clinic
from ketaclinic.planning.models import Booking
from ketaclinic.planning.queries import bookings_between
from ketaclinic.policy.queries import setting_of
from ketaclinic.treatment.models import SessionEvent
from ketaclinic.treatment.queries import OpenSession, arrivals, on_the_floor

LOOK_AHEAD_DAYS = 7
"""How far the list of the next day looks when nobody is booked tomorrow: over a weekend and a holiday."""


def running_sessions(clinic: Clinic, at: datetime) -> list[tuple[OpenSession, Sequence[SessionEvent]]]:
    """Return the sessions on the floor by chair, with the facts of their gate and their standing entries."""
    found, _, _ = on_the_floor(clinic, at, setting_of(clinic, at))
    return [(o, o.session.standing_events) for o in found]  # type: ignore[attr-defined]


def still_to_come(clinic: Clinic, at: datetime) -> list[Booking]:
    """Return today's bookings that nobody has opened yet."""
    return list(arrivals(clinic, at))


def day_after(clinic: Clinic, at: datetime) -> tuple[date, list[Booking]]:
    """Return tomorrow with its bookings, or the first of the days after it that has any."""
    tomorrow = clinic.day_of(at) + timedelta(days=1)
    coming = list(bookings_between(clinic, tomorrow, tomorrow + timedelta(days=LOOK_AHEAD_DAYS)))
    day = clinic.day_of(coming[0].starts_at) if coming else tomorrow
    return day, [b for b in coming if clinic.day_of(b.starts_at) == day]
