"""The exact solution, moment by moment: no step size, no solver, for many patients at once.

Between two moments of a regimen the input is constant, so the state moves by an exponential. Where the system has
modes (``modes.py``) they move as numbers, else (and for every patient whose modes are not sound) matrices do
(``expm.py``). Patients are worked through in blocks that stay in the processor's cache; exponentials of steps that
recur on a shared grid are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any, Protocol, TypeVar

import numpy as np

from ketacore.pkpd.expm import expm
from ketacore.pkpd.grid import Amounts, Grid, Input, lay_grid
from ketacore.pkpd.modes import Modes, modes
from ketacore.pkpd.system import Array, LinearSystem, drained, real

T = TypeVar("T")

BLOCK = 8192
"""Patients worked on at a time."""
_BITS = 34
_NEAR, _TERMS = 0.5, 14
OWN = 4
"""How much smaller a block is where each patient has moments of their own, so that these fit the cache too."""


def propagate(
    system: LinearSystem, inputs: Sequence[Input], times: Array, *, xp: Any = np, block: int = BLOCK
) -> Array:
    """Return y (O, T, N) at ``times`` in min, (T,) or (N, T), from empty compartments.

    N is the number of patients in ``system``, ``inputs`` and ``times``, whichever says more than 1. An output at the
    moment of a bolus sees it. ``xp`` is an array library that follows the array API standard; the grid of the
    regimen is laid with NumPy. What rounding puts below zero is zero (real numbers only).
    """
    times = np.asarray(times, dtype=float)
    given = [np.size(value) for i in inputs for value in (i.amount, i.start, i.duration)]
    patients = max(system.patients, *given, times.shape[0] if times.ndim == 2 else 1)
    entries = sorted({i.state for i in inputs})
    states = drained(system, entries, system.readout, xp)
    out = xp.zeros((system.readout.shape[0], times.shape[-1], patients), dtype=_kind(system, inputs, xp))
    if not states:
        return out
    inputs = [i for i in inputs if i.state in states]
    inputs = [Input(states.index(i.state), i.amount, i.start, i.duration) for i in inputs]
    block = block if _share_moments(inputs, times) else max(1, block // OWN)
    for low in range(0, patients, block):
        some = slice(low, min(low + block, patients))
        its_times = times[some] if times.ndim == 2 and times.shape[0] > 1 else times
        _fill(out[..., some], system.of(some).only(states, xp), [i.of(some) for i in inputs], its_times, xp)
    return out


def _share_moments(inputs: Sequence[Input], times: Array) -> bool:
    own = [np.size(value) for i in inputs for value in (i.start, i.duration)]
    return max([1 if times.ndim == 1 else times.shape[0], *own]) == 1


def _fill(out: Array, system: LinearSystem, inputs: Sequence[Input], times: Array, xp: Any) -> None:
    """Write the outputs of one block of patients."""
    entries = sorted({i.state for i in inputs})
    grid = lay_grid(inputs, entries, times)
    patients = out.shape[-1]
    found = modes(system, entries, xp)
    if found is None:
        _walk(_Matrices(system, entries, _empty(out), xp), grid, out, xp)
        return
    lost = np.flatnonzero(np.broadcast_to(~np.asarray(found.sound), (patients,)))
    if lost.size < patients:
        _walk(_Sums(found, _empty(out), xp), grid, out, xp)
    if lost.size:
        _redo(lost, out, system, inputs, times, xp)


def _empty(out: Array) -> tuple[int, Any]:
    """Return for how many patients, and in which kind of number, a state is kept."""
    return out.shape[-1], out.dtype


def _redo(lost: Array, out: Array, system: LinearSystem, inputs: Sequence[Input], times: Array, xp: Any) -> None:
    """Answer the patients whose modes are not sound by matrices."""
    inputs = [i.of(lost) for i in inputs]
    entries = sorted({i.state for i in inputs})
    grid = lay_grid(inputs, entries, times[lost] if times.ndim == 2 and times.shape[0] > 1 else times)
    part = xp.zeros((*out.shape[:2], lost.size), dtype=out.dtype)
    _walk(_Matrices(system.picked(lost, xp), entries, _empty(part), xp), grid, part, xp)
    for place, patient in enumerate(lost.tolist()):
        out[..., patient] = part[..., place]


def _walk(state: _State, grid: Grid, out: Array, xp: Any) -> None:
    """Go from moment to moment: move, let in what enters at once, read what is asked for.

    Shared steps are taken to ten digits, so that those that recur are equal.
    """
    rows, at = _rows(grid, out, xp)
    steps = _to_ten_digits(grid.steps[:, 0]).tolist() if grid.shared else [xp.asarray(step) for step in grid.steps]
    for moment, dt in enumerate(steps):
        if not grid.shared or dt:
            state.move(dt, grid.inflow.get(moment))
        if moment in grid.jumps:
            state.enter(grid.jumps[moment])
        if moment in at:
            for output, row in enumerate(state.read()):
                rows[output, at[moment], :] = row
    if not grid.shared:
        for output in range(out.shape[0]):
            out[output, ...] = xp.take_along_axis(rows[output, ...], xp.asarray(grid.places), axis=0)


def _to_ten_digits(steps: Array) -> Array:
    if np.iscomplexobj(steps):
        return steps
    mantissa, exponent = np.frexp(steps)
    return np.ldexp(np.round(mantissa * 2**_BITS) / 2**_BITS, exponent)


def _rows(grid: Grid, out: Array, xp: Any) -> tuple[Array, dict[int, int]]:
    """Return where to write what is read, and at which moments: straight into ``out`` where all moments are shared."""
    if grid.shared:
        return out, {int(moment): time for time, moment in enumerate(grid.places[:, 0])}
    moments = grid.steps.shape[0]
    return xp.zeros((out.shape[0], moments, out.shape[2]), dtype=out.dtype), {g: g for g in range(moments)}


class _State(Protocol):
    def move(self, dt: Array | float, inflow: Amounts | None) -> None: ...

    def enter(self, amounts: Amounts) -> None: ...

    def read(self) -> list[Array]: ...


class _Sums:
    """The state as sums of exponentials: (M, n) numbers, already scaled so that an output is their plain sum."""

    def __init__(self, found: Modes, of: tuple[int, Any], xp: Any) -> None:
        self._modes, self._xp = found, xp
        patients, kind = of
        self._now = xp.zeros((found.rates.shape[0], patients), dtype=kind)
        self._floors = [_floor(kind, xp) if _may_cancel(found, part, xp) else None for part in found.parts]
        self._fades: dict[float, Array] = {}
        self._gains: dict[float, Array] = {}
        self._ramps: dict[float, list[Array]] = {}

    def move(self, dt: Array | float, inflow: Amounts | None) -> None:
        self._now *= _keep(self._fades, dt, self._fade)
        for mode, slope in self._modes.slopes:
            self._now[mode, ...] += dt * self._now[slope, ...]
        if inflow is not None:
            entering = self._weighted(inflow)
            self._now += _keep(self._gains, dt, self._gain) * entering
            ramps = _keep(self._ramps, dt, self._slope_gains)
            for (mode, slope), ramp in zip(self._modes.slopes, ramps, strict=True):
                self._now[mode, ...] += ramp * entering[slope, ...]

    def enter(self, amounts: Amounts) -> None:
        self._now += self._weighted(amounts)

    def read(self) -> list[Array]:
        xp = self._xp
        sums = [xp.sum(self._now[low:high, ...], axis=0) for low, high in self._modes.parts]
        return [v if floor is None else xp.maximum(v, floor) for v, floor in zip(sums, self._floors, strict=True)]

    def _weighted(self, amounts: Amounts) -> Array:
        return sum(self._modes.weights[entry, ...] * self._xp.asarray(amount) for entry, amount in amounts.items())

    def _fade(self, dt: Array | float) -> Array:
        return self._xp.exp(self._modes.rates * dt)

    def _gain(self, dt: Array | float) -> Array:
        xp, rates = self._xp, self._modes.rates
        still = rates == 0
        return xp.where(still, dt, xp.expm1(rates * dt) / xp.where(still, 1.0, rates))

    def _slope_gains(self, dt: Array | float) -> list[Array]:
        """Return of each slope the integral of u · exp(rate · u) for u from 0 to ``dt``."""
        return [_ramp(self._modes.rates[slope, ...] * dt, self._xp) * dt**2 for _, slope in self._modes.slopes]


def _ramp(x: Array, xp: Any) -> Array:
    """Return (x · exp(x) - exp(x) + 1) / x², by its series where x is near 0 and the difference would cancel."""
    near = xp.abs(x) < _NEAR
    safe = xp.where(near, 1.0, x)
    series = x * 0
    for n in reversed(range(_TERMS)):
        series = series * x + (n + 1) / factorial(n + 2)
    return xp.where(near, series, (safe * xp.exp(safe) - xp.expm1(safe)) / safe**2)


class _Matrices:
    """The state as it is, (n, S, 1) mg, moved by matrix exponentials."""

    def __init__(self, system: LinearSystem, entries: Sequence[int], of: tuple[int, Any], xp: Any) -> None:
        (patients, kind), size = of, system.states
        rates, self._readout = (xp.astype(xp.moveaxis(a, -1, 0), kind) for a in (system.rates, system.readout))
        self._into = xp.asarray([[float(state == entry) for entry in entries] for state in range(size)], dtype=kind)
        entering = xp.broadcast_to(self._into, (rates.shape[0], size, len(entries)))
        none = xp.zeros((rates.shape[0], len(entries), size + len(entries)), dtype=kind)
        self._whole = xp.concat([xp.concat([rates, entering], axis=2), none], axis=1)
        self._now = xp.zeros((patients, size, 1), dtype=kind)
        self._xp, self._entries, self._floor = xp, range(len(entries)), _floor(kind, xp)
        self._kept: dict[float, Array] = {}

    def move(self, dt: Array | float, inflow: Amounts | None) -> None:
        xp, size = self._xp, self._now.shape[1]
        moved = _keep(self._kept, dt, self._exponential)
        self._now = xp.matmul(moved[:, :size, :size], self._now)
        if inflow is not None:
            self._now = self._now + xp.matmul(moved[:, :size, size:], self._column(inflow))

    def enter(self, amounts: Amounts) -> None:
        self._now = self._now + self._xp.matmul(self._into, self._column(amounts))

    def read(self) -> list[Array]:
        seen = self._xp.matmul(self._readout, self._now)[..., 0]
        rows = [seen[:, output] for output in range(seen.shape[1])]
        return rows if self._floor is None else [self._xp.maximum(row, self._floor) for row in rows]

    def _column(self, amounts: Amounts) -> Array:
        """Return what enters, (n, E, 1)."""
        xp = self._xp
        given = [xp.asarray(amounts.get(entry, np.zeros(1))) for entry in self._entries]
        return xp.astype(xp.stack(xp.broadcast_arrays(*given), axis=1)[..., None], self._now.dtype)

    def _exponential(self, dt: Array | float) -> Array:
        lasting = dt if isinstance(dt, float) else dt[:, None, None]
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


def _floor(kind: Any, xp: Any) -> Array | None:
    """Return the zero below which only rounding puts an output; none for derivatives, which may have either sign."""
    return None if xp.isdtype(kind, "complex floating") else xp.zeros((1,), dtype=kind)


def _kind(system: LinearSystem, inputs: Sequence[Input], xp: Any) -> Any:
    given = [xp.asarray(value).dtype for i in inputs for value in (i.amount, i.duration)]
    return xp.result_type(system.rates.dtype, system.readout.dtype, *given)
