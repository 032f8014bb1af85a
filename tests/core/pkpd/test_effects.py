"""One call gives a page all it shows, with each part as it would be alone."""

from __future__ import annotations

import numpy as np
import pytest

from ketacore.pkpd import (
    MODELS,
    SOURCES,
    Basis,
    Dissociation,
    ImpossibleInput,
    Incidence,
    Matrix,
    NotAnswered,
    Unanswered,
    dissociation,
    effects_of,
    ensemble,
    haemodynamics,
    occupancy,
)
from tests.core.pkpd.people import ADULT, INFUSION, NASAL_84, one

TIMES = np.linspace(0, 240, 49)


def test_each_part_is_what_it_is_alone() -> None:
    found = effects_of(INFUSION, ADULT, TIMES)
    alone = dissociation(INFUSION, ADULT, TIMES)
    assert isinstance(found.dissociation, Dissociation)
    assert isinstance(alone, Dissociation)
    np.testing.assert_allclose(found.dissociation.intensity.high, alone.intensity.high, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        found.occupancy.index.low, occupancy(INFUSION, ADULT, TIMES).index.low, rtol=1e-9, atol=1e-12
    )
    whole = haemodynamics(INFUSION, ADULT, TIMES)
    assert found.haemodynamics.peak_min == whole.peak_min
    assert found.haemodynamics.systolic.maxima == whole.systolic.maxima
    np.testing.assert_allclose(found.haemodynamics.systolic.mean_curve.point, whole.systolic.mean_curve.point)


def test_plasma_keeps_the_sampling_sites_apart() -> None:
    found = effects_of(INFUSION, ADULT, TIMES).plasma
    assert set(found) == set(Matrix)
    for plasma in found.values():
        assert np.all(plasma.s.high <= plasma.total.high)
        assert any("predicts no response" in note for note in plasma.basis.notes)
    assert found[Matrix.VENOUS].total.peak().high < found[Matrix.ARTERIAL].total.peak().low
    assert any("One model only" in note for note in found[Matrix.VENOUS].basis.notes)
    assert not any("One model only" in note for note in found[Matrix.ARTERIAL].basis.notes)
    whole = ensemble(INFUSION, ADULT, TIMES)
    for site, other in ((Matrix.ARTERIAL, "high"), (Matrix.VENOUS, "low")):
        edge = dict(zip(("low", "high"), whole.band("ketamine", site), strict=True))[other][10]
        sites = [getattr(found[m].total, other)[10] for m in (site, Matrix.UNKNOWN)]
        assert (max if other == "high" else min)(sites) == pytest.approx(edge)


def test_a_peak_before_the_moments_asked_for_is_still_the_peak() -> None:
    later = effects_of(INFUSION, ADULT, [200.0, 240.0])
    whole = effects_of(INFUSION, ADULT, TIMES)
    assert later.haemodynamics.systolic.mean_maximum.point == pytest.approx(
        whole.haemodynamics.systolic.mean_maximum.point, rel=1e-3
    )
    assert later.occupancy.peak.high < whole.occupancy.peak.high


def test_a_nasal_dose_answers_what_can_be_answered() -> None:
    found = effects_of(NASAL_84, ADULT, TIMES, times_h=[1.0, 24.0])
    assert set(found.plasma) == {Matrix.UNKNOWN}
    assert isinstance(found.dissociation, Unanswered)
    assert isinstance(found.sedated, Incidence) and isinstance(found.dissociated, Incidence)
    assert found.sedated.ever.point < found.dissociated.ever.point
    assert found.arms.times_h.tolist() == [1, 24]


def test_every_part_explains_and_does_not_order() -> None:
    found = effects_of(INFUSION, ADULT, TIMES)
    parts = [found.occupancy, found.dissociation, found.dissociated, found.sedated, found.haemodynamics, found.arms]
    for part in (*parts, *found.plasma.values()):
        assert isinstance(part.basis, Basis)
        assert "does not order" in part.basis.says
        assert part.basis.sources
        assert set(part.basis.sources) <= {*SOURCES, *MODELS}


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(NotAnswered):
        effects_of(one("ketamine", "im", 35), ADULT, TIMES)
    with pytest.raises(ImpossibleInput):
        effects_of(INFUSION, ADULT, [10.0, 5.0])
    with pytest.raises(ImpossibleInput):
        effects_of(INFUSION, ADULT, [[1.0], [2.0]])


def test_the_longest_times_are_still_answered() -> None:
    found = effects_of(one("esketamine", "iv", 20, start_min=999_999.0, duration_min=20), ADULT, [999_999.5])
    assert found.plasma[Matrix.ARTERIAL].s.point[0] > 0
