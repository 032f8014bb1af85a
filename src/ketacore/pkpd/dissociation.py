"""Dissociation over time: the intensity that the effect site explains, as a share of the largest effect.

Emax · Ce / (C50 + Ce) with C50 71 ng/mL of arterial S-ketamine (Simons 2022 part 2, T49). An intensity of a typical
person, not the share of people who dissociate (``incidence.py``): the label's 61-84 % (T53) cannot be compared with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketacore.pkpd.bands import Band, Basis, Span, basis
from ketacore.pkpd.constants import EFFECTS
from ketacore.pkpd.effect_site import KE0
from ketacore.pkpd.interactions import Scenario
from ketacore.pkpd.levels import Level, levels, one_row
from ketacore.pkpd.model import Matrix
from ketacore.pkpd.refusals import MatrixMismatch, impossible
from ketacore.pkpd.regimen import Person, Regimen, one_of
from ketacore.pkpd.system import Array
from ketacore.pkpd.unanswered import Unanswered, unanswered

C50, EMAX, R_AS_S = (EFFECTS[name] for name in ("dissociation_c50", "dissociation_emax", "r_as_s"))
NOT_INCIDENCE = "An intensity (share of the largest effect) of a typical person, not how many people dissociate (T53)."
SHAPE = (
    "Over 0-200 ng/mL of racemate Bowdle saw effects rise in a line (T50, r 0.93-0.99). The curve does so if arterial "
    "equals venous blood, as at a held level (r 0.96; just below 0.93 if R-ketamine counts in full); were arterial "
    "levels 2.4 times the venous ones it would bend more (r 0.86-0.92) than he saw."
)
NO_ARTERIAL = "no arterial model answers this regimen, and C50 was found in arterial blood"


@dataclass(frozen=True, slots=True)
class Dissociation:
    """``intensity`` (0-1) at ``times_min`` (T,), its ``peak``, and what it rests on."""

    times_min: Array
    intensity: Band
    peak: Span
    basis: Basis


def intensity_at(effect_site_ng_per_ml: Any, matrix: Matrix, *, c50_ng_per_ml: float = C50.value) -> Array:
    """Return the intensity (0-1), same shape, at an arterial effect-site concentration of S-ketamine in ng/mL.

    Raises ``MatrixMismatch`` for venous or unstated blood, ``ImpossibleInput`` for what is no concentration.
    Source: Simons 2022 part 2 (T49), grade A for C50; the largest effect is set to 1 (grade D).
    """
    check_arterial(matrix)
    level = np.asarray(effect_site_ng_per_ml, dtype=float)
    if not np.all(np.isfinite(level)) or np.any(level < 0):
        raise impossible("a concentration is below 0 or no number", "Give ng/mL of 0 and above.")
    return EMAX.value * level / (c50_ng_per_ml + level)


def check_arterial(matrix: Matrix) -> None:
    """Raise ``MatrixMismatch`` for blood that is not arterial: no rule turns venous C50 into arterial."""
    if one_of(Matrix, "matrix", matrix) is not Matrix.ARTERIAL:
        because = f"C50 was found in arterial blood, and no published rule turns {matrix} concentrations into arterial"
        raise MatrixMismatch("Calculating dissociation", [because], "Ask arterial models.")


def dissociation(
    regimen: Regimen,
    person: Person,
    times_min: Any,
    *,
    matrix: Matrix = Matrix.ARTERIAL,
    scenario: Scenario | None = None,
) -> Dissociation | Unanswered:
    """Return the intensity at ``times_min`` (T,) with its band over arterial models, delay, C50 and R-ketamine.

    ``Unanswered`` where no arterial model answers (nasal, oral). Raises ``MatrixMismatch`` for a ``matrix`` that is
    not arterial, and what ``members`` raises.
    """
    check_arterial(matrix)
    times = one_row(times_min)
    return dissociation_of(levels(regimen, person, times, scenario=scenario), regimen, times)


def dissociation_of(known: Sequence[Level], regimen: Regimen, times: Array) -> Dissociation | Unanswered:
    """Return the intensity from levels at ``times`` (T,)."""
    arterial = [level for level in known if level.matrix is Matrix.ARTERIAL]
    if not arterial:
        on_label = EFFECTS["dissociation_on_label"]
        return unanswered("How strong is dissociation, and when?", NO_ARTERIAL, on_label, regimen, [NOT_INCIDENCE])
    s, r = (np.stack([getattr(level, side) for level in arterial]) for side in "sr")
    middle = np.median(_intensity(s[:, 0] + R_AS_S.value * r[:, 0], C50.value), axis=0)
    band = Band.of(middle, _intensity(s + R_AS_S.low * r, C50.high), _intensity(s + R_AS_S.high * r, C50.low))
    models = dict.fromkeys(level.model.model_id for level in arterial)
    return Dissociation(times, band, band.peak(), basis((C50, EMAX, R_AS_S, KE0), models, NOT_INCIDENCE, SHAPE))


def _intensity(level: Array, c50: float) -> Array:
    return EMAX.value * level / (c50 + level)
