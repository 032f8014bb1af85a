"""What moves from moment to moment: sums of exponentials where a system has modes, matrices where it has not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any, Protocol, TypeVar

import numpy as np

from ketacore.pkpd.expm import expm
from ketacore.pkpd.grid import Amounts
from ketacore.pkpd.modes import Modes
from ketacore.pkpd.system import Array, LinearSystem, real

T = TypeVar("T")

_BITS = 34
_NEAR, _TERMS = 0.5, 14


class State(Protocol):
    """What is in the compartments of n patients, on its way from moment to moment."""

    def move(self, dt: Array | float, inflow: Amounts | None) -> None:
        """Let ``dt`` min pass, with what flows in meanwhile."""

    def enter(self, amounts: Amounts) -> None:
        """Let in what enters at once."""

    def read(self) -> list[Array]:
        """Return each output, (n,)."""


class Sums:
    """The state as sums of exponentials: (M, n) numbers, already scaled so that an output is their plain sum."""

    def __init__(self, found: Modes, of: tuple[int, Any], xp: Any) -> None:
        self.modes, self._xp = found, xp
        patients, kind = of
        self.now = xp.zeros((found.rates.shape[0], patients), dtype=kind)
        self._floors = [floor_of(kind, xp) if _may_cancel(found, part, xp) else None for part in found.parts]
        self._nothing = xp.zeros((patients,), dtype=kind)
        self._fades: dict[float, Array] = {}
        self._gains: dict[float, Array] = {}
        self._ramps: dict[float, list[Array]] = {}

    def move(self, dt: Array | float, inflow: Amounts | None) -> None:
        """Let ``dt`` min pass, with what flows in meanwhile."""
        self.now *= _keep(self._fades, dt, self._fade)
        for mode, slope in self.modes.slopes:
            self.now[mode, ...] += dt * self.now[slope, ...]
        if inflow is not None:
            entering = self.weighted(inflow)
            self.now += _keep(self._gains, dt, self._gain) * entering
            ramps = _keep(self._ramps, dt, self._slope_gains)
            for (mode, slope), ramp in zip(self.modes.slopes, ramps, strict=True):
                self.now[mode, ...] += ramp * entering[slope, ...]

    def enter(self, amounts: Amounts) -> None:
        """Let in what enters at once."""
        self.now += self.weighted(amounts)

    def read(self) -> list[Array]:
        """Return each output, (n,)."""
        xp, found = self._xp, []
        for (low, high), floor in zip(self.modes.parts, self._floors, strict=True):
            total = self.now[low, ...] if high > low else self._nothing
            for mode in range(low + 1, high):
                total = total + self.now[mode, ...]
            found.append(total if floor is None else xp.maximum(total, floor))
        return found

    def weighted(self, amounts: Amounts) -> Array:
        """Return what enters as weights of the modes, (M, n) or (M, 1)."""
        return sum(self.modes.weights[entry, ...] * self._xp.asarray(amount) for entry, amount in amounts.items())

    def _fade(self, dt: Array | float) -> Array:
        return self._xp.exp(self.modes.rates * dt)

    def _gain(self, dt: Array | float) -> Array:
        xp, rates = self._xp, self.modes.rates
        still = rates == 0
        return xp.where(still, dt, xp.expm1(rates * dt) / xp.where(still, 1.0, rates))

    def _slope_gains(self, dt: Array | float) -> list[Array]:
        """Return of each slope the integral of u · exp(rate · u) for u from 0 to ``dt``."""
        return [_ramp(self.modes.rates[slope, ...] * dt, self._xp) * dt**2 for _, slope in self.modes.slopes]


def _ramp(x: Array, xp: Any) -> Array:
    """Return (x · exp(x) - exp(x) + 1) / x², by its series where x is near 0 and the difference would cancel."""
    near = xp.abs(x) < _NEAR
    safe, small = xp.where(near, 1.0, x), xp.where(near, x, 0.0)
    series = small * 0
    for n in reversed(range(_TERMS)):
        series = series * small + (n + 1) / factorial(n + 2)
    return xp.where(near, series, (safe * xp.exp(safe) - xp.expm1(safe)) / safe**2)


class Matrices:
    """The state as it is, (n, S, 1) mg, moved by matrix exponentials."""

    def __init__(self, system: LinearSystem, entries: Sequence[int], of: tuple[int, Any], xp: Any) -> None:
        (patients, kind), size = of, system.states
        rates, self._readout = (xp.astype(xp.moveaxis(a, -1, 0), kind) for a in (system.rates, system.readout))
        self._into = xp.asarray([[float(state == entry) for entry in entries] for state in range(size)], dtype=kind)
        entering = xp.broadcast_to(self._into, (rates.shape[0], size, len(entries)))
        none = xp.zeros((rates.shape[0], len(entries), size + len(entries)), dtype=kind)
        self._whole = xp.concat([xp.concat([rates, entering], axis=2), none], axis=1)
        self._now = xp.zeros((patients, size, 1), dtype=kind)
        self._xp, self._entries, self._floor = xp, range(len(entries)), floor_of(kind, xp)
        self._kept: dict[float, Array] = {}

    def move(self, dt: Array | float, inflow: Amounts | None) -> None:
        """Let ``dt`` min pass, with what flows in meanwhile."""
        xp, size = self._xp, self._now.shape[1]
        moved = _keep(self._kept, dt, self._exponential)
        self._now = xp.matmul(moved[:, :size, :size], self._now)
        if inflow is not None:
            self._now = self._now + xp.matmul(moved[:, :size, size:], self._column(inflow))

    def enter(self, amounts: Amounts) -> None:
        """Let in what enters at once."""
        self._now = self._now + self._xp.matmul(self._into, self._column(amounts))

    def read(self) -> list[Array]:
        """Return each output, (n,)."""
        seen = self._xp.matmul(self._readout, self._now)[..., 0]
        rows = [seen[:, output] for output in range(seen.shape[1])]
        return rows if self._floor is None else [self._xp.maximum(row, self._floor) for row in rows]

    def _column(self, amounts: Amounts) -> Array:
        """Return what enters, (n, E, 1)."""
        xp = self._xp
        given = [xp.asarray(amounts.get(entry, np.zeros(1))) for entry in self._entries]
        return xp.astype(xp.stack(xp.broadcast_arrays(*given), axis=1)[..., None], self._now.dtype)

    def _exponential(self, dt: Array | float) -> Array:
        lasting = dt if isinstance(dt, float | complex) else dt[:, None, None]
        return expm(self._whole * lasting, self._xp)


def _keep(kept: dict[float, T], dt: Array | float, make: Callable[[Array | float], T]) -> T:
    """Return ``make(dt)``, made once for all equal steps of a shared grid."""
    if not isinstance(dt, float):
        return make(dt)
    if dt not in kept:
        kept[dt] = make(dt)
    return kept[dt]


def _may_cancel(found: Modes, part: tuple[int, int], xp: Any) -> bool:
    """Return whether an output has weights of both signs, so that rounding may put it below zero."""
    return bool(found.slopes) or bool(xp.any(real(found.weights[:, part[0] : part[1], ...], xp) < 0))


def floor_of(kind: Any, xp: Any) -> Array | None:
    """Return the zero below which only rounding puts an output; none for derivatives, which may have either sign."""
    return None if xp.isdtype(kind, "complex floating") else xp.zeros((1,), dtype=kind)


def to_ten_digits(steps: Array) -> Array:
    """Return steps (G,) with ten digits, so that those that recur are equal; a complex step stays as it is."""
    if np.iscomplexobj(steps):
        return steps
    mantissa, exponent = np.frexp(steps)
    return np.ldexp(np.round(mantissa * 2**_BITS) / 2**_BITS, exponent)
