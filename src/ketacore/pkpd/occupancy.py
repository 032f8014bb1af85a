"""NMDA occupancy: an index that binding constants and free plasma concentrations give; nobody has measured it.

z / (1 + z) with z = fu · (S/KiS + R/KiR). No tracer in people has yielded an occupancy, so there is only the band over
free fraction and sampling site: for 0.5 mg/kg over 40 min its peak spans 32-58 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketacore.pkpd.bands import Band, Basis, Span, basis
from ketacore.pkpd.constants import EFFECTS
from ketacore.pkpd.interactions import Scenario
from ketacore.pkpd.levels import PLASMA, Level, levels, one_row
from ketacore.pkpd.model import MOLAR_MASS, Matrix
from ketacore.pkpd.regimen import Person, Regimen
from ketacore.pkpd.system import Array

FU, KI_S, KI_R, KI_RACEMATE = (
    EFFECTS[name] for name in ("fraction_unbound", "ki_s_ketamine", "ki_r_ketamine", "ki_racemate")
)
NEVER_MEASURED = "A model-derived index, never measured in people; read its band, not a line."
OTHER_KI = "With the binding constant of Salat 2015 (racemate, 0.119) the index is far higher; its band stands beside."


@dataclass(frozen=True, slots=True)
class Occupancy:
    """``index`` (0-1) at ``times_min`` (T,) and its ``peak``; ``peak_by_other_ki`` with another binding constant."""

    times_min: Array
    index: Band
    peak: Span
    peak_by_other_ki: Span
    basis: Basis


def occupancy(regimen: Regimen, person: Person, times_min: Any, *, scenario: Scenario | None = None) -> Occupancy:
    """Return the index at ``times_min`` (T,) with its band over free fraction, sampling site and enantiomer ratio.

    Models that state their sampling site and tell the enantiomers apart make the band; where none of them answers,
    all that answer. Raises what ``members`` raises. Sources: Ebert 1997 (Ki, grade B), binding (fu, grade A); the
    index itself is grade D.
    """
    times = one_row(times_min)
    return occupancy_of(levels(regimen, person, times, scenario=scenario), times)


def occupancy_of(known: Sequence[Level], times: Array) -> Occupancy:
    """Return the index from levels at ``times`` (T,)."""
    stated = [level for level in known if level.enantiomers and level.matrix is not Matrix.UNKNOWN]
    used = stated or list(known)
    s, r = (np.stack([getattr(level, side)[PLASMA] for level in used]) / MOLAR_MASS["ketamine"] for side in "sr")
    bound = s / KI_S.value + r / KI_R.value
    band = _banded(bound, bound, bound)
    other = _banded((s + r) / KI_RACEMATE.high, (s + r) / KI_RACEMATE.value, (s + r) / KI_RACEMATE.low)
    unstated = () if stated else ("The sampling site of these models is not stated: the true band is wider.",)
    models = dict.fromkeys(level.model.model_id for level in used)
    told = basis((FU, KI_S, KI_R, KI_RACEMATE), models, NEVER_MEASURED, OTHER_KI, *unstated)
    return Occupancy(times, band, band.peak(), other.peak(), told)


def _banded(low: Array, point: Array, high: Array) -> Band:
    return Band.of(np.median(_index(FU.value * point), axis=0), _index(FU.low * low), _index(FU.high * high))


def _index(z: Array) -> Array:
    return z / (1 + z)
