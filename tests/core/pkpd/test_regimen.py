"""What cannot be given, or be a person, is refused by name and says what to do."""

from __future__ import annotations

from typing import Any

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
        {**NASAL, "devices": 2.0},
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


@pytest.mark.parametrize("wrong", [(), 5, None, ("dose",), (DoseEvent(**IV),) * 501, (DoseEvent(**NASAL),) * 334])
def test_impossible_regimens(wrong: Any) -> None:
    with pytest.raises(ImpossibleInput):
        Regimen(wrong)


def test_a_nasal_dose_is_split_over_its_devices() -> None:
    assert DoseEvent(**NASAL).portions() == ((0, 28), (5, 28), (10, 28))
    assert DoseEvent(**{**NASAL, "amount_mg": 57}).portions() == ((0, 28), (5, 28), (10, 1))
    assert DoseEvent(**NASAL, devices=2, device_gap_min=7).portions() == ((0, 42), (7, 42))
    assert DoseEvent(**IV, start_min=3).portions() == ((3, 20),)


def test_devices_less_than_an_hour_apart_are_one_sitting() -> None:
    doses = [DoseEvent(**{**NASAL, "amount_mg": 28}, start_min=t) for t in (10, 0, 5, 69, 130)]
    assert Regimen((*doses, DoseEvent(**IV))).places() == ((2,), (0,), (1,), (3,), (0,), (0,))
    assert Regimen((DoseEvent(**NASAL), DoseEvent(**NASAL, start_min=5_000))).places() == ((0, 1, 2), (0, 1, 2))


def test_words_become_members_and_moments_are_listed() -> None:
    person = Person(45, 70, "female", "asian")  # type: ignore[arg-type]
    assert (person.sex, person.ancestry) == ("female", "asian")
    regimen = Regimen((DoseEvent(**IV, start_min=10, duration_min=20), DoseEvent(**NASAL)))
    assert regimen.breakpoints_min() == (0, 5, 10, 30)
    assert regimen.drugs == {"esketamine"}
    assert regimen.routes == {"iv", "nasal"}
