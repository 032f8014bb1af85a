"""What the pages of a plan show, worked out once, before any template."""

from ketaclinic.planning.presenters.expected import Asked, expected_of
from ketaclinic.planning.presenters.plans import (
    booking_lines,
    chart_card,
    dose_options,
    history,
    plan_view,
    preview,
    protocol_choices,
    settled_words,
)

__all__ = [
    "Asked",
    "booking_lines",
    "chart_card",
    "dose_options",
    "expected_of",
    "history",
    "plan_view",
    "preview",
    "protocol_choices",
    "settled_words",
]
