"""What cannot be given, or be a person, is refused by name and says what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ketacore.evidence import Refusal
from ketacore.pkpd import DoseEvent, ImpossibleInput, Person, Regimen

NAN = float("nan")
IV: dict[str, Any] = {"drug": "esketamine", "route": "iv", "amount_mg": 20}
NASAL: dict[str, Any] = {"drug": "esketamine", "route": "nasal", "amount_mg": 84}


@pytest.mark.parametrize(
    "wrong",
    [
        {**IV, "amount_mg": -1},
        {**IV, "amount_mg": 0},
        {**IV, "amount_mg": NAN},
        {**IV, "amount_mg": "20"},
        {**IV, "amount_mg": True},
        {**IV, "amount_mg": None},
        {**IV, "amount_mg": 10_001},
        {**IV, "amount_mg": 10**400},
        {**IV, "duration_min": 1e-9},
        {**IV, "drug": "propofol"},
        {**IV, "drug": 5},
        {**IV, "drug": ["esketamine"]},
        {**IV, "route": "rectal"},
        {**IV, "start_min": -1},
        {**IV, "start_min": float("inf")},
        {**IV, "duration_min": -1},
        {**IV, "devices": 1},
        {**NASAL, "duration_min": 5},
        {**NASAL, "devices": 0},
        {**NASAL, "devices": 2.5},
        {**IV, "amount_mg": np.float64("nan")},
        {**IV, "amount_mg": np.bool_(True)},
        {**NASAL, "devices": np.float32(2.5)},
        {**NASAL, "devices": True},
        {**NASAL, "devices": 10_000},
        {**NASAL, "device_gap_min": -5},
    ],
)
def test_impossible_doses(wrong: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleInput) as refused:
        DoseEvent(**wrong)
    assert isinstance(refused.value, Refusal)
    assert refused.value.because and refused.value.do


@pytest.mark.parametrize(
    "wrong",
    [
        {"age_y": 45, "weight_kg": 700},
        {"age_y": 45, "weight_kg": 0},
        {"age_y": 45, "weight_kg": 0.7},
        {"age_y": -1, "weight_kg": 70},
        {"age_y": NAN, "weight_kg": 70},
        {"age_y": None, "weight_kg": 70},
        {"age_y": 45, "weight_kg": 70, "sex": "x"},
        {"age_y": 45, "weight_kg": 70, "ancestry": "martian"},
    ],
)
def test_impossible_people(wrong: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleInput):
        Person(**wrong)


@pytest.mark.parametrize("wrong", [(), 5, None, ("dose",), (DoseEvent(**IV, start_min=5), DoseEvent(**IV))])
def test_impossible_regimens(wrong: Any) -> None:
    with pytest.raises(ImpossibleInput):
        Regimen(wrong)


def test_a_nasal_dose_is_split_over_its_devices() -> None:
    assert DoseEvent(**NASAL).portions() == ((0, 28), (5, 28), (10, 28))
    assert DoseEvent(**{**NASAL, "amount_mg": 57}).portions() == ((0, 28), (5, 28), (10, 1))
    assert DoseEvent(**NASAL, devices=2, device_gap_min=7).portions() == ((0, 42), (7, 42))
    assert DoseEvent(**IV, start_min=3).portions() == ((3, 20),)


def test_devices_less_than_an_hour_apart_are_one_sitting() -> None:
    doses = [DoseEvent(**{**NASAL, "amount_mg": 28}, start_min=t) for t in (0, 5, 10, 69, 130)]
    assert Regimen((DoseEvent(**IV), *doses)).places() == ((0,), (0,), (1,), (2,), (3,), (0,))
    assert Regimen((DoseEvent(**NASAL), DoseEvent(**NASAL, start_min=5_000))).places() == ((0, 1, 2), (0, 1, 2))


def test_a_regimen_has_as_many_doses_as_it_has() -> None:
    years = Regimen(DoseEvent(**NASAL, start_min=480.0 * n) for n in range(2_000))  # type: ignore[arg-type]
    assert years.portions == 6_000 and years.occasions()[-1] == 666


def test_doses_within_a_day_are_one_occasion() -> None:
    starts = (0, 360, 1439, 1440, 2879, 2880)
    assert Regimen(tuple(DoseEvent(**IV, start_min=t) for t in starts)).occasions() == (0, 0, 0, 1, 1, 2)


def test_numbers_of_numpy_are_numbers() -> None:
    by_numpy = DoseEvent(**{**NASAL, "amount_mg": np.float32(84), "devices": np.int64(3), "start_min": np.int16(0)})
    assert by_numpy == DoseEvent(**NASAL, devices=3) and type(by_numpy.amount_mg) is float
    assert Person(np.int64(45), np.float64(70)) == Person(45, 70)  # type: ignore[arg-type]


def test_words_become_members_and_moments_are_listed() -> None:
    person = Person(45, 70, "female", "asian")  # type: ignore[arg-type]
    assert (person.sex, person.ancestry) == ("female", "asian")
    regimen = Regimen((DoseEvent(**NASAL), DoseEvent(**IV, start_min=10, duration_min=20)))
    assert regimen.breakpoints_min() == (0, 5, 10, 30)
    assert regimen.drugs == {"esketamine"}
    assert regimen.routes == {"iv", "nasal"}
