"""What the next session is asked with: the protocol, the course so far, and how the person is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from ketacore.evidence import Fact


@dataclass(frozen=True, slots=True)
class NextSessionFacts:
    """One course. ``given_on`` are the days of its sessions, oldest first; empty means that none was given yet.

    ``interval_weeks`` is the spacing chosen where the protocol leaves a choice; ``sessions_missed`` counts sessions
    planned and not given since the last; ``worse`` is the clinician's judgement; ``holds_response`` whether the
    response holds at the present spacing; ``evaluated_on`` the day the benefit was last evaluated.
    """

    protocol_id: str
    given_on: tuple[date, ...] = ()
    starts_on: Fact[date] = field(default_factory=Fact.not_asked)
    interval_weeks: Fact[int] = field(default_factory=Fact.not_asked)
    sessions_missed: Fact[int] = field(default_factory=Fact.not_asked)
    worse: Fact[bool] = field(default_factory=Fact.not_asked)
    holds_response: Fact[bool] = field(default_factory=Fact.not_asked)
    improvement_percent: Fact[float] = field(default_factory=Fact.not_asked)
    evaluated_on: Fact[date] = field(default_factory=Fact.not_asked)
