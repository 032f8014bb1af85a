"""The two axes of a score picture: days across, points up. Plain numbers, no models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

STEPS_DAYS = (7, 14, 28, 56, 91, 182, 364)


@dataclass(frozen=True, slots=True)
class Frame:
    """The drawing area in picture units, with the days and points it covers."""

    width: int
    left: float
    right: float
    top: float
    bottom: float
    first_on: date
    last_on: date
    highest: int

    def x(self, day: date) -> float:
        """Return where a day lies."""
        span = max((self.last_on - self.first_on).days, 1)
        return round(self.left + (day - self.first_on).days / span * (self.right - self.left), 1)

    def y(self, points: float) -> float:
        """Return how high a number of points lies."""
        return round(self.bottom - points / self.highest * (self.bottom - self.top), 1)


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str
    strong: bool = False


def day_words(day: date) -> str:
    """Return a day as people write it: ``9 Nov``."""
    return f"{day.day} {day:%b}"


def day_ticks(frame: Frame, today: date, most: int) -> tuple[Tick, ...]:
    """Return labelled days, today among them, evenly spread backwards and forwards from today."""
    span = (frame.last_on - frame.first_on).days
    step = next((s for s in STEPS_DAYS if span / s <= most), STEPS_DAYS[-1])
    days = [today]
    while days[0] - timedelta(days=step) >= frame.first_on:
        days.insert(0, days[0] - timedelta(days=step))
    while days[-1] + timedelta(days=step) <= frame.last_on:
        days.append(days[-1] + timedelta(days=step))
    return tuple(Tick(frame.x(day), _tick_words(day, span), day == today) for day in days)


def _tick_words(day: date, span: int) -> str:
    return f"{day:%b %Y}" if span > STEPS_DAYS[-1] else day_words(day)


def point_ticks(frame: Frame) -> tuple[Tick, ...]:
    """Return every fifth number of points."""
    return tuple(Tick(frame.y(points), str(points)) for points in range(0, frame.highest + 1, 5))
