"""When the next session should be, by the phase of the protocol: a window, its rules, and what the clinician decides.

A proposal is never an order. Where sources give no rule – after a long lapse, after the last phase of a protocol –
no day is proposed.
"""

from ketacore.maintenance.decide import (
    CANNOT_DECIDE,
    CHOOSE_INTERVAL,
    DECIDE_FIRST,
    LAPSED,
    NOT_STARTED,
    OPEN_ENDED,
    OUTCOMES,
    PROPOSED,
    Proposal,
    next_session_due,
)
from ketacore.maintenance.facts import NextSessionFacts

__all__ = [
    "CANNOT_DECIDE",
    "CHOOSE_INTERVAL",
    "DECIDE_FIRST",
    "LAPSED",
    "NOT_STARTED",
    "OPEN_ENDED",
    "OUTCOMES",
    "PROPOSED",
    "NextSessionFacts",
    "Proposal",
    "next_session_due",
]
