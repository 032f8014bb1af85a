"""When something happens: the moments of a regimen and of its output times in one order, shared or per patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketacore.pkpd.system import Array


@dataclass(frozen=True, slots=True)
class Input:
    """What enters one state: ``amount`` in mg, at once at ``start`` or evenly over ``duration``, both in min.

    Each is one number, or an array (N,) of one per patient; a duration may carry a complex step.
    """

    state: int
    amount: Array | float
    start: Array | float
    duration: Array | float = 0.0

    def of(self, some: Any) -> Input:
        """Return the input of some of the patients."""
        return Input(self.state, *(_some(value, some) for value in (self.amount, self.start, self.duration)))


def _some(value: Any, some: Any) -> Any:
    return value if np.size(value) == 1 else value[some]


Amounts = dict[int, Array]
"""How much enters each entry: (n,), or (1,) where all patients get the same."""
Entering = dict[int, Amounts]
"""At which moment how much enters."""


@dataclass(frozen=True, slots=True)
class Grid:
    """G moments ``at`` (G, n) in order for n patients, or for all alike (a last axis of 1).

    ``steps`` (G, n) min since the moment before; ``jumps`` mg entering at a moment; ``inflow`` mg/min during the step
    that ends there; ``places`` (T, n): at which moment each output time lies.
    """

    at: Array
    steps: Array
    jumps: Entering
    inflow: Entering
    places: Array

    @property
    def shared(self) -> bool:
        """Return whether all patients have the same moments."""
        return bool(self.steps.shape[1] == 1)


def lay_grid(inputs: Sequence[Input], entries: Sequence[int], times: Array) -> Grid:
    """Return the grid of ``inputs`` and output ``times`` (T,) or (n, T), in min."""
    starts, ends = _moments(inputs)
    wanted = np.atleast_2d(times).T
    patients = max(starts.shape[1], ends.shape[1], wanted.shape[1])
    parts = [np.broadcast_to(part, (part.shape[0], patients)) for part in (starts, ends, wanted)]
    moments = np.concatenate(parts)
    order = np.argsort(moments.real, axis=0, kind="stable")
    at = np.take_along_axis(moments, order, axis=0)
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(order.shape[0])[:, None], axis=0)
    steps = np.diff(at, axis=0, prepend=at[:1])
    jumps: Entering = {}
    inflow: Entering = {}
    for number, given in enumerate(inputs):
        entry, amount, duration = entries.index(given.state), np.atleast_1d(given.amount), np.atleast_1d(given.duration)
        at_once = duration == 0
        first, last = places[number], places[len(inputs) + number]
        if at_once.any():
            _enter(
                jumps, entry, first.min(), np.arange(first.min(), first.max() + 1)[:, None] == first, at_once, amount
            )
        if not at_once.all():
            passed = np.arange(first.min() + 1, last.max() + 1)[:, None]
            during = (passed > first) & (passed <= last) & (steps[first.min() + 1 : last.max() + 1].real > 0)
            _enter(inflow, entry, first.min() + 1, during, ~at_once, amount / np.where(at_once, 1, duration))
    return Grid(at, steps, jumps, inflow, places[order.shape[0] - wanted.shape[0] :])


def _moments(inputs: Sequence[Input]) -> tuple[Array, Array]:
    starts = [np.atleast_1d(i.start) * 1.0 for i in inputs]
    ends = [start + np.asarray(i.duration) for start, i in zip(starts, inputs, strict=True)]
    return np.stack(np.broadcast_arrays(*starts)), np.stack(np.broadcast_arrays(*ends))


def _enter(into: Entering, entry: int, low: int, when: Array, who: Array, amount: Array) -> None:
    """Add ``amount`` at the moments ``when`` (from the moment ``low`` on, (·, n)) for the patients ``who``."""
    when = when & who
    for row in np.flatnonzero(when.any(axis=1)).tolist():
        now = when[row]
        value = amount if now.all() else np.where(now, amount, 0)
        there = into.setdefault(int(low) + row, {})
        there[entry] = there[entry] + value if entry in there else value
