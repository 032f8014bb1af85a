"""Two arms side by side, solved exactly; a drive that does not fit is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ketacore.pkpd import Arms, DoseEvent, ImpossibleInput, Regimen, arms, occupancy
from ketacore.pkpd.mechanism import _rates, _turnover
from ketacore.pkpd.session import session_times
from tests.core.pkpd.people import ADULT, INFUSION, one


def arms_of(regimen: Regimen, hours: object = None) -> Arms:
    times, _ = session_times(regimen, np.array([0.0]))
    drive = occupancy(regimen, ADULT, times)
    return arms(drive) if hours is None else arms(drive, hours)


def test_the_turnover_agrees_with_a_solver() -> None:
    times = np.array([0.0, 1, 2, 5, 9])
    drive = np.array([0.2, 0.5, 0.4, 0.1, 0.0])
    hours = np.array([0.0, 0.5, 3, 8, 30, 100])
    found = _turnover(times, drive[None, :], hours)
    for set_ in range(3):
        rates = _rates()[set_][:7, :8]

        def pushed(t: float, y: np.ndarray, rates: np.ndarray = rates) -> np.ndarray:
            return rates[:, :7] @ y + rates[:, 7] * np.interp(t, times, drive, right=0.0)

        run = solve_ivp(pushed, (0, 100), np.zeros(7), rtol=1e-10, atol=1e-13, t_eval=hours, max_step=0.25)
        for place, state in enumerate((1, 6, 2, 5)):
            np.testing.assert_allclose(found[set_, 0, place], run.y[state], rtol=1e-5, atol=1e-7)


def test_both_arms_say_what_they_are() -> None:
    found = arms_of(INFUSION)
    for band in (found.fast, found.slow, found.glutamate, found.bdnf_mtor):
        assert band.point.shape == found.times_h.shape
        assert np.all((band.low >= 0) & (band.low <= band.point) & (band.point <= band.high) & (band.high < 1))
        assert band.high[0] == 0
    assert found.times_h[-1] == 4 * 7 * 24
    assert found.basis.grade == "D"
    assert any("never predicts" in note for note in found.basis.notes)
    assert any("side by side" in note for note in found.basis.notes)
    assert "does not order" in found.basis.says
    assert {"finding-7", "ebert-1997"} <= set(found.basis.sources)


def test_a_later_dose_is_not_anticipated() -> None:
    bolus = DoseEvent("ketamine", "iv", 35)  # type: ignore[arg-type]
    again = DoseEvent("ketamine", "iv", 35, start_min=7 * 1440.0)  # type: ignore[arg-type]
    hours = np.array([24.0, 100, 160, 180, 240])
    once, twice = (arms_of(Regimen(doses), hours).slow.point for doses in ((bolus,), (bolus, again)))
    np.testing.assert_allclose(twice[:3], once[:3], rtol=1e-3)
    assert np.all(twice[3:] > once[3:])


def test_more_is_more_and_never_passes_the_ceiling() -> None:
    small, large = (arms_of(one("ketamine", "iv", mg, duration_min=40)) for mg in (20, 200))
    assert np.all(small.slow.point <= large.slow.point)
    assert np.all(large.fast.high < 1)


def test_a_drive_that_does_not_fit_is_refused() -> None:
    drive = occupancy(INFUSION, ADULT, [0.0, 10, 20])
    with pytest.raises(ImpossibleInput, match="do not belong together"):
        arms(replace(drive, times_min=np.array([0.0, 10])))
    with pytest.raises(ImpossibleInput):
        arms(drive, [5, 1])
