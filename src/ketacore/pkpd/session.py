"""When an effect is looked at besides the moments asked for: close after each dose, wider until five days later."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketacore.pkpd.regimen import LONGEST_MIN, Regimen
from ketacore.pkpd.system import Array

AFTER_MIN = (
    0, 5, 10, 15, 20, 25, 30, 35, 40, 42, 44, 46, 48, 50, 55, 60, 70, 80, 90, 105, 120, 150, 180, 240, 300, 360, 480,
    720, 1080, 1440, 2160, 2880, 4320, 7200,
)  # fmt: skip
JUST_BEFORE_MIN = 0.01
"""A moment before a dose, so that what is straight between moments does not anticipate it."""
AFTER_END_MIN = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20)


def session_times(regimen: Regimen, times: Array) -> tuple[Array, Array]:
    """Return all moments (U,) in order, and where ``times`` (T,) lie among them."""
    starts = np.array([start for dose in regimen.doses for start, _ in dose.portions()])
    ends = np.array([dose.start_min + dose.duration_min for dose in regimen.doses if dose.duration_min])
    before = np.maximum(starts - JUST_BEFORE_MIN, 0.0)
    own: list[Any] = [before, np.add.outer(starts, AFTER_MIN).ravel(), np.add.outer(ends, AFTER_END_MIN).ravel()]
    every = np.unique(np.concatenate([times, *own]))
    every = every[every <= LONGEST_MIN]
    return every, np.searchsorted(every, times)
