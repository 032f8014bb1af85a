"""libroadrunner as a solver: the rates of a linear system as an SBML model, compiled once a size, solved by CVODE."""

from __future__ import annotations

from typing import Any

import numpy as np


class Roadrunner:
    """libroadrunner's CVODE (BDF)."""

    def __init__(self, rtol: float, atol: float) -> None:
        self._limits = rtol, atol
        self._models: dict[int, Any] = {}
        self._rates: dict[int, np.ndarray] = {}

    def __call__(self, rates: np.ndarray, flow: np.ndarray, state: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Return the states at the times ``at``."""
        size = len(state)
        if size not in self._models:
            self._models[size], self._rates[size] = self._compiled(size), np.zeros_like(rates)
        model = self._models[size]
        for i, j in np.argwhere(rates != self._rates[size]).tolist():
            model[f"k{i}_{j}"] = float(rates[i, j])
        self._rates[size] = rates.copy()
        for i in range(size):
            model[f"x{i}"], model[f"u{i}"] = float(state[i]), float(flow[i])
        return np.asarray(model.simulate(times=(at - at[0]).tolist())).T

    def _compiled(self, size: int) -> Any:
        from roadrunner import RoadRunner

        model = RoadRunner(_sbml(size))
        model.timeCourseSelections = [f"x{i}" for i in range(size)]
        model.integrator.relative_tolerance, model.integrator.absolute_tolerance = self._limits
        return model


def _sbml(size: int) -> str:
    states = range(size)
    species = "".join(
        f'<species id="x{i}" compartment="body" initialAmount="0" hasOnlySubstanceUnits="true" '
        'boundaryCondition="true" constant="false"/>'
        for i in states
    )
    names = [f"u{i}" for i in states] + [f"k{i}_{j}" for i in states for j in states]
    parameters = "".join(f'<parameter id="{name}" value="0" constant="true"/>' for name in names)
    rules = "".join(_rule(i, size) for i in states)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m">'
        '<listOfCompartments><compartment id="body" size="1" spatialDimensions="3" constant="true"/>'
        "</listOfCompartments>"
        f"<listOfSpecies>{species}</listOfSpecies><listOfParameters>{parameters}</listOfParameters>"
        f"<listOfRules>{rules}</listOfRules></model></sbml>"
    )


def _rule(i: int, size: int) -> str:
    terms = "".join(f"<apply><times/><ci>k{i}_{j}</ci><ci>x{j}</ci></apply>" for j in range(size))
    return (
        f'<rateRule variable="x{i}"><math xmlns="http://www.w3.org/1998/Math/MathML">'
        f"<apply><plus/><ci>u{i}</ci>{terms}</apply></math></rateRule>"
    )
