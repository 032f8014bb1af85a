"""Which chair is free when; pure arithmetic over the bookings of a stretch of days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from ketaclinic.planning.models import Booking

STEP = timedelta(minutes=30)
STEPS = 8


class Chairs:
    """The chairs of a clinic and when they are taken."""

    def __init__(self, count: int, taken: Iterable[Booking]) -> None:
        self.count = count
        self._taken: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
        for booking in taken:
            self.take(booking.chair, booking.starts_at, booking.minutes)

    def take(self, chair: int, starts_at: datetime, minutes: int) -> None:
        """Mark a chair as taken."""
        self._taken[chair].append((starts_at, starts_at + timedelta(minutes=minutes)))

    def is_free(self, chair: int, starts_at: datetime, minutes: int) -> bool:
        """Return whether nothing on the chair overlaps the stretch."""
        ends_at = starts_at + timedelta(minutes=minutes)
        return all(end <= starts_at or start >= ends_at for start, end in self._taken[chair])

    def free_from(self, starts_at: datetime, minutes: int, preferred: int | None = None) -> tuple[int, datetime] | None:
        """Return a chair and a start: the wished time on the preferred chair, else another chair, else later.

        Looks half an hour further at a time, up to four hours; ``None`` when nothing is free.
        """
        chairs = sorted(range(1, self.count + 1), key=lambda chair: chair != preferred)
        for step in range(STEPS + 1):
            start = starts_at + step * STEP
            if start.astimezone(starts_at.tzinfo).date() != starts_at.date():
                break
            for chair in chairs:
                if self.is_free(chair, start, minutes):
                    return chair, start
        return None


def days_taken(bookings: Iterable[Booking], patient_id: int) -> set[date]:
    """Return the days on which the patient already has a session."""
    return {b.starts_at.astimezone(b.clinic.zone).date() for b in bookings if b.patient_id == patient_id}
