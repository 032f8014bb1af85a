"""Independent solvers: they judge the engine in the tests and stand beside it in the benchmarks.

A solver is only asked to move a state over a stretch of constant input; where the input changes it starts anew, as no
step control sees a jump coming.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

from ketacore.pkpd.grid import Input
from ketacore.pkpd.system import LinearSystem
from tests.support.sbml import Roadrunner

Advance = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(rates, inflow, state, times from now on) to the states at these times, (S, T)."""


@dataclass(frozen=True, slots=True)
class Scipy:
    """SciPy's LSODA with the exact Jacobian."""

    rtol: float
    atol: float

    def __call__(self, rates: np.ndarray, flow: np.ndarray, state: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Return the states at the times ``at``."""
        span, limits = (at[0], at[-1]), {"rtol": self.rtol, "atol": self.atol}
        return solve_ivp(lambda _t, x: rates @ x + flow, span, state, "LSODA", at, jac=lambda _t, _x: rates, **limits).y


TIGHT = Scipy(1e-12, 1e-13)
"""The judge where nothing else is asked for."""


def solvers(rtol: float, atol: float) -> dict[str, Advance]:
    """Return the solvers there are, by name; libroadrunner is built for fewer kinds of machine than Python."""
    found: dict[str, Advance] = {"SciPy LSODA": Scipy(rtol, atol)}
    if find_spec("roadrunner"):
        found["libroadrunner CVODE"] = Roadrunner(rtol, atol)
    return found


def solved(
    of: LinearSystem, inputs: Sequence[Input], times: np.ndarray, patient: int = 0, advance: Advance = TIGHT
) -> np.ndarray:
    """Return (O, T) of one patient at ``times`` in min; an output at the moment of a bolus sees it."""
    alone, inputs = of.picked(np.array([patient]), np), [_alone(i, patient) for i in inputs]
    rates, readout = alone.rates[..., 0], alone.readout[..., 0]
    ends = sorted({t for i in inputs for t in (i.start, i.start + i.duration)} | {times[0], times[-1]})
    state, seen = np.zeros(of.states), np.zeros((readout.shape[0], times.size))
    for low, high in pairwise([*ends, ends[-1]]):
        entering, flow = _given(inputs, low, high, of.states)
        inside = (times >= low) & (times <= high)
        at = np.unique([low, *times[inside], high])
        states = (state + entering)[:, None]
        states = advance(rates, flow, states[:, 0], at) if high > low else states
        seen[:, inside] = (readout @ states)[:, np.searchsorted(at, times[inside])]
        state = states[:, -1]
    return seen


def _alone(given: Input, patient: int) -> Input:
    """Return what enters one patient, in plain numbers."""
    its = given.of(patient)
    return Input(its.state, *(float(np.max(value)) for value in (its.amount, its.start, its.duration)))


def _given(inputs: Sequence[Input], low: float, high: float, states: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what enters each state at once at ``low``, in mg, and evenly from ``low`` to ``high``, in mg/min."""
    at_once, flow = np.zeros(states), np.zeros(states)
    for i in inputs:
        if not i.duration and i.start == low:
            at_once[i.state] += i.amount
        elif i.duration and i.start <= low and high <= i.start + i.duration:
            flow[i.state] += i.amount / i.duration
    return at_once, flow
