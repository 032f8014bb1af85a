"""Peaks, areas and half-lives against closed forms and fine sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ketacore.pkpd import MODELS, DoseEvent, ImpossibleInput, Regimen, exposure, population, simulate
from tests.core.pkpd.people import ADULT, INFUSION, NASAL_84, S_INFUSION, YOUNG, one

PEREZ, OTTO, SIMONS = MODELS["perez-ruixo-2021"], MODELS["otto-2021"], MODELS["simons-2022"]


def test_area_of_a_vein_is_dose_over_clearance() -> None:
    found = exposure(OTTO, S_INFUSION, YOUNG)["S-ketamine"]
    assert found.auc_infinity_ng_h_per_ml[0] == pytest.approx(20 / 95.2 * 1000, rel=1e-10)
    assert found.cmax_ng_per_ml[0] == pytest.approx(112, abs=0.5)
    assert found.tmax_min[0] == pytest.approx(20, abs=1e-9)


def test_areas_are_those_of_a_very_fine_sum() -> None:
    found = exposure(PEREZ, NASAL_84, ADULT, auc_min=(30, 600))
    times = np.linspace(30, 600, 5_701)
    curves = simulate(PEREZ, NASAL_84, ADULT, times).concentrations_ng_per_ml
    for name, curve in curves.items():
        assert found[name].auc_ng_h_per_ml[0] == pytest.approx(np.trapezoid(curve[0], times) / 60, rel=1e-6)


def test_the_highest_point_is_found_between_the_points_of_the_grid() -> None:
    people = population(PEREZ, 8, np.random.default_rng(2), ADULT)
    found = exposure(PEREZ, NASAL_84, people)
    times = np.arange(0, 400, 0.02)
    for name, curve in simulate(PEREZ, NASAL_84, people, times).concentrations_ng_per_ml.items():
        np.testing.assert_allclose(found[name].cmax_ng_per_ml, curve.max(axis=1), rtol=1e-7)
        np.testing.assert_allclose(found[name].tmax_min, times[curve.argmax(axis=1)], atol=0.05)


def test_a_bolus_peaks_when_it_is_given_and_not_outside_the_window() -> None:
    twice = Regimen(tuple(DoseEvent("esketamine", "iv", mg, start_min=t) for mg, t in ((5, 0), (9, 100.3))))  # type: ignore[arg-type]
    assert exposure(OTTO, twice, YOUNG)["S-ketamine"].tmax_min[0] == 100.3
    assert exposure(OTTO, twice, YOUNG, until_min=60)["S-ketamine"].tmax_min[0] == 0


def test_terminal_half_life_is_that_of_the_late_curve() -> None:
    for model, regimen in ((PEREZ, NASAL_84), (OTTO, S_INFUSION), (SIMONS, S_INFUSION)):
        found = exposure(model, regimen, YOUNG)
        late = 60 * found["S-ketamine"].half_life_h * [120, 121]
        for name, curve in simulate(model, regimen, YOUNG, late).concentrations_ng_per_ml.items():
            measured = (late[1] - late[0]) / 60 * np.log(2) / np.log(curve[0, 0] / curve[0, 1])
            assert found[name].half_life_h[0] == pytest.approx(measured, rel=1e-3)
    assert exposure(PEREZ, NASAL_84, ADULT)["S-ketamine"].half_life_h[0] == pytest.approx(11.0, abs=0.05)


def test_the_racemate_is_exposed_as_its_sum() -> None:
    found = exposure(OTTO, INFUSION, YOUNG)
    both = [found[name] for name in ("S-ketamine", "R-ketamine")]
    racemate = found["ketamine"]
    assert racemate.auc_ng_h_per_ml[0] == pytest.approx(sum(e.auc_ng_h_per_ml[0] for e in both))
    assert racemate.auc_infinity_ng_h_per_ml[0] == pytest.approx(17.5 * 1000 / 95.2 * 2.165)
    assert racemate.cmax_ng_per_ml[0] <= sum(e.cmax_ng_per_ml[0] for e in both) + 1e-9
    assert racemate.half_life_h[0] == max(e.half_life_h[0] for e in both)


def test_time_above_a_level() -> None:
    found = exposure(OTTO, S_INFUSION, YOUNG, until_min=120, above_ng_per_ml=50)["S-ketamine"]
    times = np.linspace(0, 120, 12_001)
    curve = simulate(OTTO, S_INFUSION, YOUNG, times).concentrations_ng_per_ml["S-ketamine"][0]
    assert found.fraction_above[0] == pytest.approx(np.mean(curve > 50), abs=3e-4)
    assert exposure(OTTO, S_INFUSION, YOUNG, above_ng_per_ml=1e6)["S-ketamine"].fraction_above[0] == 0
    assert np.isnan(exposure(OTTO, S_INFUSION, YOUNG)["S-ketamine"].fraction_above[0])


@pytest.mark.parametrize("days", [10, 100, 365])
def test_time_above_a_level_of_a_dose_that_is_repeated_does_not_grow_with_the_window(days: int) -> None:
    daily = Regimen(tuple(d for n in range(days) for d in one("esketamine", "iv", 35, start_min=n * 1440).doses))
    found = exposure(OTTO, daily, YOUNG, until_min=days * 1440, above_ng_per_ml=30)["S-ketamine"]
    times = np.arange(9 * 1440, 10 * 1440, 0.5)
    curve = simulate(OTTO, daily, YOUNG, times).concentrations_ng_per_ml["S-ketamine"][0]
    assert found.fraction_above[0] == pytest.approx(np.mean(curve > 30), rel=0.01)


def test_time_above_nothing_is_the_time_since_the_dose() -> None:
    later = one("esketamine", "iv", 20, start_min=360)
    assert exposure(OTTO, later, YOUNG, above_ng_per_ml=0)["S-ketamine"].fraction_above[0] == pytest.approx(
        0.75, abs=1e-3
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"until_min": 0},
        {"until_min": float("nan")},
        {"auc_min": (10, 10)},
        {"auc_min": (-1, 10)},
        {"above_ng_per_ml": -1},
    ],
)
def test_a_senseless_window_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleInput):
        exposure(OTTO, S_INFUSION, YOUNG, **wrong)


def test_a_dose_after_the_window_is_not_seen_in_it() -> None:
    later = one("esketamine", "iv", 20, start_min=2000)
    found = exposure(OTTO, later, YOUNG)["S-ketamine"]
    assert (found.cmax_ng_per_ml[0], found.auc_ng_h_per_ml[0]) == (0, 0)


@pytest.mark.parametrize("lasting", [0.01, 0.02, 0.3, 1])
def test_a_very_short_infusion_loses_nothing(lasting: float) -> None:
    found = exposure(OTTO, one("esketamine", "iv", 35, start_min=7.7, duration_min=lasting), YOUNG)["S-ketamine"]
    at_once = exposure(OTTO, one("esketamine", "iv", 35), YOUNG)["S-ketamine"]
    assert found.cmax_ng_per_ml[0] == pytest.approx(at_once.cmax_ng_per_ml[0], rel=0.03)
    assert found.auc_infinity_ng_h_per_ml[0] == pytest.approx(at_once.auc_infinity_ng_h_per_ml[0], rel=1e-9)
    assert found.auc_ng_h_per_ml[0] == pytest.approx(at_once.auc_ng_h_per_ml[0], rel=0.01)


def test_the_highest_of_four_weeks_is_not_missed_between_the_points_of_a_grid() -> None:
    films = Regimen((*one("esketamine", "film", 100).doses, *one("esketamine", "film", 50, start_min=8382.6).doses))
    weeks, day = (exposure(SIMONS, films, ADULT, until_min=until)["S-ketamine"] for until in (40_320, 1_440))
    assert weeks.cmax_ng_per_ml[0] == pytest.approx(day.cmax_ng_per_ml[0], rel=1e-6)
    assert weeks.tmax_min[0] == pytest.approx(day.tmax_min[0], abs=0.05)


def test_an_area_has_two_limits() -> None:
    with pytest.raises(ImpossibleInput, match="pair of limits"):
        exposure(PEREZ, NASAL_84, ADULT, auc_min=(0, 10, 20))  # type: ignore[arg-type]
