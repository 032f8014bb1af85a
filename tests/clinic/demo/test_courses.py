"""A large cohort agrees with the published figures it was drawn from."""

from __future__ import annotations

import statistics
from random import Random

import pytest

from ketaclinic.demo.courses import (
    INFUSION,
    NASAL,
    Course,
    Outcome,
    draw_course,
    draw_reaction,
    items_of,
    pressure_at,
    score_on,
)
from ketaclinic.demo.figures import FIGURES

NUMBER = 20_000


def cohort(product: str, *, maintained: bool) -> list[Course]:
    random = Random(20261124)
    return [draw_course(random, product, maintained=maintained) for _ in range(NUMBER)]


@pytest.fixture(scope="module")
def nasal() -> list[Course]:
    return cohort(NASAL, maintained=True)


@pytest.fixture(scope="module")
def infusions() -> list[Course]:
    return cohort(INFUSION, maintained=False)


def share(courses: list[Course], *, of: object) -> float:
    return 100 * sum(bool(of(c)) for c in courses) / len(courses)  # type: ignore[operator]


def test_every_figure_names_its_source_and_grade() -> None:
    assert all(f.source and f.grade in ("A", "B") for f in FIGURES.values())


def test_nasal_response_and_remission(nasal: list[Course]) -> None:
    assert FIGURES["B19"].covers(share(nasal, of=lambda c: c.end * 2 <= c.baseline))
    assert FIGURES["B21"].covers(share(nasal, of=lambda c: c.end < 5))


def test_infusion_response_remission_and_worsening(infusions: list[Course]) -> None:
    assert FIGURES["B34"].covers(share(infusions, of=lambda c: c.end * 2 <= c.baseline))
    assert FIGURES["B35"].covers(share(infusions, of=lambda c: c.end < 5))
    assert FIGURES["B36"].covers(share(infusions, of=lambda c: c.end > c.baseline))


def test_infusion_effect_size(infusions: list[Course]) -> None:
    before, after = [c.baseline for c in infusions], [c.end for c in infusions]
    pooled = ((statistics.pvariance(before) + statistics.pvariance(after)) / 2) ** 0.5
    assert FIGURES["B38"].covers((statistics.fmean(before) - statistics.fmean(after)) / pooled)


def test_relapse_without_further_sessions(infusions: list[Course]) -> None:
    days = [c.relapse_day for c in infusions if c.relapse_day is not None]
    assert FIGURES["B54"].covers(statistics.median(days))


def test_relapse_under_maintenance_against_none(nasal: list[Course]) -> None:
    days = [c.relapse_day for c in nasal if c.relapse_day is not None]
    hazard = len(days) / sum(days)
    untreated = 0.6931 / FIGURES["B59"].value
    assert FIGURES["B57"].covers(hazard / untreated)


def test_adverse_events_by_person(nasal: list[Course]) -> None:
    assert FIGURES["B75"].covers(share(nasal, of=lambda c: c.dissociates))
    assert FIGURES["B76"].covers(share(nasal, of=lambda c: c.sedates))


def test_whoever_dissociates_does_so_in_the_first_session(nasal: list[Course]) -> None:
    random = Random(1)
    assert all((draw_reaction(random, c, 1).dissociation > 0) == c.dissociates for c in nasal[:500])


def test_blood_pressure_after_esketamine(nasal: list[Course]) -> None:
    random = Random(2)
    rises = []
    for course in nasal:
        reaction = draw_reaction(random, course, 1)
        readings = [pressure_at(course, reaction, minute) for minute in range(0, 121, 5)]
        rises.append((max(s for s, _ in readings) - course.systolic, max(d for _, d in readings) - course.diastolic))
        assert readings[-1] == pressure_at(course, reaction, 0)
    figure = FIGURES["B74"]
    assert figure.covers(statistics.fmean(s for s, _ in rises))
    assert figure.second is not None and abs(statistics.fmean(d for _, d in rises) - figure.second) <= 1.0


def test_blood_pressure_during_an_infusion(infusions: list[Course]) -> None:
    random = Random(3)
    at_peak = [pressure_at(c, draw_reaction(random, c, 1), 40)[0] - c.systolic for c in infusions]
    assert FIGURES["B72"].covers(statistics.fmean(at_peak))


def test_scores_begin_at_the_baseline_and_end_where_they_were_drawn(nasal: list[Course]) -> None:
    random = Random(4)
    for course in nasal[:300]:
        assert score_on(course, random, days=0, induction_days=28) == course.baseline
        if course.relapse_day is None or course.relapse_day > 1:
            assert abs(score_on(course, random, days=28, induction_days=28) - course.end) <= 4


@pytest.mark.parametrize("total", range(28))
def test_items_add_up(total: int) -> None:
    answers = items_of(Random(total), total)
    assert sum(answers) == total and len(answers) == 9 and all(0 <= a <= 3 for a in answers)


def test_the_same_seed_draws_the_same_course() -> None:
    assert draw_course(Random(7), NASAL, maintained=True) == draw_course(Random(7), NASAL, maintained=True)


def test_outcomes_are_told_apart() -> None:
    assert [o for o in Outcome if o.responded] == [Outcome.REMISSION, Outcome.RESPONSE]
