"""What the core is told about one person's way so far: when each thing happened, as the record has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Verdict(StrEnum):
    """The prescriber's newest decision on candidacy that counts."""

    TREAT = "treat"
    WAIT = "wait"
    DECLINE = "decline"


INDUCTION_PHASES = ("induction", "series")
"""Protocol phases that belong to the stage Induction; every later phase is Maintenance."""


@dataclass(frozen=True, slots=True)
class JourneyFacts:
    """The dates of one person's way. ``None`` means that no such thing is on record, never that it was denied.

    ``verdict`` is *treat* when it stands for at least one product; ``product`` is the one of the plan, or of
    that decision. ``consent_signed_on`` is the newest signature for that product that was not withdrawn.
    ``plan_signed_on`` belongs to the plan that stands, ``plan_ended_on`` to the newest plan that ended.
    ``phase`` is the protocol phase of the last session in which the drug was given.
    """

    registered_on: date
    screening_began_on: date | None = None
    verdict: Verdict | None = None
    verdict_on: date | None = None
    product: str = ""
    consent_signed_on: date | None = None
    consent_withdrawn_on: date | None = None
    plan_signed_on: date | None = None
    plan_ended_on: date | None = None
    sessions_given: int = 0
    first_given_on: date | None = None
    last_given_on: date | None = None
    phase: str = ""
    maintenance_since: date | None = None
    next_session_on: date | None = None
    deceased_on: date | None = None
