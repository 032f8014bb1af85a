"""Every model on every drug and route it has: engines that share no code with ours see the same concentrations."""

from __future__ import annotations

import platform

import numpy as np
import pytest

from ketacore.pkpd import MODELS, DoseEvent, Drug, Model, Regimen, Route, simulate, typical
from ketacore.pkpd.simulate import S_OVER_R, courses
from tests.core.pkpd.people import YOUNG
from tests.support.solvers import Advance, solved, solvers

ENGINES = solvers(1e-10, 1e-12)
ASKED = [
    pytest.param(model, drug, route, id=f"{model.model_id}, {drug} {route}")
    for model in MODELS.values()
    if model.enabled
    for drug in sorted(model.drugs)
    for route in model.routes
]
TIMES = np.array([0.0, 1, 7.5, 20, 33, 60, 61, 179, 180, 185, 240, 720, 1440, 1450, 1465, 1500, 2880, 7 * 1440])
AGREE = 1e-7
"""Relative to the highest concentration; the engines work to 1e-10 a step."""


def regimen_of(drug: Drug, route: Route) -> Regimen:
    """Return an infusion that changes its rate, a bolus and a later infusion, or the same dose three times."""
    if route is not Route.IV:
        return Regimen(tuple(DoseEvent(drug, route, 56, start_min=start) for start in (0, 180, 1440)))
    stretches = ((10, 0, 20), (5, 20, 40), (20, 180, 0), (35, 1440, 40))
    return Regimen(tuple(DoseEvent(drug, route, mg, start_min=at, duration_min=last) for mg, at, last in stretches))


def by(engine: Advance, model: Model, regimen: Regimen) -> dict[str, np.ndarray]:
    """Return each analyte (T,) of each enantiomer as another engine solves it."""
    return {
        analyte: curve
        for course in courses(regimen, typical(model, YOUNG), S_OVER_R)
        for analyte, curve in zip(
            course.analytes, solved(course.system, course.inputs, TIMES, advance=engine), strict=True
        )
    }


def test_two_houses_judge_wherever_both_can_be_had() -> None:
    both = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    assert set(ENGINES) >= {"SciPy LSODA", *(["libroadrunner CVODE"] if both else [])}


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize(("model", "drug", "route"), ASKED)
def test_another_engine_agrees(engine: Advance, model: Model, drug: Drug, route: Route) -> None:
    regimen = regimen_of(drug, route)
    ours = simulate(model, regimen, YOUNG, TIMES).concentrations_ng_per_ml
    theirs = by(engine, model, regimen)
    assert theirs
    for analyte, curve in theirs.items():
        assert np.max(curve) > 0
        assert np.max(np.abs(ours[analyte][0] - curve)) <= AGREE * np.max(curve), analyte
