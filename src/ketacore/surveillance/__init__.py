"""Long-term surveillance: which screen is due when, from the course so far. No result on file is never "fine"."""

from ketacore.surveillance.decide import ScreenDue, Stand, add_months, screens_due, surveillance
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
    "Stand",
    "SurveillanceFacts",
    "add_months",
    "screens_due",
    "surveillance",
]
