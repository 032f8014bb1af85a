"""From the record to the facts the next session is asked with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.followup.queries import baseline_among
from ketaclinic.planning.models import Plan
from ketacore.evidence import Fact, Setting
from ketacore.followup import RESPONSE, ScoreFacts, percent_better, response
from ketacore.maintenance import NextSessionFacts
from ketacore.scales import SCALES

INSTRUMENT = "phq9"


def next_session_facts(
    plan: Plan,
    given: Sequence[tuple[int, date]],
    scores: Sequence[ScaleAnswer],
    first_session_at: datetime | None,
    setting: Setting,
    missed: int,
    judged: Judged | None = None,
) -> NextSessionFacts:
    """Return the facts of one course; what nobody recorded stays not asked."""
    baseline = baseline_among(scores, first_session_at)
    newest = scores[-1] if scores else None
    better, holds = _improvement(baseline, newest, setting)
    interval = plan.customised.get("interval_weeks")
    return NextSessionFacts(
        protocol_id=plan.protocol_id,
        given_on=tuple(day for course, day in given if course == plan.course_id),
        starts_on=Fact.of(plan.starts_on, "plan", plan.at),
        interval_weeks=Fact.of(int(interval), "plan") if interval else Fact.not_asked(),
        sessions_missed=Fact.of(missed, "bookings"),
        holds_response=holds,
        improvement_percent=better,
        worse=_worse(judged, given),
        evaluated_on=_evaluated_on(judged),
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """The newest benefit evaluation of a course: its day, and whether it says "worse"."""

    on: date
    worse: bool


def _evaluated_on(judged: Judged | None) -> Fact[date]:
    if judged is None:
        return Fact.not_known("no benefit evaluation on record")
    return Fact.of(judged.on, "benefit evaluation")


def _worse(judged: Judged | None, given: Sequence[tuple[int, date]]) -> Fact[bool]:
    """A judgement from before the last session says nothing about how the person is since."""
    if judged is None or (given and judged.on < given[-1][1]):
        return Fact.not_asked()
    return Fact.of(judged.worse, "benefit evaluation")


def _improvement(
    baseline: ScaleAnswer | None, newest: ScaleAnswer | None, setting: Setting
) -> tuple[Fact[float], Fact[bool]]:
    if baseline is None or newest is None or baseline == newest or baseline.total is None or newest.total is None:
        return Fact.not_asked(), Fact.not_asked()
    scale = SCALES[INSTRUMENT]
    before, now = Fact.of(baseline.total), Fact.of(newest.total)
    better = percent_better(ScoreFacts(scale, before, now))
    held = response(before, now, scale, setting).outcome == RESPONSE
    known = Fact.of(better, "PHQ-9", newest.at) if better is not None else Fact[float].not_known("baseline of zero")
    return known, Fact.of(held, "PHQ-9", newest.at)
