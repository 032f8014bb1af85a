"""Exponentials of many small matrices at once: the general method, right for stiff and defective systems too."""

from __future__ import annotations

from math import ceil, log2
from typing import Any

Array = Any

_PADE = (
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
)
"""Coefficients of the [13/13] Padé approximant (Higham, SIAM J Matrix Anal Appl 2005;26:1179)."""
_NORM = 5.371920351148152
"""Largest 1-norm at which that approximant is exact to double precision (the same paper)."""


def expm(matrices: Array, xp: Any) -> Array:
    """Return the exponentials of square ``matrices`` (..., S, S), by scaling and squaring; real or complex."""
    norm = float(xp.max(xp.sum(xp.abs(matrices), axis=-2)))
    squarings = max(0, ceil(log2(norm / _NORM))) if norm > _NORM else 0
    scaled = matrices * 0.5**squarings
    result = _pade(scaled, xp)
    for _ in range(squarings):
        result = xp.matmul(result, result)
    return result


def _pade(a: Array, xp: Any) -> Array:
    b = _PADE
    one = xp.eye(a.shape[-1], dtype=a.dtype)
    a2 = xp.matmul(a, a)
    a4 = xp.matmul(a2, a2)
    a6 = xp.matmul(a4, a2)
    odd = xp.matmul(a6, b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one
    even = xp.matmul(a6, b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    odd = xp.matmul(a, odd)
    return xp.linalg.solve(even - odd, even + odd)
