"""The fast path: each output as a sum of exponentials, where the system allows it.

The groups of compartments that exchange with one another stand in the order of the flow, so the rate matrix is block
triangular. A group whose exchange is a tree of pairs (mammillary, catenary) is similar to a symmetric matrix: its
eigenvalues are real, found for all patients at once by Jacobi rotations. What couples the groups is solved block by
block. Two compartments in a row that drain equally fast in everybody (a transit chain) share one rate: the sum then
holds a term ``t · exp(rate · t)``, by a generalised eigenvector. Nothing else is assumed about separation:
``Modes.sound`` says for each patient whether the weights stayed so small that the sum is exact to rounding; where they
did not, the matrix exponential answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketacore.pkpd.system import Array, LinearSystem, Structure, is_complex, real

LARGEST_WEIGHT = 1e4
"""Weights above this (in units of an output's own scale) would cost more than four of the sixteen digits."""
_ROUNDING = 4e-16
_SWEEPS = 12
_CONVERGED = 1e-30
"""Square of the largest off-diagonal element, relative to the matrix, at which rotating ends."""

Matrix = dict[tuple[int, int], Array]


@dataclass(frozen=True, slots=True)
class Modes:
    """``rates`` (M, N) in 1/min; ``weights`` (E, M, N) of each entry; ``parts`` the modes (start, stop) of each output.

    A unit put into entry e at time 0 gives output o = sum over its modes of weights[e] · exp(rates · t). Each pair
    (mode, slope) in ``slopes`` adds weights[e, slope] · t · exp(rates · t); slopes stand behind all parts. ``same``
    (M,) is the first mode with the same rate: outputs share exponentials.
    """

    rates: Array
    weights: Array
    parts: tuple[tuple[int, int], ...]
    sound: Array
    slopes: tuple[tuple[int, int], ...]
    same: tuple[int, ...]


def modes(system: LinearSystem, entries: Sequence[int], xp: Any) -> Modes | None:
    """Return the modes of a system for inputs into the states ``entries``, or None where its structure has none."""
    structure = Structure.of(system, xp)
    groups = structure.components()
    trees = [structure.tree(group) for group in groups]
    twins = _twins(system.rates, structure, groups, xp)
    if any(tree is None for tree in trees) or set(twins) & set(twins.values()):  # three in a row, or two onto one
        return None
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # such patients are not sound
        blocks = [_block(system.rates, group, tree or (), xp) for group, tree in zip(groups, trees, strict=True)]
        right, fed = _right_vectors(_elements(system.rates, xp), blocks, twins)
        return _outputs(system, _Basis(blocks, right, twins, fed), entries, xp)


def _twins(rates: Array, structure: Structure, groups: Sequence[tuple[int, ...]], xp: Any) -> dict[int, int]:
    """Return each compartment whose next one in the row drains equally fast in everybody, with that one."""
    alone = {group[0] for group in groups if len(group) == 1}
    pairs = [(i, j) for i in sorted(alone) for j in sorted(structure.feeds[i] & alone)]
    return {i: j for i, j in pairs if bool(xp.all(_equal(rates[i, i, ...], rates[j, j, ...], xp)))}


def _equal(one: Array, other: Array, xp: Any) -> Array:
    """Return where two rates are equal to rounding: an outflow that is a sum of shares is so only."""
    return xp.abs(one - other) <= _ROUNDING * xp.abs(one)


@dataclass(frozen=True, slots=True)
class _Block:
    """One group: its states (also the numbers of its modes), eigenvalues, right and left eigenvectors."""

    states: tuple[int, ...]
    rates: dict[int, Array]
    right: Matrix
    left: Matrix


def _block(a: Array, group: tuple[int, ...], tree: tuple[tuple[int, int], ...], xp: Any) -> _Block:
    one = xp.ones_like(a[0, 0, ...])
    if len(group) == 1:
        (i,) = group
        return _Block(group, {i: a[i, i, ...]}, {(i, i): one}, {(i, i): one})
    scale = {group[0]: one}
    for i, j in tree:
        scale[j] = scale[i] * xp.sqrt(a[j, i, ...] / a[i, j, ...])
    symmetric: Matrix = {(i, i): a[i, i, ...] for i in group}
    for i, j in tree:
        symmetric[min(i, j), max(i, j)] = xp.sqrt(a[i, j, ...] * a[j, i, ...])
    rates, vectors = _jacobi(symmetric, group, xp)
    right = {(i, k): scale[i] * v for (i, k), v in vectors.items()}
    left = {(k, i): v / scale[i] for (i, k), v in vectors.items()}
    return _Block(group, rates, right, left)


def _jacobi(symmetric: Matrix, group: tuple[int, ...], xp: Any) -> tuple[dict[int, Array], Matrix]:
    """Return eigenvalues and orthonormal eigenvectors of symmetric matrices given by their upper triangles."""
    one = xp.ones_like(symmetric[group[0], group[0]])
    zero = one * 0
    s = {(i, j): symmetric.get((i, j), zero) for i in group for j in group if i <= j}
    v = {(i, j): one if i == j else zero for i in group for j in group}
    pairs = [(p, q) for p in group for q in group if p < q]
    size = sum(xp.abs(s[i, i]) ** 2 for i in group)
    sweeps = 0
    while sweeps < _SWEEPS and bool(xp.any(sum(xp.abs(s[pair]) ** 2 for pair in pairs) > _CONVERGED * size)):
        for p, q in pairs:
            _rotate(s, v, p, q, group, xp)
        sweeps += 1
    for p, q in pairs * (2 if is_complex(one, xp) else 0):  # the derivative settles after the value
        _rotate(s, v, p, q, group, xp)
    return {i: s[i, i] for i in group}, v


def _rotate(s: Matrix, v: Matrix, p: int, q: int, group: tuple[int, ...], xp: Any) -> None:
    off, apart = s[p, q], s[q, q] - s[p, p]
    root = xp.sqrt(apart * apart + 4 * off * off)
    t = 2 * off / (apart + xp.where(real(apart, xp) < 0, -root, root) + 1e-300)
    c = 1 / xp.sqrt(t * t + 1)
    n = t * c
    s[p, p], s[q, q] = s[p, p] - t * off, s[q, q] + t * off
    s[p, q] = off * 0
    for k in group:
        if k not in (p, q):
            kp, kq = (min(k, p), max(k, p)), (min(k, q), max(k, q))
            s[kp], s[kq] = c * s[kp] - n * s[kq], n * s[kp] + c * s[kq]
        v[k, p], v[k, q] = c * v[k, p] - n * v[k, q], n * v[k, p] + c * v[k, q]


@dataclass(frozen=True, slots=True)
class _Basis:
    """The eigenvectors of a whole system; of a twin the generalised one, ``fed`` into the next of the row."""

    blocks: Sequence[_Block]
    right: Matrix
    twins: Mapping[int, int]
    fed: Mapping[int, Array]

    def before(self, k: int) -> list[int]:
        """Return the twins whose second is ``k``."""
        return [i for i, j in self.twins.items() if j == k]


def _right_vectors(
    flows: Matrix, blocks: Sequence[_Block], twins: Mapping[int, int]
) -> tuple[Matrix, dict[int, Array]]:
    """Return the right eigenvectors of the whole system; an element that is missing is zero by structure.

    For a twin i of j it is a vector g with ``(A - rate) g = fed[i] · (eigenvector j)``, so that of j comes first.
    """
    right: Matrix = {}
    fed: dict[int, Array] = {}
    for block in sorted(blocks, key=lambda block: block.states[0] in twins):
        for k, rate in block.rates.items():
            right |= {(i, k): block.right[i, k] for i in block.states}
            for below in blocks[blocks.index(block) + 1 :]:
                inflow = _inflow(flows, right, k, below)
                if twins.get(k) in below.states:
                    fed[k] = inflow[below.states[0]]
                    continue
                if k in fed:
                    _less(inflow, fed[k], right, twins[k], below)
                _extend(right, k, rate, below, inflow)
    return right, fed


def _inflow(flows: Matrix, right: Matrix, k: int, below: _Block) -> dict[int, Array]:
    """Return what the vector k so far feeds into each state of a group further down."""
    found = _products(flows, {(j, 0): v for (j, of), v in right.items() if of == k}, below.states)
    return {i: value for (i, _), value in found.items()}


def _less(inflow: dict[int, Array], fed: Array, right: Matrix, twin: int, below: _Block) -> None:
    """Take from ``inflow`` what the eigenvector of the twin accounts for."""
    for i in below.states:
        if (i, twin) in right:
            inflow[i] = inflow.get(i, 0) - fed * right[i, twin]


def _extend(right: Matrix, k: int, rate: Array, below: _Block, inflow: Mapping[int, Array]) -> None:
    """Carry the vector k into a group further down: ``(A_bb - rate) x = -inflow``."""
    for m in below.states:
        share = _total(below.left[m, i] * value for i, value in inflow.items())
        if share is not None:
            for i in below.states:
                part = below.right[i, m] * (share / (rate - below.rates[m]))
                right[i, k] = right[i, k] + part if (i, k) in right else part


def _products(left: Matrix, right: Matrix, rows: Sequence[int]) -> Matrix:
    """Return those rows of a product of two matrices that are not zero by structure."""
    found: Matrix = {}
    in_row: dict[int, list[tuple[int, Array]]] = {}
    for (j, k), value in right.items():
        in_row.setdefault(j, []).append((k, value))
    for (i, j), value in left.items():
        for k, other in in_row.get(j, ()) if i in rows else ():
            found[i, k] = found[i, k] + value * other if (i, k) in found else value * other
    return found


def _total(terms: Iterable[Array]) -> Array | None:
    total = None
    for term in terms:
        total = term if total is None else total + term
    return total


def _shares(blocks: Sequence[_Block], right: Matrix, entry: int, one: Array) -> dict[int, Array]:
    """Return how much of a unit put into the state ``entry`` goes into each mode."""
    shares: dict[int, Array] = {}
    for block in blocks:
        rest = {entry: one} if entry in block.states else {}
        for (i, _), value in _products(right, {(k, 0): w for k, w in shares.items()}, block.states).items():
            rest[i] = rest[i] - value if i in rest else -value
        for m in block.states:
            share = _total(block.left[m, i] * value for i, value in rest.items())
            if share is not None:
                shares[m] = share
    return shares


def _outputs(system: LinearSystem, basis: _Basis, entries: Sequence[int], xp: Any) -> Modes:
    one = xp.ones_like(system.rates[0, 0, ...])
    eigenvalues = {k: rate for block in basis.blocks for k, rate in block.rates.items()}
    shares = [_shares(basis.blocks, basis.right, entry, one) for entry in entries]
    seen = _products(_elements(system.readout, xp), basis.right, range(system.readout.shape[0]))
    found, parts, slopes = _Rows(one), [], []
    for output in range(system.readout.shape[0]):
        first = len(found.rates)
        weights = {k: _each(seen[output, k], k, shares) for k in _used(seen, output, basis, shares)}
        largest = LARGEST_WEIGHT * _scale(system.readout[output, ...], eigenvalues, weights, xp)
        for k, its in weights.items():
            slopes += [(len(found.rates), seen[output, k], i, largest) for i in basis.before(k)]
            found.add(k, eigenvalues[k], its, largest)
        parts.append((first, len(found.rates)))
    pairs = []
    for mode, read, i, largest in slopes:
        pairs.append((mode, len(found.rates)))
        found.add(i, eigenvalues[i], _each(basis.fed[i] * read, i, shares), largest * xp.abs(eigenvalues[i]))
    entered = [xp.stack([of_mode[e] for of_mode in found.weights]) for e in range(len(entries))]
    return Modes(xp.stack(found.rates), xp.stack(entered), tuple(parts), found.sound, tuple(pairs), tuple(found.same))


def _used(seen: Matrix, output: int, basis: _Basis, shares: Sequence[Mapping[int, Array]]) -> list[int]:
    """Return the modes that an output sees and that some entry reaches, itself or as the second of twins."""
    return [k for o, k in seen if o == output and any(of.keys() & {k, *basis.before(k)} for of in shares)]


def _each(read: Array, mode: int, shares: Sequence[Mapping[int, Array]]) -> list[Array]:
    """Return the weight of a mode for what comes in by each entry."""
    return [read * of[mode] if mode in of else read * 0 for of in shares]


def _scale(readout: Array, eigenvalues: Mapping[int, Array], weights: Mapping[int, list[Array]], xp: Any) -> Array:
    """Return how large an output is: what it reads of a unit, or what stays for good (the area of a concentration)."""
    scale = xp.max(xp.abs(readout), axis=0)
    for k, its in weights.items():
        if bool(xp.all(eigenvalues[k] == 0)):
            for weight in its:
                scale = xp.maximum(scale, xp.abs(weight))
    return scale


class _Rows:
    """Modes as they are found: rates, weights of each entry, and for which patients all weights are small enough."""

    def __init__(self, one: Array) -> None:
        self.rates: list[Array] = []
        self.same: list[int] = []
        self._first: dict[int, int] = {}
        self.weights: list[list[Array]] = []
        self.sound = one == one

    def add(self, mode: int, rate: Array, weights: list[Array], largest: Array) -> None:
        """Take in one mode of the system for one output."""
        self.same.append(self._first.setdefault(mode, len(self.rates)))
        self.rates.append(rate)
        self.weights.append(weights)
        for weight in weights:
            self.sound = self.sound & (abs(weight) <= largest)


def _elements(matrix: Array, xp: Any) -> Matrix:
    """Return the elements that any patient has."""
    rows, columns, _ = matrix.shape
    some = xp.any(matrix != 0, axis=-1)
    return {(i, j): matrix[i, j, ...] for i in range(rows) for j in range(columns) if bool(some[i, j])}
