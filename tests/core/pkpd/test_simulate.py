"""From a dose to concentrations: shapes, enantiomers, refusals, and what a reader must know."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest

from ketacore.evidence import Grade
from ketacore.pkpd import (
    MODELS,
    DoseEvent,
    ImpossibleInput,
    Matrix,
    MatrixMismatch,
    NotAnswered,
    Person,
    Regimen,
    check_comparable,
    population,
    simulate,
)
from ketacore.pkpd.simulate import lowest_grade
from tests.core.pkpd.people import ADULT, FILM_50, INFUSION, NASAL_84, S_INFUSION, YOUNG, one

PEREZ, OTTO, SIMONS = MODELS["perez-ruixo-2021"], MODELS["otto-2021"], MODELS["simons-2022"]
TIMES = np.arange(0, 301, 10.0)


def test_a_profile_says_what_it_is() -> None:
    profile = simulate(SIMONS, S_INFUSION, YOUNG, TIMES)
    assert (profile.matrix, profile.model_id, profile.grade) == (Matrix.ARTERIAL, "simons-2022", "B")
    assert "10.3389" in profile.source
    assert set(profile.concentrations_ng_per_ml) == {"S-ketamine", "S-norketamine", "S-hydroxynorketamine"}
    assert profile.concentrations_ng_per_ml["S-ketamine"].shape == (1, TIMES.size)
    assert profile.concentrations_ng_per_ml["S-ketamine"][0, 0] == 0


def test_many_people_and_their_own_times() -> None:
    people = population(PEREZ, 5, np.random.default_rng(1), ADULT)
    shared = simulate(PEREZ, NASAL_84, people, TIMES)
    own = simulate(PEREZ, NASAL_84, people, np.broadcast_to(TIMES, (5, TIMES.size)))
    for name, values in shared.concentrations_ng_per_ml.items():
        assert values.shape == (5, TIMES.size)
        np.testing.assert_allclose(values, own.concentrations_ng_per_ml[name], rtol=1e-9, atol=1e-9)


def test_a_racemic_dose_is_two_enantiomers_and_their_sum() -> None:
    found = simulate(OTTO, INFUSION, YOUNG, TIMES).concentrations_ng_per_ml
    assert set(found) == {f"{side}{name}" for side in ("S-", "R-", "") for name in ("ketamine", "norketamine")}
    np.testing.assert_allclose(found["ketamine"], found["S-ketamine"] + found["R-ketamine"])
    assert np.all(found["R-ketamine"][0, 5:] > found["S-ketamine"][0, 5:])


def test_equal_enantiomers_add_up_to_the_model_itself() -> None:
    racemic = simulate(OTTO, INFUSION, YOUNG, TIMES, s_over_r=1.0).concentrations_ng_per_ml["ketamine"]
    pure = simulate(OTTO, one("esketamine", "iv", 35, duration_min=40), YOUNG, TIMES).concentrations_ng_per_ml
    np.testing.assert_allclose(racemic, pure["S-ketamine"], rtol=1e-10)


def test_esketamine_after_ketamine_adds_to_the_s_side_only() -> None:
    both = Regimen((*INFUSION.doses, DoseEvent("esketamine", "iv", 20, start_min=100)))  # type: ignore[arg-type]
    alone = simulate(OTTO, INFUSION, YOUNG, TIMES).concentrations_ng_per_ml
    found = simulate(OTTO, both, YOUNG, TIMES).concentrations_ng_per_ml
    np.testing.assert_allclose(found["R-ketamine"], alone["R-ketamine"])
    assert np.all(found["S-ketamine"][0, 10:] > alone["S-ketamine"][0, 10:])


def test_a_racemic_model_answers_the_racemate() -> None:
    found = simulate(MODELS["kamp-2020"], INFUSION, YOUNG, TIMES)
    assert set(found.concentrations_ng_per_ml) == {"ketamine"}
    with pytest.raises(NotAnswered, match="does not describe esketamine"):
        simulate(MODELS["kamp-2020"], S_INFUSION, YOUNG, TIMES)


def test_a_film_reaches_metabolites_before_the_swallowed_part_reaches_blood() -> None:
    found = simulate(SIMONS, FILM_50, YOUNG, [20.0, 60.0, 180.0]).concentrations_ng_per_ml
    same = simulate(SIMONS, one("esketamine", "sublingual", 50), YOUNG, [20.0, 60.0, 180.0]).concentrations_ng_per_ml
    assert np.array_equal(found["S-ketamine"], same["S-ketamine"])
    assert found["S-norketamine"][0, 2] > found["S-ketamine"][0, 2]


def test_the_notes_name_rule_gaps_and_extrapolation() -> None:
    notes = " ".join(simulate(SIMONS, one("ketamine", "iv", 35), ADULT, TIMES).notes)
    for word in ("divided by 1.165", "Extrapolated", "exponents of weight", "mixed at once"):
        assert word in notes
    assert "not stated" in " ".join(simulate(PEREZ, NASAL_84, ADULT, TIMES).notes)


@pytest.mark.parametrize(
    "times",
    [[], [[[1.0]]], [1.0, 1.0], [2.0, 1.0], [float("nan")], [-1.0], [1e9], ["soon"], None, object(), [[1, 2], [1]]],
)
def test_impossible_times_are_refused(times: Any) -> None:
    with pytest.raises(ImpossibleInput):
        simulate(OTTO, S_INFUSION, YOUNG, times)


@pytest.mark.parametrize("ratio", [0.9, 0, float("nan"), "1", 11])
def test_a_senseless_ratio_is_refused(ratio: Any) -> None:
    with pytest.raises(ImpossibleInput):
        simulate(OTTO, INFUSION, YOUNG, TIMES, s_over_r=ratio)


def test_what_a_model_does_not_describe_is_refused() -> None:
    with pytest.raises(NotAnswered, match="no route nasal"):
        simulate(SIMONS, NASAL_84, YOUNG, TIMES)
    with pytest.raises(NotAnswered, match="no route im"):
        simulate(PEREZ, one("esketamine", "im", 20), YOUNG, TIMES)
    with pytest.raises(NotAnswered, match="disabled"):
        simulate(MODELS["herd-2007"], INFUSION, YOUNG, TIMES)
    with pytest.raises(ImpossibleInput, match="not a regimen"):
        simulate(PEREZ, "84 mg", YOUNG, TIMES)  # type: ignore[arg-type]
    with pytest.raises(ImpossibleInput, match="drawn for"):
        simulate(PEREZ, NASAL_84, population(OTTO, 2, np.random.default_rng(1), YOUNG), TIMES)


@pytest.mark.parametrize("model", [SIMONS, MODELS["kamp-2020"]], ids=lambda m: m.model_id)
def test_an_arterial_model_does_not_speak_for_veins(model: Any) -> None:
    with pytest.raises(MatrixMismatch):
        simulate(model, INFUSION, YOUNG, TIMES, matrix=Matrix.VENOUS)


def test_the_nasal_model_does_not_speak_for_arteries() -> None:
    assert simulate(PEREZ, NASAL_84, ADULT, TIMES, matrix=Matrix.VENOUS).matrix is Matrix.UNKNOWN
    with pytest.raises(MatrixMismatch):
        simulate(PEREZ, NASAL_84, ADULT, TIMES, matrix=Matrix.ARTERIAL)
    with pytest.raises(ImpossibleInput):
        simulate(PEREZ, NASAL_84, ADULT, TIMES, matrix="capillary")  # type: ignore[arg-type]


def test_arterial_is_never_compared_with_venous() -> None:
    check_comparable(Matrix.ARTERIAL, Matrix.ARTERIAL)
    check_comparable(Matrix.VENOUS, Matrix.UNKNOWN)
    with pytest.raises(MatrixMismatch, match="factor of about 2"):
        check_comparable(Matrix.VENOUS, Matrix.ARTERIAL)


def test_another_array_library_may_be_handed_in() -> None:
    there = simulate(PEREZ, NASAL_84, ADULT, TIMES, xp=array_api_strict).concentrations_ng_per_ml["S-ketamine"]
    here = simulate(PEREZ, NASAL_84, ADULT, TIMES).concentrations_ng_per_ml["S-ketamine"]
    np.testing.assert_allclose(np.asarray(there), here, rtol=1e-12)


def test_what_no_spray_can_give_is_answered_with_a_note() -> None:
    overfull = simulate(PEREZ, one("esketamine", "nasal", 84, devices=1), ADULT, TIMES)
    assert any("holds 28 mg by its label" in note for note in overfull.notes)
    racemic = simulate(PEREZ, one("ketamine", "nasal", 28), ADULT, TIMES)
    assert any("no published model describes it" in note for note in racemic.notes)
    plain = simulate(PEREZ, NASAL_84, ADULT, TIMES)
    assert not any("label" in note or "no published model" in note for note in plain.notes)


def test_whom_a_model_was_studied_in_is_told_or_told_to_be_unknown() -> None:
    assert any("not at hand" in note for note in simulate(OTTO, S_INFUSION, ADULT, TIMES).notes)
    assert any(note.startswith("Extrapolated") for note in simulate(PEREZ, NASAL_84, Person(90, 70), TIMES).notes)


@pytest.mark.parametrize(
    ("regimen", "scenario", "grade"),
    [
        (NASAL_84, None, Grade.B),
        (NASAL_84, {"cyp2b6": "inhibited"}, Grade.D),
        (INFUSION, None, Grade.D),
        (one("ketamine", "nasal", 28), None, Grade.D),
    ],
)
def test_an_answer_is_as_good_as_the_weakest_rule_it_rests_on(regimen: Regimen, scenario: Any, grade: Grade) -> None:
    assert lowest_grade(PEREZ, regimen, scenario) is grade


def test_a_tablet_under_the_tongue_is_told_to_be_taken_as_the_film() -> None:
    under, film = one("ketamine", "sublingual", 25), one("esketamine", "film", 50)
    simons = MODELS["simons-2022"]
    assert any("taken as the film" in note for note in simulate(simons, under, YOUNG, TIMES).notes)
    assert not any("taken as the film" in note for note in simulate(simons, film, YOUNG, TIMES).notes)
    assert (
        lowest_grade(simons, one("esketamine", "sublingual", 25)) is Grade.D and lowest_grade(simons, film) is Grade.B
    )


def test_what_is_assumed_of_a_dose_is_told() -> None:
    spray = simulate(PEREZ, NASAL_84, ADULT, TIMES).notes
    assert "Devices were not named: devices of 28 mg are taken, one after the other, 5 min apart." in spray
    named = simulate(PEREZ, one("esketamine", "nasal", 84, devices=3), ADULT, TIMES).notes
    assert not any("Devices were not named" in note for note in named)
    assert any("target T30" in note for note in simulate(PEREZ, one("ketamine", "oral", 25), ADULT, TIMES).notes)
    assert not any("T30" in note for note in simulate(PEREZ, one("esketamine", "oral", 25), ADULT, TIMES).notes)


def test_times_of_another_number_of_people_are_refused() -> None:
    rows = np.array([[10.0, 20.0]] * 3)
    with pytest.raises(ImpossibleInput, match="of 3 people, and there are 2"):
        simulate(OTTO, S_INFUSION, [YOUNG, YOUNG], rows)
    assert simulate(OTTO, S_INFUSION, YOUNG, rows).concentrations_ng_per_ml["S-ketamine"].shape == (3, 2)
    with pytest.raises(ImpossibleInput, match="not numbers"):
        simulate(OTTO, S_INFUSION, YOUNG, [1.0 + 2j])
