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


class Consent(StrEnum):
    """Whether consent for the product stands, in the words of the consent room, or that it could not be checked."""

    VALID = "valid"
    EXPIRED = "expired"
    MISSING = "missing"
    WITHDRAWN = "withdrawn"
    OTHER_ROUTE = "other_route"
    NOT_KNOWN = "not_known"


INDUCTION_PHASES = ("induction", "series")
"""Protocol phases that belong to the stage Induction; every later phase is Maintenance."""


@dataclass(frozen=True, slots=True)
class JourneyFacts:
    """The dates of one person's way. ``None`` means that no such thing is on record, never that it was denied.

    ``product`` is the one of the plan that stands, and ``verdict`` the newest decision about it. Without a plan the
    verdict is *treat* when that stands for at least one product, and ``product`` is the one of that decision.
    ``consent`` is what the consent room says about that product; while it was not asked, the newest signature that
    was not withdrawn counts. ``consent_signed_on`` is the day of that signature.
    ``plan_signed_on`` belongs to the plan that stands, ``plan_ended_on`` to the newest plan that ended.
    ``phase`` is the protocol phase of the last session in which the drug was given.
    """

    registered_on: date
    screening_began_on: date | None = None
    verdict: Verdict | None = None
    verdict_on: date | None = None
    product: str = ""
    consent: Consent | None = None
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
