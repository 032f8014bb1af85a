"""Scores become words with a rule behind them; an answer about suicide becomes an alert with an owner and a clock.

Response, remission and worsening compare totals of the same instrument. Nothing here says that a medicine treats
suicidality, and no form is ever the only suicide screen.
"""

from ketacore.followup.decide import (
    ACKNOWLEDGED,
    ALERT,
    CANNOT_DECIDE,
    CLOSED,
    ESCALATED,
    NO_ALERT,
    NO_CLOCK,
    NO_REMISSION,
    NONE,
    PARTIAL,
    REMISSION,
    RESPONSE,
    UNDEFINED,
    WAITING,
    WORSE,
    CrisisLine,
    Ownership,
    crisis_lines,
    escalation,
    item9_alert,
    ownership,
    remission,
    response,
    severity,
    worse_after_session,
)
from ketacore.followup.facts import AlertFacts, AnswerFacts, ScoreFacts
from ketacore.followup.rules import RULES, percent_better

__all__ = [
    "ACKNOWLEDGED",
    "ALERT",
    "CANNOT_DECIDE",
    "CLOSED",
    "ESCALATED",
    "NONE",
    "NO_ALERT",
    "NO_CLOCK",
    "NO_REMISSION",
    "PARTIAL",
    "REMISSION",
    "RESPONSE",
    "RULES",
    "UNDEFINED",
    "WAITING",
    "WORSE",
    "AlertFacts",
    "AnswerFacts",
    "CrisisLine",
    "Ownership",
    "ScoreFacts",
    "crisis_lines",
    "escalation",
    "item9_alert",
    "ownership",
    "percent_better",
    "remission",
    "response",
    "severity",
    "worse_after_session",
]
