"""Signing, changing and ending a plan; booking its series or one session, moving and cancelling."""

from ketaclinic.planning.actions.bookings import (
    USUAL_TIME,
    BookedSeries,
    book_next,
    book_series,
    book_session,
    cancel_booking,
    miss_booking,
    move_booking,
)
from ketaclinic.planning.actions.plans import PlanChoices, change_plan, end_plan, protocol_named, sign_plan

__all__ = [
    "USUAL_TIME",
    "BookedSeries",
    "PlanChoices",
    "book_next",
    "book_series",
    "book_session",
    "cancel_booking",
    "change_plan",
    "end_plan",
    "miss_booking",
    "move_booking",
    "protocol_named",
    "sign_plan",
]
