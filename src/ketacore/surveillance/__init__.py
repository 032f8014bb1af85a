"""Long-term surveillance: which screen is due when, from the course so far. No result on file is never "fine"."""

from ketacore.surveillance.decide import (
    ScreenDue,
    ScreenHere,
    Stand,
    add_months,
    screens_due,
    screens_here,
    surveillance,
)
from ketacore.surveillance.facts import Done, SurveillanceFacts
from ketacore.surveillance.rules import RULES
from ketacore.surveillance.screens import SCREEN, SCREENS, Screen

__all__ = [
    "RULES",
    "SCREEN",
    "SCREENS",
    "Done",
    "Screen",
    "ScreenDue",
    "ScreenHere",
    "Stand",
    "SurveillanceFacts",
    "add_months",
    "screens_due",
    "screens_here",
    "surveillance",
]
