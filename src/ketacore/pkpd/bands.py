"""Bands instead of lines, and what every effect must say about itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ketacore.evidence import Grade
from ketacore.pkpd.constants import Quantity
from ketacore.pkpd.system import Array

EXPLAINS = "It explains, it does not order: it is no reason to give, withhold or change a treatment."


@dataclass(frozen=True, slots=True)
class Band:
    """``low``, ``point`` and ``high`` over time, each (T,); the point is the middle of the models, not the truth."""

    low: Array
    point: Array
    high: Array

    @classmethod
    def of(cls, point: Array, low: Array, high: Array) -> Band:
        """Return the band of ``point`` (T,) with all curves in ``low`` and ``high`` (..., T) within."""
        lows, highs = (np.reshape(curves, (-1, point.shape[-1])) for curves in (low, high))
        return cls(np.minimum(point, np.min(lows, axis=0)), point, np.maximum(point, np.max(highs, axis=0)))

    def at(self, places: Array) -> Band:
        """Return the band at some places only."""
        return Band(self.low[places], self.point[places], self.high[places])

    def peak(self) -> Span:
        """Return the highest of each of its three lines."""
        return Span(*(float(np.max(line)) for line in (self.low, self.point, self.high)))


@dataclass(frozen=True, slots=True)
class Span:
    """One number with its band."""

    low: float
    point: float
    high: float

    @classmethod
    def of(cls, point: float, values: Iterable[float]) -> Span:
        """Return the span of ``point`` and all ``values``."""
        every = [float(point), *(float(value) for value in values)]
        return cls(min(every), every[0], max(every))


@dataclass(frozen=True, slots=True)
class Basis:
    """What a result rests on: weakest ``grade``, ids of ``sources`` (in ``SOURCES`` or ``MODELS``), ``notes``."""

    grade: Grade
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    says: str = EXPLAINS


def basis(quantities: Iterable[Quantity], models: Iterable[str], *notes: str) -> Basis:
    """Return the basis of a result of this project's own structure: grade D, whatever its numbers have."""
    used = tuple(quantities)
    assumed = tuple(
        f"Assumed, {f'the {q.own} of ' if q.own else ''}{q.name} {q.low:g}-{q.value:g}-{q.high:g} {q.unit}: {q.reason}"
        for q in used
        if q.assumed or q.own
    )
    sources = tuple(dict.fromkeys([*(q.source for q in used), *models]))
    return Basis(Grade.D, sources, (*notes, *assumed))
