"""What surveillance is asked with: the course so far and the screens that were done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ketacore.evidence import Fact


@dataclass(frozen=True, slots=True)
class Done:
    """The newest result of one screen."""

    on: date
    finding: bool = False


@dataclass(frozen=True, slots=True)
class SurveillanceFacts:
    """One course and its screens.

    ``starts_on`` is the first day of the plan, ``induction`` whether the course is in its induction, ``given_on``
    the days of the sessions given, oldest first. ``done`` holds the newest result by kind of screen: a kind that is
    not in it has no result on file.
    """

    starts_on: Fact[date] = field(default_factory=Fact.not_asked)
    induction: Fact[bool] = field(default_factory=Fact.not_asked)
    given_on: tuple[date, ...] = ()
    done: Mapping[str, Done] = field(default_factory=dict)

    @property
    def baseline_on(self) -> date | None:
        """The day by which a screen before treatment is due: the first session, or the plan's first day."""
        return self.given_on[0] if self.given_on else self.starts_on.value
