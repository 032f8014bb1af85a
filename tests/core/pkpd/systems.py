"""Systems to try the engine on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ketacore.pkpd.grid import Input
from ketacore.pkpd.system import LinearSystem


def system(
    states: int, flows: Sequence[tuple[int, int | None, float]], read: Sequence[int], n: int = 1
) -> LinearSystem:
    """Return a system of (from, to, rate in 1/min), reading the amounts of some states."""
    rates = np.zeros((states, states, n))
    for of, to, rate in flows:
        rates[of, of] -= rate
        if to is not None:
            rates[to, of] += rate
    readout = np.zeros((len(read), states, n))
    readout[range(len(read)), list(read)] = 1.0
    return LinearSystem(rates, readout)


MAMMILLARY = [(0, 1, 0.04), (1, 2, 0.2), (2, 1, 0.06), (1, 3, 0.1), (3, 1, 0.007), (1, 4, 0.12), (4, None, 0.03)]
CHAIN = [(0, 1, 0.1), (1, 2, 0.1), (2, 3, 0.1), (3, None, 0.1)]
TRANSIT = [
    (0, 1, 0.2), (1, 0, 0.06), (0, 2, 0.1),
    (2, 3, 0.3), (3, 4, 0.2), (3, None, 0.1),
    (4, 5, 0.15), (5, 4, 0.02), (4, 6, 0.05),
    (6, 7, 0.5), (7, None, 0.5),
]  # fmt: skip
"""Two transit chains of two, each behind compartments that exchange: 2, 3 (equal to rounding) and 6, 7."""
RING = [(0, 1, 0.1), (1, 2, 0.2), (2, 0, 0.3), (1, None, 0.05)]
STIFF = [(0, 1, 50.0), (1, 0, 20.0), (1, 2, 1e-4), (2, 1, 1e-5), (1, None, 2.0)]
DOSES = (Input(0, 50.0, 10.0), Input(1, 20.0, 30.0, 20.0), Input(1, 5.0, 100.0), Input(0, 7.0, 40.0, 7.5))
TIMES = np.array([0.0, 10, 15, 30, 35, 47.5, 60, 100, 200, 500])
