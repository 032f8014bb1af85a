"""The exact solution, moment by moment: no step size, no solver, for many patients at once.

Between two moments of a regimen the input is constant, so the state moves by an exponential. Where the system has
modes (``modes.py``) they move as numbers, else (and for every patient whose modes are not sound) matrices do
(``expm.py``). Patients are worked through in blocks that stay in the processor's cache; exponentials of steps that
recur on a shared grid are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ketacore.pkpd.grid import Grid, Input, lay_grid
from ketacore.pkpd.modes import Modes, modes
from ketacore.pkpd.own_times import can_read, read_at
from ketacore.pkpd.states import Matrices, State, Sums, to_ten_digits
from ketacore.pkpd.system import Array, LinearSystem, drained

BLOCK = 8192
"""Patients worked on at a time."""
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
    patients = out.shape[-1]
    found = modes(system, entries, xp)
    if found is None:
        _walk(Matrices(system, entries, _empty(out), xp), lay_grid(inputs, entries, times), out, xp)
        return
    lost = np.flatnonzero(np.broadcast_to(~np.asarray(found.sound), (patients,)))
    if lost.size < patients:
        _sum_up(found, inputs, entries, times, out, xp)
    if lost.size:
        _redo(lost, out, system, inputs, times, xp)


def _sum_up(found: Modes, inputs: Sequence[Input], entries: Sequence[int], times: Array, out: Array, xp: Any) -> None:
    """Write the outputs by modes: read at each patient's own times where only these are their own, else walked."""
    if times.ndim == 2 and times.shape[0] > 1 and _share_moments(inputs, times[0]):
        given = lay_grid(inputs, entries, np.empty(0))
        if can_read(found, given, xp):
            read_at(times, given, Sums(found, _empty(out), xp), out, xp)
            return
    _walk(Sums(found, _empty(out), xp), lay_grid(inputs, entries, times), out, xp)


def _empty(out: Array) -> tuple[int, Any]:
    """Return for how many patients, and in which kind of number, a state is kept."""
    return out.shape[-1], out.dtype


def _redo(lost: Array, out: Array, system: LinearSystem, inputs: Sequence[Input], times: Array, xp: Any) -> None:
    """Answer the patients whose modes are not sound by matrices."""
    inputs = [i.of(lost) for i in inputs]
    entries = sorted({i.state for i in inputs})
    grid = lay_grid(inputs, entries, times[lost] if times.ndim == 2 and times.shape[0] > 1 else times)
    part = xp.zeros((*out.shape[:2], lost.size), dtype=out.dtype)
    _walk(Matrices(system.picked(lost, xp), entries, _empty(part), xp), grid, part, xp)
    for place, patient in enumerate(lost.tolist()):
        out[..., patient] = part[..., place]


def _walk(state: State, grid: Grid, out: Array, xp: Any) -> None:
    """Go from moment to moment: move, let in what enters at once, read what is asked for.

    Shared steps are taken to ten digits, so that those that recur are equal.
    """
    rows, at = _rows(grid, out, xp)
    steps = to_ten_digits(grid.steps[:, 0]).tolist() if grid.shared else [xp.asarray(step) for step in grid.steps]
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


def _rows(grid: Grid, out: Array, xp: Any) -> tuple[Array, dict[int, int]]:
    """Return where to write what is read, and at which moments: straight into ``out`` where all moments are shared."""
    if grid.shared:
        return out, {int(moment): time for time, moment in enumerate(grid.places[:, 0])}
    moments = grid.steps.shape[0]
    return xp.zeros((out.shape[0], moments, out.shape[2]), dtype=out.dtype), {g: g for g in range(moments)}


def _kind(system: LinearSystem, inputs: Sequence[Input], xp: Any) -> Any:
    given = [xp.asarray(value).dtype for i in inputs for value in (i.amount, i.duration)]
    return xp.result_type(system.rates.dtype, system.readout.dtype, *given)
