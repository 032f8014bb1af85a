"""The most probable parameters: the same as SciPy's minimiser finds, with exact gradients and honest uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from ketacore.evidence import Refusal
from ketacore.pkpd import (
    MODELS,
    DoseEvent,
    ImpossibleInput,
    Matrix,
    MatrixMismatch,
    Model,
    NotAnswered,
    Person,
    Regimen,
    Samples,
    fit,
    population,
    simulate,
    typical,
)
from ketacore.pkpd.fit import _problem
from tests.core.pkpd.people import ADULT, FILM_50, INFUSION, NASAL_84, S_INFUSION, YOUNG

OTTO, PEREZ, SIMONS = MODELS["otto-2021"], MODELS["perez-ruixo-2021"], MODELS["simons-2022"]
TIMES = np.array([20.0, 45, 90, 240])
CASES = {"venous": (OTTO, S_INFUSION), "nasal": (PEREZ, NASAL_84), "film": (SIMONS, FILM_50)}


def measured(model: Model, regimen: Regimen, n: int, error: float = 0.15) -> Samples:
    """Return what n drawn people show, ketamine and norketamine by turns, with error."""
    rng = np.random.default_rng(5)
    found = simulate(model, regimen, population(model, n, rng, YOUNG), TIMES).concentrations_ng_per_ml
    truth = np.concatenate([found["S-ketamine"], found["S-norketamine"]], axis=1)
    noisy = truth * np.exp(error * rng.standard_normal(truth.shape))
    return Samples(np.tile(TIMES, 2), ("S-ketamine",) * 4 + ("S-norketamine",) * 4, noisy, model.matrix)


def one_of(samples: Samples, person: int) -> Samples:
    return Samples(samples.times_min, samples.analytes, samples.ng_per_ml[person : person + 1], samples.matrix)


@pytest.mark.parametrize("name", CASES)
def test_it_finds_what_scipy_finds(name: str) -> None:
    model, regimen = CASES[name]
    samples = measured(model, regimen, 3)
    samples.ng_per_ml[0, 2] = np.nan
    found = fit(model, regimen, [YOUNG] * 3, samples)
    assert np.all(found.converged)
    for person in range(1 if model is SIMONS else 2):  # fifteen effects: SciPy takes long
        problem = _problem(model, regimen, typical(model, YOUNG), one_of(samples, person), 1.165)
        judge = minimize(
            lambda at, of=problem: of.at(at[None])[0][0],
            np.zeros(len(found.names)),
            method="BFGS",
            options={"gtol": 1e-7},
        )
        np.testing.assert_allclose(found.effects[person], judge.x, atol=1e-4)
        assert found.objective[person] <= judge.fun + 1e-9


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_exact(name: str) -> None:
    model, regimen = CASES[name]
    problem = _problem(model, regimen, typical(model, YOUNG), one_of(measured(model, regimen, 1), 0), 1.165)
    at = 0.1 * np.random.default_rng(1).standard_normal(len(problem.names))
    steps = 1e-5 * np.eye(at.size)
    numeric = [(problem.at((at + d)[None])[0][0] - problem.at((at - d)[None])[0][0]) / 2e-5 for d in steps]
    np.testing.assert_allclose(problem.at(at[None])[1][0], numeric, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["nasal", "film"])
def test_whoever_arrives_slowly_arrives(name: str) -> None:
    model, regimen = CASES[name]
    samples = measured(model, regimen, 40, error=0.25)
    assert np.all(fit(model, regimen, YOUNG, samples).converged)


@pytest.mark.parametrize(
    ("analytes", "rows", "because"),
    [
        (("S-ketamine", "ketamine"), 1, "give no ketamine"),
        (("S-ketamine", "R-ketamine"), 1, "give no R-ketamine"),
        (("S-ketamine", "S-ketamine"), 3, "3 people, and there are 2"),
    ],
)
def test_samples_that_do_not_belong_to_the_doses_or_people(analytes: tuple[str, ...], rows: int, because: str) -> None:
    samples = Samples(np.array([30.0, 60.0]), analytes, np.full((rows, 2), 50.0), Matrix.VENOUS)
    with pytest.raises(Refusal, match=because):
        fit(OTTO, S_INFUSION, [YOUNG, YOUNG], samples)


def test_a_sample_before_its_own_dose_and_what_is_no_samples() -> None:
    both = Regimen((*S_INFUSION.doses, DoseEvent("ketamine", "iv", 20, start_min=100)))  # type: ignore[arg-type]
    early = Samples(np.array([50.0]), ("R-ketamine",), np.array([[20.0]]), Matrix.VENOUS)
    with pytest.raises(ImpossibleInput, match="before any of it was given"):
        fit(OTTO, both, YOUNG, early)
    nothing = Samples(np.array([50.0]), ("R-ketamine",), np.array([[np.nan]]), Matrix.VENOUS)
    assert np.all(fit(OTTO, both, YOUNG, nothing).effects == 0)
    with pytest.raises(ImpossibleInput, match="not Samples"):
        fit(OTTO, S_INFUSION, YOUNG, None)  # type: ignore[arg-type]


def test_one_occasion_adds_its_variance_to_that_between_people() -> None:
    nothing = Samples(TIMES, ("S-ketamine",) * 4, np.full((1, 4), np.nan), Matrix.ARTERIAL)
    found = fit(SIMONS, FILM_50, YOUNG, nothing)
    prior = dict(zip(found.names, np.diag(found.covariance[0]), strict=True))
    assert prior["MTT_K_NK"] == pytest.approx(0.021 + 0.751) and prior["F1"] == pytest.approx(0.06)
    assert prior["VK1"] == pytest.approx(0.057)
    again = Regimen((*FILM_50.doses, DoseEvent("esketamine", "film", 50, start_min=1440)))  # type: ignore[arg-type]
    with pytest.raises(NotAnswered, match="several"):
        fit(SIMONS, again, YOUNG, nothing)


def test_many_samples_find_the_person() -> None:
    times = np.arange(5.0, 600, 5)
    people = population(OTTO, 4, np.random.default_rng(3), YOUNG)
    truth = simulate(OTTO, S_INFUSION, people, times).concentrations_ng_per_ml["S-ketamine"]
    truth = truth * (1 + 0.236 * np.random.default_rng(4).standard_normal(truth.shape))
    found = fit(OTTO, S_INFUSION, YOUNG, Samples(times, ("S-ketamine",) * times.size, truth, Matrix.VENOUS))
    np.testing.assert_allclose(found.individuals.parameters["CL"], people.parameters["CL"], rtol=0.08)


def test_without_samples_the_prior_stays() -> None:
    nothing = Samples(TIMES, ("S-ketamine",) * 4, np.full((2, 4), np.nan), Matrix.VENOUS)
    found = fit(OTTO, S_INFUSION, YOUNG, nothing)
    assert np.all(found.effects == 0)
    np.testing.assert_allclose(found.covariance[1], OTTO.omega, atol=1e-12)


def test_each_sample_narrows_the_uncertainty() -> None:
    samples = measured(OTTO, S_INFUSION, 1)
    fewer = samples.ng_per_ml.copy()
    fewer[:, 1:] = np.nan
    widths = [
        np.trace(
            fit(OTTO, S_INFUSION, YOUNG, Samples(samples.times_min, samples.analytes, y, Matrix.VENOUS)).covariance[0]
        )
        for y in (fewer, samples.ng_per_ml)
    ]
    assert widths[1] < widths[0] < np.trace(OTTO.omega)


def test_two_people_with_their_own_weights_and_a_racemate() -> None:
    people = [YOUNG, Person(30, 110)]
    total = Samples(TIMES, ("ketamine",) * 4, np.array([[90.0, 70, 40, 15], [60, 45, 30, 12]]), Matrix.VENOUS)
    found = fit(OTTO, INFUSION, people, total)
    assert found.effects.shape == (2, 4)
    assert found.individuals.size == 2


@pytest.mark.parametrize(
    ("model", "given", "refusal"),
    [
        (OTTO, {"matrix": Matrix.ARTERIAL}, MatrixMismatch),
        (OTTO, {"analytes": ("S-hydroxynorketamine",)}, NotAnswered),
        (MODELS["indand21-recalibrated"], {"matrix": Matrix.ARTERIAL}, NotAnswered),
        (OTTO, {"analytes": ("S-ketamine", "S-ketamine")}, ImpossibleInput),
        (OTTO, {"ng_per_ml": [[-1.0]]}, ImpossibleInput),
        (OTTO, {"ng_per_ml": [[float("inf")]]}, ImpossibleInput),
        (OTTO, {"ng_per_ml": [["high"]]}, ImpossibleInput),
        (OTTO, {"times_min": [-5.0]}, ImpossibleInput),
        (OTTO, {"times_min": [0.0]}, ImpossibleInput),
        (PEREZ, {"matrix": Matrix.ARTERIAL}, MatrixMismatch),
        (OTTO, {"times_min": [float("nan")]}, ImpossibleInput),
    ],
)
def test_what_cannot_be_fitted_is_refused(model: Model, given: dict[str, Any], refusal: type[Exception]) -> None:
    sample = {"times_min": [60.0], "analytes": ("S-ketamine",), "ng_per_ml": [[50.0]], "matrix": Matrix.VENOUS}
    with pytest.raises(refusal):
        fit(model, S_INFUSION, ADULT, Samples(**{**sample, **given}))
