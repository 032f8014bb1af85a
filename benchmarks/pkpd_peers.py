"""What the workloads of pharmacokinetics are raced against: general solvers, and peers compiled for many patients.

Those of the extra ``bench`` stand here only where they are installed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks.pkpd_walk import Walk, lay
from ketacore.pkpd import Individuals, Regimen
from ketacore.pkpd.simulate import courses
from tests.support.solvers import Advance, solved, solvers

RTOL, ATOL, LIMITS = 1e-8, 1e-10, "rtol 1e-8"
SAMPLE = 12
COMPILED, BATCH = 1_000, 200
"""Patients of a compiled peer: enough that what one call costs counts little. A batch waits for its slowest one."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who else answers: ``solve`` returns the first analyte (n, T), asked for ``patients`` at a time."""

    name: str
    patients: int
    solve: Callable[[Regimen, Individuals, np.ndarray], np.ndarray]


def peers() -> list[Peer]:
    """Return the peers that are there."""
    found = [
        Peer(f"{name}, {LIMITS}", SAMPLE, partial(_one_by_one, advance))
        for name, advance in solvers(RTOL, ATOL).items()
    ]
    if find_spec("numba"):
        from benchmarks.pkpd_numba import by_numba

        found.append(Peer("numba, matrix exponentials", COMPILED, partial(_together, by_numba)))
    if find_spec("jax") and find_spec("diffrax"):
        from benchmarks.pkpd_jax import by_diffrax

        ran = partial(by_diffrax, rtol=RTOL, atol=ATOL)
        found.append(Peer(f"jax, diffrax Tsit5, {LIMITS}", BATCH, partial(_together, ran)))
    return found


def _one_by_one(advance: Advance, regimen: Regimen, people: Individuals, times: np.ndarray) -> np.ndarray:
    (course,) = courses(regimen, people, 1.0)
    own = np.broadcast_to(times, (people.size, times.shape[-1]))
    return np.array([solved(course.system, course.inputs, own[n], n, advance)[0] for n in range(people.size)])


def _together(
    read: Callable[[Walk], np.ndarray], regimen: Regimen, people: Individuals, times: np.ndarray
) -> np.ndarray:
    walk = lay(regimen, people, times)
    return np.take_along_axis(read(walk), walk.places, axis=1)
