"""The highest rise of each patient stands apart from the mean curve; both are calibrated from the data."""

from __future__ import annotations

import numpy as np
import pytest

from ketacore.pkpd import ImpossibleInput, NotAnswered, Person, haemodynamics
from ketacore.pkpd.pressure import REFERENCE_PERSON, REFERENCE_REGIMEN, calibrate, patients_of
from tests.core.pkpd.people import ADULT, NASAL_84, S_INFUSION, one

TIMES = np.arange(0, 181, 10.0)


@pytest.mark.parametrize("share", [0, 0.3, 1])
@pytest.mark.parametrize("log_sd", [0, 0.5, 1])
def test_calibration_meets_the_mean_whatever_is_assumed(share: float, log_sd: float) -> None:
    of = calibrate(12.61, 3.28, share, log_sd)
    assert of.drug + of.excess == pytest.approx(12.61)
    assert 3.28 <= of.drug <= 12.61
    patients = patients_of(of, 1.0)
    assert np.mean(patients) == pytest.approx(12.61)
    assert np.all(patients >= 0)
    assert np.mean(patients_of(of, 0.0)) == pytest.approx(of.excess, abs=1e-12)


def test_a_group_mean_above_the_maximum_is_all_drug() -> None:
    assert calibrate(0.55, 1.06, 0.5, 0.5).excess == 0


@pytest.mark.parametrize(
    "given", [(-1, 3, 0.5, 0.5), (12, -3, 0.5, 0.5), (12, 3, 1.1, 0.5), (12, 3, 0.5, -1), (float("nan"), 3, 0.5, 1)]
)
def test_the_impossible_is_refused(given: tuple[float, float, float, float]) -> None:
    with pytest.raises(ImpossibleInput):
        calibrate(*given)


def test_maxima_and_mean_curve_are_kept_apart() -> None:
    found = haemodynamics(REFERENCE_REGIMEN, REFERENCE_PERSON, TIMES)
    for rise in (found.systolic, found.diastolic, found.heart_rate):
        curve = rise.mean_curve
        assert np.all((curve.low <= curve.point) & (curve.point <= curve.high) & (curve.low >= 0))
        assert rise.mean_peak.point < rise.mean_maximum.point
        tens = [rise.maxima[p] for p in (10, 50, 90)]
        assert [s.point for s in tens] == sorted(s.point for s in tens)
        assert all(s.low <= s.point <= s.high for s in (*tens, rise.mean_peak, rise.mean_maximum))
    assert found.systolic.unit == "mmHg"
    assert found.peak_min.low == pytest.approx(40, abs=0.1)
    assert 40 <= found.peak_min.point < found.peak_min.high <= 60
    assert found.basis.grade == "D"
    assert "does not order" in found.basis.says
    assert {"vankawala-2021", "riva-posse-2018", "kamp-2021"} <= set(found.basis.sources)
    assert not any("unstated" in note for note in found.basis.notes)


def test_the_share_above_a_limit() -> None:
    rise = haemodynamics(REFERENCE_REGIMEN, REFERENCE_PERSON, TIMES).systolic
    shares = [rise.share_above(limit, baseline=130) for limit in (130, 140, 160, 250)]
    assert shares[0].point == 1
    assert [s.point for s in shares] == sorted((s.point for s in shares), reverse=True)
    assert all(0 <= s.low <= s.point <= s.high <= 1 for s in shares)
    assert shares[1] == rise.share_above(10)
    assert rise.share_above(100, baseline=140).low == 1
    for wrong in ((-1, 0), (500, 0), (10, float("nan"))):
        with pytest.raises(ImpossibleInput):
            rise.share_above(*wrong)


def test_a_nasal_dose_says_that_its_model_stands_alone() -> None:
    found = haemodynamics(NASAL_84, REFERENCE_PERSON, TIMES)
    assert any("looks stronger" in note for note in found.basis.notes)
    assert found.systolic.mean_maximum.low < 12.61 < found.systolic.mean_maximum.high


def test_more_drug_is_more_rise() -> None:
    person = Person(age_y=60, weight_kg=90)
    small, large = (
        haemodynamics(one("esketamine", "iv", mg, duration_min=20), person, TIMES).systolic for mg in (10, 20)
    )
    assert np.all(small.mean_curve.high <= large.mean_curve.high + 1e-12)
    for part in ("low", "point", "high"):
        assert getattr(small.mean_maximum, part) <= getattr(large.mean_maximum, part)
    assert haemodynamics(S_INFUSION, person, TIMES).times_min.shape == TIMES.shape


def test_a_model_that_the_reference_infusion_does_not_ask_cannot_be_calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ketacore.pkpd.pressure.reference_peaks", dict)
    with pytest.raises(NotAnswered, match="calibrated at"):
        haemodynamics(NASAL_84, ADULT, TIMES)
