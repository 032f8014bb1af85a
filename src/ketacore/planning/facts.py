"""What the planning decisions are asked with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from ketacore.evidence import Fact


@dataclass(frozen=True, slots=True)
class DoseFacts:
    """One dose at its place in a protocol.

    ``previous_dose_mg`` is the dose of the last session given; it is not asked for on the first session.
    ``interval_weeks`` is the spacing the plan chose where the protocol leaves a choice.
    """

    first_session: Fact[bool] = field(default_factory=Fact.not_asked)
    phase: Fact[str] = field(default_factory=Fact.not_asked)
    dose_mg: Fact[float] = field(default_factory=Fact.not_asked)
    dose_mg_per_kg: Fact[float] = field(default_factory=Fact.not_asked)
    infusion_min: Fact[float] = field(default_factory=Fact.not_asked)
    previous_dose_mg: Fact[float] = field(default_factory=Fact.not_asked)
    interval_weeks: Fact[float] = field(default_factory=Fact.not_asked)


@dataclass(frozen=True, slots=True)
class WeightFacts:
    """The weight a dose per kilogram is computed from, the one before it, and whether a person confirmed it."""

    weight_kg: Fact[float] = field(default_factory=Fact.not_asked)
    measured_on: Fact[date] = field(default_factory=Fact.not_asked)
    previous_kg: Fact[float] = field(default_factory=Fact.not_asked)
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """How a course has gone so far.

    ``evaluated_on`` is the day of the last benefit evaluation (or renewed justification); a course in which nobody
    evaluated yet has ``Fact.not_known()``. ``sessions_missed`` counts sessions planned and not given since the last.
    """

    phase: Fact[str] = field(default_factory=Fact.not_asked)
    first_given_on: Fact[date] = field(default_factory=Fact.not_asked)
    last_given_on: Fact[date] = field(default_factory=Fact.not_asked)
    sessions_given: Fact[int] = field(default_factory=Fact.not_asked)
    sessions_missed: Fact[int] = field(default_factory=Fact.not_asked)
    worse: Fact[bool] = field(default_factory=Fact.not_asked)
    improvement_percent: Fact[float] = field(default_factory=Fact.not_asked)
    evaluated_on: Fact[date] = field(default_factory=Fact.not_asked)
