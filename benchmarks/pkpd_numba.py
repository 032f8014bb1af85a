"""A propagator compiled by numba: one patient after another, a matrix exponential wherever step or inflow changes."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.pkpd_walk import Walk

TERMS = 14
"""Of the Taylor series, whose rest is below double precision at a norm of one half."""


def by_numba(walk: Walk) -> np.ndarray:
    """Return what is read at every moment, (n, M)."""
    return _all(walk.rates, walk.gaps, walk.jumps, walk.turns, walk.readout)


@njit
def _all(rates: np.ndarray, gaps: np.ndarray, jumps: np.ndarray, turns: np.ndarray, readout: np.ndarray) -> np.ndarray:
    n, moments, size = jumps.shape
    seen = np.empty((n, moments))
    for patient in range(n):
        whole = np.zeros((size + 1, size + 1))  # the inflow as one more state that stays 1
        whole[:size, :size] = rates[patient]
        state, moved, kept = np.zeros(size + 1), whole, 0.0
        state[size] = 1.0
        for moment in range(moments):
            gap = gaps[patient, moment]
            if gap > 0:
                if gap != kept:
                    moved, kept = _expm(whole * gap), gap
                state = moved @ state
            state[:size] += jumps[patient, moment]
            if np.any(turns[patient, moment] != 0):
                whole[:size, size] += turns[patient, moment]
                kept = 0.0
            seen[patient, moment] = np.dot(readout[patient], state[:size])
    return seen


@njit
def _expm(a: np.ndarray) -> np.ndarray:
    """Return the exponential by scaling and squaring."""
    norm = np.max(np.sum(np.abs(a), axis=0))
    squarings = max(0, int(np.ceil(np.log2(norm))) + 1) if norm > 0 else 0
    scaled, one = a * 0.5**squarings, np.eye(len(a))
    found = one
    for k in range(TERMS, 0, -1):
        found = one + scaled @ found / k
    for _ in range(squarings):
        found = found @ found
    return found
