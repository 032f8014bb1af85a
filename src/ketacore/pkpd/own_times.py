"""Output times of each patient's own, where the moments of the regimen are shared: read where they lie, not walked to.

Behind a moment the state is known and the input constant: an output is the sum of ``exp(rate · t) · (c + t · d)`` and a
constant, t since that moment. A steady inflow r of a mode puts ``r / rate`` into c and takes it off the constant; where
a rate is so small that this would cancel, ``can_read`` says no.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ketacore.pkpd.grid import Grid
from ketacore.pkpd.modes import Modes
from ketacore.pkpd.states import Sums, floor_of, to_ten_digits
from ketacore.pkpd.system import Array, real

FEW_MOMENTS = 48
"""Up to here each time is compared with every moment; with more it is searched for."""
AT_ONCE = 65_536
"""Times worked on at once: some arrays of so many numbers fit the processor's cache."""
SLOWEST = 1e-3
"""The least that may fade during an inflow, rate times duration, lest two large numbers cancel."""


def can_read(found: Modes, given: Grid, xp: Any) -> bool:
    """Return whether every mode fades enough during every inflow for its constant to be exact to rounding."""
    lasting = [float(np.real(given.steps[moment, 0])) for moment in given.inflow]
    if not lasting:
        return True
    return float(xp.min(xp.abs(real(found.rates, xp)))) * min(lasting) >= SLOWEST


def read_at(times: Array, given: Grid, state: Sums, out: Array, xp: Any) -> None:
    """Write the outputs at ``times`` (n, T) into ``out`` (O, T, n); ``given`` holds the moments of the inputs."""
    found = state.modes
    behind = _Behind(given, state, out.shape, xp)
    patients = out.shape[-1]
    width = max(1, AT_ONCE // times.shape[1])
    for low in range(0, patients, width):
        some = slice(low, min(low + width, patients))
        _read(times[some].T, given.at[:, 0], found, behind, some, out, xp)


class _Behind:
    """What stands behind each of the G moments, and before the first: c and d of each mode, constants of outputs."""

    def __init__(self, given: Grid, state: Sums, shape: tuple[int, ...], xp: Any) -> None:
        found, (outputs, _, patients) = state.modes, shape
        moments = given.steps.shape[0] + 1
        self.parts = xp.zeros((found.rates.shape[0], moments, patients), dtype=state.now.dtype)
        self.constants = xp.zeros((outputs, moments, patients), dtype=state.now.dtype)
        self.steady = bool(given.inflow)
        for moment, dt in enumerate(to_ten_digits(given.steps[:, 0]).tolist()):
            if dt:
                state.move(dt, given.inflow.get(moment))
            if moment in given.jumps:
                state.enter(given.jumps[moment])
            self.parts[:, moment + 1, :] = state.now
            if moment + 1 in given.inflow:
                self._flows(found, moment + 1, state.weighted(given.inflow[moment + 1]), xp)

    def _flows(self, found: Modes, place: int, entering: Array, xp: Any) -> None:
        """Add a steady inflow behind the moment at ``place``."""
        level = entering / found.rates
        constant = -level
        for mode, slope in found.slopes:
            curve = level[slope, ...] / found.rates[slope, ...]
            level[mode, ...] -= curve
            constant[mode, ...] += curve
        self.parts[:, place, :] += level
        for output, (low, high) in enumerate(found.parts):
            self.constants[output, place, :] = xp.sum(constant[low:high, ...], axis=0)


def _read(wanted: Array, moments: Array, found: Modes, behind: _Behind, some: slice, out: Array, xp: Any) -> None:
    """Write the outputs at ``wanted`` (T, n) of some patients."""
    place = _places(wanted, moments)
    since = xp.asarray(wanted - np.concatenate([np.zeros(1), moments])[place])
    width = place.shape[1]
    flat = xp.asarray((place * width + np.arange(width)).ravel())

    def there(values: Array) -> Array:
        chosen = values[:, some] if values.shape[1] > 1 else values
        return xp.reshape(xp.take(xp.reshape(chosen, (-1,)), flat), place.shape)

    fading: dict[int, Array] = {}
    floor = floor_of(out.dtype, xp)
    for output, (low, high) in enumerate(found.parts):
        total = there(behind.constants[output, ...]) if behind.steady else 0.0
        for mode in range(low, high):
            rates = found.rates[mode, ...]
            if found.same[mode] not in fading:
                fading[found.same[mode]] = xp.exp((rates[some] if rates.shape[0] > 1 else rates) * since)
            part = there(behind.parts[mode, ...])
            for slope in [slope for of, slope in found.slopes if of == mode]:
                part = part + since * there(behind.parts[slope, ...])
            total = total + fading[found.same[mode]] * part
        out[output, :, some] = total if floor is None else xp.maximum(total, floor)


def _places(wanted: Array, moments: Array) -> Array:
    """Return how many ``moments`` lie at or before each time (T, n)."""
    if moments.size > FEW_MOMENTS:
        return np.reshape(np.searchsorted(moments, wanted.ravel(), side="right"), wanted.shape)
    passed = np.zeros(wanted.shape, dtype=np.intp)
    for moment in moments.tolist():
        passed += wanted >= moment
    return passed
