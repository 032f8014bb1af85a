"""Dissociation is an intensity from arterial models only; where there is none, a typed answer says so."""

from __future__ import annotations

import numpy as np
import pytest

from ketacore.pkpd import (
    Dissociation,
    ImpossibleInput,
    Matrix,
    MatrixMismatch,
    Unanswered,
    dissociation,
    intensity_at,
)
from tests.core.pkpd.people import ADULT, FILM_50, INFUSION, NASAL_84, S_INFUSION

TIMES = np.arange(0, 181, 5.0)


def test_half_of_the_largest_effect_at_c50() -> None:
    np.testing.assert_allclose(intensity_at([0, 71, 1e9], Matrix.ARTERIAL), [0, 0.5, 1])
    assert intensity_at(71.0, Matrix.ARTERIAL, c50_ng_per_ml=142) == pytest.approx(1 / 3)


@pytest.mark.parametrize("matrix", [Matrix.VENOUS, Matrix.UNKNOWN])
def test_only_arterial_blood_answers(matrix: Matrix) -> None:
    with pytest.raises(MatrixMismatch, match="arterial"):
        intensity_at(71.0, matrix)
    with pytest.raises(MatrixMismatch):
        dissociation(S_INFUSION, ADULT, TIMES, matrix=matrix)


@pytest.mark.parametrize("level", [-1.0, float("nan"), float("inf")])
def test_no_concentration_is_refused(level: float) -> None:
    with pytest.raises(ImpossibleInput):
        intensity_at(level, Matrix.ARTERIAL)
    with pytest.raises(ImpossibleInput):
        intensity_at(1.0, "capillary")  # type: ignore[arg-type]


@pytest.mark.parametrize("regimen", [INFUSION, S_INFUSION, FILM_50])
def test_an_intensity_with_its_band(regimen: object) -> None:
    found = dissociation(regimen, ADULT, TIMES)  # type: ignore[arg-type]
    assert isinstance(found, Dissociation)
    band = found.intensity
    assert np.all((band.low >= 0) & (band.low <= band.point) & (band.point <= band.high) & (band.high < 1))
    assert band.low[0] == 0
    assert found.peak.low < found.peak.point < found.peak.high
    assert found.basis.grade == "D"
    assert "does not order" in found.basis.says
    assert {"simons-2022-part2", "olofsen-2012", "simons-2022"} <= set(found.basis.sources)
    assert any("not how many people" in note for note in found.basis.notes)


def test_a_nasal_dose_has_no_arterial_model() -> None:
    found = dissociation(NASAL_84, ADULT, TIMES)
    assert isinstance(found, Unanswered)
    (label,) = found.known
    assert (label.low, label.high, label.target, label.same_route) == (61, 84, "T53", True)
    assert "no arterial model" in found.because
