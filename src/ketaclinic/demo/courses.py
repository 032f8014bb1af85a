"""Draws the course of one invented person: scores, sessions, reactions, relapse. Pure: a random source goes in.

The end of the induction is drawn first (remission, response, little change, worse) with the published shares, then
the scores are laid on the way there; see ``docs/demo.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from ketaclinic.demo.figures import FIGURES

NASAL, INFUSION = "esketamine-nasal", "ketamine-iv"
_MOST, _ITEMS, _MOST_PER_ITEM = 27, 9, 3
_BASELINE_MEAN, _BASELINE_SD, _BASELINE_LOWEST, _BASELINE_HIGHEST = 18.0, 4.4, 10, 25
PEAK_MIN, BACK_MIN = 40, 90


class Outcome(StrEnum):
    """Where a person stands at the end of the induction."""

    REMISSION = "remission"
    RESPONSE = "response"
    LITTLE = "little"
    WORSE = "worse"

    @property
    def responded(self) -> bool:
        """At least half below baseline."""
        return self in (Outcome.REMISSION, Outcome.RESPONSE)


@dataclass(frozen=True, slots=True)
class Reaction:
    """How one session is felt: systolic and diastolic rise at the peak, dissociation 0-2, sedation (MOAA/S 5-3)."""

    systolic_rise: float
    diastolic_rise: float
    dissociation: int
    moaas: int


@dataclass(frozen=True, slots=True)
class Course:
    """One person's course under one product. ``relapse_day`` counts from the end of the induction."""

    product: str
    baseline: int
    end: int
    outcome: Outcome
    relapse_day: float | None
    maintained: bool
    dissociates: bool
    sedates: bool
    systolic: int
    diastolic: int
    heart_rate: int
    weight_kg: float


def draw_course(random: Random, product: str, *, maintained: bool) -> Course:
    """Return a course; ``maintained`` says whether sessions go on after the induction."""
    baseline = draw_baseline(random)
    outcome = draw_outcome(random, product)
    return Course(
        product=product,
        baseline=baseline,
        end=draw_end(random, baseline, outcome),
        outcome=outcome,
        relapse_day=draw_relapse(random, maintained=maintained) if outcome.responded else None,
        maintained=maintained,
        dissociates=random.random() < FIGURES["B75"].share,
        sedates=random.random() < FIGURES["B76"].share,
        systolic=round(_within(random.gauss(121, 9), 98, 138)),
        diastolic=round(_within(random.gauss(76, 6), 60, 86)),
        heart_rate=round(_within(random.gauss(72, 8), 54, 96)),
        weight_kg=round(_within(random.gauss(80, 15), 48, 130), 1),
    )


def draw_baseline(random: Random) -> int:
    """Return a PHQ-9 total before treatment."""
    return round(_within(random.gauss(_BASELINE_MEAN, _BASELINE_SD), _BASELINE_LOWEST, _BASELINE_HIGHEST))


def draw_outcome(random: Random, product: str) -> Outcome:
    """Return the end of an induction, with the shares published for the product."""
    response, remission = ("B19", "B21") if product == NASAL else ("B34", "B35")
    drawn = random.random()
    if drawn < FIGURES[remission].share:
        return Outcome.REMISSION
    if drawn < FIGURES[response].share:
        return Outcome.RESPONSE
    return Outcome.WORSE if drawn >= 1 - FIGURES["B36"].share else Outcome.LITTLE


def draw_end(random: Random, baseline: int, outcome: Outcome) -> int:
    """Return the PHQ-9 total at the end of the induction that fits the outcome."""
    half = baseline // 2
    low, high = {
        Outcome.REMISSION: (0, 4),
        Outcome.RESPONSE: (5, half),
        Outcome.LITTLE: (half + 1, baseline),
        Outcome.WORSE: (baseline + 1, min(baseline + 5, _MOST)),
    }[outcome]
    return round(random.triangular(low, high, low + (high - low) * 0.6))


def draw_relapse(random: Random, *, maintained: bool) -> float:
    """Return days from the end of the induction to relapse, from a constant hazard."""
    if not maintained:
        return random.expovariate(math.log(2) / FIGURES["B54"].value)
    return random.expovariate(math.log(2) / FIGURES["B59"].value * FIGURES["B57"].value)


def score_on(course: Course, random: Random, *, days: float, induction_days: int) -> int:
    """Return the PHQ-9 total ``days`` after the first session, with day-to-day noise."""
    if days <= 0:
        return course.baseline
    if days < induction_days:
        way = 1 - math.exp(-3 * days / induction_days)
        level = course.baseline + (course.end - course.baseline) * way
    elif course.relapse_day is not None and days - induction_days > course.relapse_day:
        level = course.end + (course.baseline - course.end) * min(
            1.0, (days - induction_days - course.relapse_day) / 14
        )
    else:
        level = float(course.end)
    return round(_within(level + random.gauss(0, 0.8), 0, _MOST))


def items_of(random: Random, total: int, *, suicide_item: int | None = None) -> list[int]:
    """Return nine answers from 0 to 3 that add up to ``total``; the ninth item stays low unless it is given."""
    last = suicide_item if suicide_item is not None else (1 if total >= 18 and random.random() < 0.12 else 0)
    last = max(last, total - (_ITEMS - 1) * _MOST_PER_ITEM)
    answers = [0] * (_ITEMS - 1)
    for _ in range(max(0, total - last)):
        open_items = [i for i, value in enumerate(answers) if value < _MOST_PER_ITEM]
        answers[random.choice(open_items)] += 1
    return [*answers, last]


def draw_reaction(random: Random, course: Course, session_number: int) -> Reaction:
    """Return how one session is felt; dissociation and sedation fade with repetition."""
    figure = FIGURES["B74" if course.product == NASAL else "B72"]
    spread = 6.0 if course.product == NASAL else 4.0
    second = figure.second or 0.0
    fading = 0.9 ** (session_number - 1)
    felt = course.dissociates and (session_number == 1 or random.random() < fading)
    sleepy = course.sedates and (session_number == 1 or random.random() < fading * 0.8)
    return Reaction(
        systolic_rise=random.gauss(figure.value, spread),
        diastolic_rise=random.gauss(second, spread * 0.6),
        dissociation=(2 if random.random() < 0.25 else 1) if felt else 0,
        moaas=(3 if random.random() < 0.1 else 4) if sleepy else 5,
    )


def rise_at(minute: float) -> float:
    """Return which part of the peak rise is left ``minute`` minutes after the first dose (0 to 1)."""
    if minute <= 0 or minute >= BACK_MIN + 30:
        return 0.0
    if minute <= PEAK_MIN:
        return minute / PEAK_MIN
    return max(0.0, 1 - (minute - PEAK_MIN) / (BACK_MIN - PEAK_MIN))


def pressure_at(course: Course, reaction: Reaction, minute: float) -> tuple[int, int]:
    """Return the blood pressure at a minute of the session."""
    part = rise_at(minute)
    systolic = round(course.systolic + reaction.systolic_rise * part)
    diastolic = round(course.diastolic + reaction.diastolic_rise * part)
    return systolic, min(diastolic, systolic - 15)


def _within(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))
