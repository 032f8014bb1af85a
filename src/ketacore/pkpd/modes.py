"""The fast path: each output as a sum of exponentials, where the system allows it.

The groups of compartments that exchange with one another stand in the order of the flow, so the rate matrix is block
triangular. A group whose exchange is a tree of pairs (mammillary, catenary) is similar to a symmetric matrix: its
eigenvalues are real, found for all patients at once by Jacobi rotations. What couples the groups is solved block by
block. Nothing is assumed about separation: ``Modes.sound`` says for each patient whether the weights stayed so small
that the sum is exact to rounding; where they did not (equal rates in a chain), the matrix exponential answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketacore.pkpd.system import Array, LinearSystem, Structure, is_complex, real

LARGEST_WEIGHT = 1e4
"""Weights above this (in units of an output's own scale) would cost more than four of the sixteen digits."""
_SWEEPS = 12
_CONVERGED = 1e-30
"""Square of the largest off-diagonal element, relative to the matrix, at which rotating ends."""

Matrix = dict[tuple[int, int], Array]


@dataclass(frozen=True, slots=True)
class Modes:
    """``rates`` (M, N) in 1/min; ``weights`` (E, M, N) of each entry; ``parts`` the modes (start, stop) of each output.

    A unit put into entry e at time 0 gives output o = sum over its modes of weights[e] · exp(rates · t).
    """

    rates: Array
    weights: Array
    parts: tuple[tuple[int, int], ...]
    sound: Array


def modes(system: LinearSystem, entries: Sequence[int], xp: Any) -> Modes | None:
    """Return the modes of a system for inputs into the states ``entries``, or None where its structure has none."""
    structure = Structure.of(system, xp)
    groups = structure.components()
    trees = [structure.tree(group) for group in groups]
    if any(tree is None for tree in trees) or _is_chain_of_equal_rates(system.rates, structure, groups, xp):
        return None
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # such patients are not sound
        blocks = [_block(system.rates, group, tree or (), xp) for group, tree in zip(groups, trees, strict=True)]
        right = _right_vectors(_elements(system.rates, xp), blocks)
        return _outputs(system, blocks, right, entries, xp)


def _is_chain_of_equal_rates(rates: Array, structure: Structure, groups: Sequence[tuple[int, ...]], xp: Any) -> bool:
    """Return whether two compartments in a row drain equally fast in everybody: no modes, so none need be sought."""
    alone = {group[0] for group in groups if len(group) == 1}
    pairs = [(i, j) for i in alone for j in structure.feeds[i] & alone]
    return any(bool(xp.all(rates[i, i, ...] == rates[j, j, ...])) for i, j in pairs)


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


def _right_vectors(flows: Matrix, blocks: Sequence[_Block]) -> Matrix:
    """Return the right eigenvectors of the whole system; an element that is missing is zero by structure."""
    right: Matrix = {}
    for block in blocks:
        for k, rate in block.rates.items():
            right |= {(i, k): block.right[i, k] for i in block.states}
            for below in blocks[blocks.index(block) + 1 :]:
                _extend(flows, right, k, rate, below)
    return right


def _extend(flows: Matrix, right: Matrix, k: int, rate: Array, below: _Block) -> None:
    """Carry the eigenvector k into a group further down: ``(A_bb - rate) x = -what flows in``."""
    fed = _products(flows, {(j, 0): v for (j, of), v in right.items() if of == k}, below.states)
    for m in below.states:
        share = _total(below.left[m, i] * value for (i, _), value in fed.items())
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


def _outputs(system: LinearSystem, blocks: Sequence[_Block], right: Matrix, entries: Sequence[int], xp: Any) -> Modes:
    one = xp.ones_like(system.rates[0, 0, ...])
    zero = one * 0
    eigenvalues = {k: rate for block in blocks for k, rate in block.rates.items()}
    shares = [_shares(blocks, right, entry, one) for entry in entries]
    readout = _elements(system.readout, xp)
    seen = _products(readout, right, range(system.readout.shape[0]))
    rates: list[Array] = []
    weights: list[list[Array]] = []
    parts, sound = [], one == one
    for output in range(system.readout.shape[0]):
        scale = LARGEST_WEIGHT * xp.max(xp.abs(system.readout[output, ...]), axis=0)
        used = [k for o, k in seen if o == output and any(k in of for of in shares)]
        parts.append((len(rates), len(rates) + len(used)))
        for k in used:
            rates.append(eigenvalues[k])
            weights.append([seen[output, k] * of[k] if k in of else zero for of in shares])
            for weight in weights[-1]:
                sound = sound & (xp.abs(weight) <= scale)
    entered = [xp.stack([of_mode[e] for of_mode in weights]) for e in range(len(entries))]
    return Modes(xp.stack(rates), xp.stack(entered), tuple(parts), sound)


def _elements(matrix: Array, xp: Any) -> Matrix:
    """Return the elements that any patient has."""
    rows, columns, _ = matrix.shape
    some = xp.any(matrix != 0, axis=-1)
    return {(i, j): matrix[i, j, ...] for i in range(rows) for j in range(columns) if bool(some[i, j])}
