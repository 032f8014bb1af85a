"""The effect site follows the blood with a delay: the recursion and the extra compartment agree with a solver."""

from __future__ import annotations

import itertools
from math import log
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ketacore.pkpd import MODELS, ImpossibleInput, NotAnswered, Regimen, delayed, simulate
from ketacore.pkpd.effect_site import HALF_LIVES_MIN, with_effect_sites
from ketacore.pkpd.levels import PLASMA, levels
from ketacore.pkpd.system import LinearSystem
from tests.core.pkpd.people import ADULT, FILM_50, INFUSION, NASAL_84, S_INFUSION, YOUNG, one

TIMES = np.array([0.0, 1, 3, 7, 20, 33, 60, 120])
THREE = Regimen((*INFUSION.doses, *one("esketamine", "iv", 20, start_min=60, duration_min=20).doses))
CURVE = np.array([0.0, 50, 120, 90, 70, 75, 20, 0])


def solved(times: np.ndarray, curve: Any, half_life: float) -> np.ndarray:
    rate = log(2) / half_life
    pieces, now = [0.0], 0.0
    for start, end in itertools.pairwise(times):
        run = solve_ivp(lambda t, y: rate * (curve(t) - y), (start, end), [now], rtol=1e-11, atol=1e-12)
        now = float(run.y[0, -1])
        pieces.append(now)
    return np.array(pieces)


@pytest.mark.parametrize("half_life", [0.5, 6.1, 11.8, 1440])
def test_the_recursion_agrees_with_a_solver(half_life: float) -> None:
    expected = solved(TIMES, lambda t: np.interp(t, TIMES, CURVE), half_life)
    np.testing.assert_allclose(delayed(TIMES, CURVE, half_life), expected, rtol=1e-8, atol=1e-9)


def test_the_recursion_takes_many_curves_and_no_delay() -> None:
    many = delayed(TIMES, np.stack([CURVE, 2 * CURVE]))
    np.testing.assert_allclose(many[1], 2 * many[0])
    assert np.array_equal(delayed(TIMES, CURVE, 0), CURVE)
    assert delayed(TIMES, CURVE).max() < CURVE.max()


@pytest.mark.parametrize(
    ("times", "curve", "half_life"),
    [
        (TIMES, CURVE[:-1], 6.1),
        (np.stack([TIMES, TIMES]), np.stack([CURVE, CURVE]), 6.1),
        (TIMES, -CURVE, 6.1),
        (TIMES, CURVE * np.nan, 6.1),
        (TIMES, "much", 6.1),
        (TIMES[::-1], CURVE, 6.1),
        (TIMES, CURVE, -1),
        (TIMES, CURVE, float("nan")),
    ],
)
def test_the_impossible_is_refused(times: Any, curve: Any, half_life: float) -> None:
    with pytest.raises(ImpossibleInput):
        delayed(times, curve, half_life)


@pytest.mark.parametrize("half_life", [6.1, 11.8])
def test_the_extra_compartment_agrees_with_a_solver(half_life: float) -> None:
    system = LinearSystem(np.array([[[-0.05]]]), np.array([[[4.0]]]))
    more = with_effect_sites(system, [half_life, 0.0])
    assert more.rates.shape == (2, 2, 1)
    run = solve_ivp(
        lambda t, y: more.rates[..., 0] @ y, (0, 60), [10.0, 0.0], rtol=1e-11, atol=1e-12, t_eval=[5, 30, 60]
    )
    rate = log(2) / half_life
    exact = 40 * rate / (rate - 0.05) * (np.exp(-0.05 * run.t) - np.exp(-rate * run.t))
    np.testing.assert_allclose((more.readout[..., 0] @ run.y)[0], exact, rtol=1e-7)
    np.testing.assert_allclose((more.readout[..., 0] @ run.y)[1], 40 * np.exp(-0.05 * run.t), rtol=1e-7)


@pytest.mark.parametrize("regimen", [INFUSION, S_INFUSION, NASAL_84])
def test_levels_are_those_of_the_models(regimen: Any) -> None:
    times = np.arange(0, 90, 0.1)
    for level in levels(regimen, YOUNG, times):
        plain = simulate(level.model, regimen, YOUNG, times, s_over_r=level.s_over_r).concentrations_ng_per_ml
        if level.enantiomers:
            np.testing.assert_allclose(level.s[PLASMA], plain["S-ketamine"][0], rtol=1e-9, atol=1e-9)
            r = plain.get("R-ketamine", np.zeros((1, times.size)))
            np.testing.assert_allclose(level.r[PLASMA], r[0], rtol=1e-9, atol=1e-9)
        else:
            np.testing.assert_allclose(level.s[PLASMA] + level.r[PLASMA], plain["ketamine"][0], rtol=1e-9, atol=1e-9)
        for place, half_life in enumerate(HALF_LIVES_MIN):
            np.testing.assert_allclose(level.s[place], delayed(times, level.s[PLASMA], half_life), rtol=2e-3, atol=0.05)


@pytest.mark.parametrize("regimen", [INFUSION, S_INFUSION, NASAL_84, FILM_50, one("ketamine", "iv", 35), THREE])
def test_adding_inputs_up_agrees_with_walking_through_them(regimen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    times = np.unique([0.0, 0.5, 20, 40, 40.5, 60, 61, 75, 300, 4000])
    found = levels(regimen, YOUNG, times)
    monkeypatch.setattr("ketacore.pkpd.levels.FEW_INPUTS", 0)
    for one_, other in zip(found, levels(regimen, YOUNG, times), strict=True):
        np.testing.assert_allclose(one_.s, other.s, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(one_.r, other.r, rtol=1e-9, atol=1e-9)


def test_a_system_without_sound_modes_is_walked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = levels(S_INFUSION, YOUNG, [10.0, 50])
    monkeypatch.setattr("ketacore.pkpd.levels.modes", lambda *_: None)
    for one_, other in zip(levels(S_INFUSION, YOUNG, [10.0, 50]), expected, strict=True):
        np.testing.assert_allclose(one_.s, other.s, rtol=1e-9)


def test_levels_refuse_what_the_models_refuse() -> None:
    with pytest.raises(NotAnswered):
        levels(one("ketamine", "im", 35), ADULT, [1.0])
    with pytest.raises(ImpossibleInput, match="several people"):
        levels(INFUSION, ADULT, [[1.0], [2.0]])
    assert {level.model.model_id for level in levels(INFUSION, ADULT, [1.0], scenario={"cyp2b6": "inhibited"})} == {
        "perez-ruixo-2021"
    }
    assert MODELS["perez-ruixo-2021"].enabled
