from __future__ import annotations

import pytest

from ketacore.units import BloodPressure, Dose, DosePerKg, ImpossibleValue, Percent, Weight


def test_a_dose_per_weight_gives_milligrams() -> None:
    assert DosePerKg(0.5).for_weight(Weight(70)) == Dose(35.0)


@pytest.mark.parametrize("kilograms", [-1, 0, 700, float("nan"), float("inf")])
def test_impossible_weights_are_refused(kilograms: float) -> None:
    with pytest.raises(ImpossibleValue, match="expected"):
        Weight(kilograms)


def test_quantities_speak_their_unit() -> None:
    assert str(Percent(97)) == "97 %"
    assert str(BloodPressure(128, 80)) == "128/80"


@pytest.mark.parametrize(("upper", "lower"), [(20, 10), (400, 90), (120, 5), (80, 120), (100, 100)])
def test_impossible_pressures_are_refused(upper: int, lower: int) -> None:
    with pytest.raises(ImpossibleValue):
        BloodPressure(upper, lower)
