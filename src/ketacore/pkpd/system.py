"""A linear time-invariant system of compartments, for many patients at once, and its structure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Array = Any
"""An array of the library in use (NumPy unless told otherwise), float64 or complex128."""


@dataclass(frozen=True, slots=True)
class LinearSystem:
    """``dx/dt = A x`` plus input, read as ``y = C x``.

    ``rates`` is A (S, S, N) in 1/min, ``readout`` C (O, S, N); N patients, or 1 for all alike.
    """

    rates: Array
    readout: Array

    @property
    def states(self) -> int:
        """Return the number of compartments."""
        return int(self.rates.shape[0])

    @property
    def patients(self) -> int:
        """Return how many patients differ in their parameters: N, or 1."""
        return max(int(self.rates.shape[-1]), int(self.readout.shape[-1]))

    def of(self, some: slice) -> LinearSystem:
        """Return the system of some of the patients."""
        both = (self.rates, self.readout)
        return LinearSystem(*(a if a.shape[-1] == 1 else a[..., some] for a in both))

    def picked(self, patients: Array, xp: Any) -> LinearSystem:
        """Return the system of the patients with these numbers."""
        both = (self.rates, self.readout)
        return LinearSystem(*(a if a.shape[-1] == 1 else xp.take(a, xp.asarray(patients), axis=-1) for a in both))

    def only(self, states: list[int], xp: Any) -> LinearSystem:
        """Return the system restricted to ``states``."""
        at = xp.asarray(states)
        rates = xp.take(xp.take(self.rates, at, axis=0), at, axis=1)
        return LinearSystem(rates, xp.take(self.readout, at, axis=1))


def is_complex(array: Array, xp: Any) -> bool:
    """Return whether an array carries the imaginary part of a complex-step derivative."""
    return bool(xp.isdtype(array.dtype, "complex floating"))


def real(array: Array, xp: Any) -> Array:
    """Return the real part; the array itself where it is real."""
    return xp.real(array) if is_complex(array, xp) else array


@dataclass(frozen=True, slots=True)
class Structure:
    """Which compartment feeds which: ``feeds[i]`` holds the states that i flows into, directly."""

    feeds: tuple[frozenset[int], ...]

    @classmethod
    def of(cls, system: LinearSystem, xp: Any) -> Structure:
        """Return the structure of the flows that any patient has."""
        flows = xp.any(system.rates != 0, axis=-1)
        size = system.states
        return cls(tuple(frozenset(j for j in range(size) if j != i and bool(flows[j, i])) for i in range(size)))

    def downstream(self, sources: Iterable[int]) -> frozenset[int]:
        """Return ``sources`` and all that they reach."""
        found, fresh = set(), set(sources)
        while fresh:
            found |= fresh
            fresh = {j for i in fresh for j in self.feeds[i]} - found
        return frozenset(found)

    def components(self) -> tuple[tuple[int, ...], ...]:
        """Return the groups of states that exchange with one another, upstream before downstream."""
        below = [self.downstream([i]) for i in range(len(self.feeds))]
        groups = {tuple(j for j in sorted(below[i]) if i in below[j]) for i in range(len(below))}
        return tuple(sorted(groups, key=lambda group: (-len(below[group[0]]), group)))

    def tree(self, group: tuple[int, ...]) -> tuple[tuple[int, int], ...] | None:
        """Return the edges of a group from its first state outwards, or None where its exchange is no tree of pairs."""
        edges: list[tuple[int, int]] = []
        met, fresh = {group[0]}, [group[0]]
        while fresh:
            i = fresh.pop()
            new = [j for j in self.feeds[i] if j in group and j not in met]
            edges += [(i, j) for j in new]
            met.update(new)
            fresh += new
        pairs = {frozenset((i, j)) for i in group for j in self.feeds[i] if j in group}
        mutual = all(i in self.feeds[j] for i, j in edges)
        return tuple(edges) if mutual and len(pairs) == len(group) - 1 else None


def drained(system: LinearSystem, states: Iterable[int], readout: Array, xp: Any) -> list[int]:
    """Return the states that ``states`` reach and that reach an output, in order: all that matters."""
    structure = Structure.of(system, xp)
    reached = structure.downstream(states)
    read = [i for i in range(system.states) if bool(xp.any(readout[:, i, :] != 0))]
    return sorted(i for i in reached if structure.downstream([i]) & set(read))
