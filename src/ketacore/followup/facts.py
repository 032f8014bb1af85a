"""What follow-up is asked with: scores, answers, and where the loop of an alert stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ketacore.evidence import Fact
from ketacore.scales import Scale


@dataclass(frozen=True, slots=True)
class ScoreFacts:
    """The totals of one instrument: before treatment, now, and the one before now.

    ``session_since_previous``: whether a session was given between the score before and this one.
    """

    scale: Scale
    baseline: Fact[int] = field(default_factory=Fact.not_asked)
    now: Fact[int] = field(default_factory=Fact.not_asked)
    previous: Fact[int] = field(default_factory=Fact.not_asked)
    session_since_previous: Fact[bool] = field(default_factory=Fact.not_asked)


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """The answers on one form; an item without an answer is ``None`` or left out."""

    scale: Scale
    answers: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """One alert and its loop so far."""

    raised_at: datetime
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
