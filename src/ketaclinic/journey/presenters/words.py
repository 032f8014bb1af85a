"""Days, lengths of time and stages as people say them."""

from __future__ import annotations

from datetime import date, datetime

from django.urls import reverse

from ketacore.journey import Outcome, Stage

STAGE_WORDS: dict[str, str] = {stage.value: stage.word for stage in Stage} | {
    Outcome.DECLINED.value: "Declined",
    Outcome.ENDED.value: "Ended",
    Outcome.DECEASED.value: "Deceased",
}
"""Where somebody is, in the order of the pathway; outcomes last."""

FOUND_WORDS: dict[str, str] = STAGE_WORDS | {"to-decide": "Waiting for a decision", "to-plan": "Waiting for a plan"}
"""What the list of patients can be narrowed to."""

PRODUCT_WORDS = {"esketamine-nasal": "Esketamine nasal", "ketamine-iv": "Ketamine IV"}

ROOM_WORDS = {
    "people": "People",
    "screening": "Screening",
    "consent": "Consent",
    "planning": "Plan",
    "treatment": "Sessions",
    "aftercare": "Aftercare",
    "followup": "Scores and alerts",
    "surveillance": "Long-term screens",
    "maintenance": "Maintenance",
    "journey": "Pathway",
    "fhir": "Imported",
}
"""What the timeline calls the rooms it can be filtered by."""


def day_words(day: date | None, on: date | None = None) -> str:
    """Return ``14 Mar 2026``; the year is left out where it is that of ``on``, and its own day is *today*."""
    if day is None:
        return ""
    if on is not None and day == on:
        return "today"
    short = on is not None and day.year == on.year
    return f"{day.day} {day:%b}" if short else f"{day.day} {day:%b %Y}"


def waited(since: datetime, at: datetime) -> str:
    """Return how long something has been waiting: ``40 min``, ``3 h``, ``6 days``."""
    minutes = int((at - since).total_seconds() // 60)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def count_words(count: int, one: str, many: str = "") -> str:
    """Return ``1 stop``, ``3 stops``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def address(name: str, *args: object) -> str:
    """Return the address of a page."""
    return reverse(name, args=args)
