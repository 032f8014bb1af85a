"""Covariates, variability and clearance: typical people, drawn people, changed people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ketacore.pkpd import (
    MODELS,
    DoseEvent,
    ImpossibleInput,
    NotAnswered,
    Person,
    Regimen,
    exposure,
    population,
    simulate,
    typical,
    with_effects,
)
from tests.core.pkpd.people import ADULT, FILM_50, YOUNG

PEREZ, OTTO, SIMONS = MODELS["perez-ruixo-2021"], MODELS["otto-2021"], MODELS["simons-2022"]


def parameter(model: Any, name: str, **person: Any) -> float:
    return float(typical(model, Person(**{"age_y": 45, "weight_kg": 70, **person})).parameters[name][0])


def test_allometry_scales_only_what_the_source_scales() -> None:
    assert parameter(OTTO, "CL", weight_kg=140) == pytest.approx(95.2 / 60 * 2**0.75)
    assert parameter(OTTO, "V1", weight_kg=140) == pytest.approx(266)
    assert parameter(OTTO, "Vp1", weight_kg=140) == pytest.approx(187)


def test_age_lowers_liver_flow_after_60() -> None:
    assert parameter(PEREZ, "Qh", age_y=60) == pytest.approx(151 / 60)
    assert parameter(PEREZ, "Qh", age_y=75) == pytest.approx((151 - 15 * 2.19) / 60)


def test_ancestry_acts_as_published() -> None:
    assert parameter(PEREZ, "FRn", ancestry="japanese") == pytest.approx(0.54 * 1.34)
    assert parameter(PEREZ, "kel", ancestry="asian") == pytest.approx(1.11 * 0.36 / 60)
    assert parameter(PEREZ, "CLn", ancestry="japanese") == pytest.approx(38 * 0.81 / 60)
    assert parameter(PEREZ, "FRn", ancestry="caucasian") == pytest.approx(0.54)


def test_several_people_at_once() -> None:
    people = typical(OTTO, [ADULT, Person(30, 100)])
    assert people.size == 2
    assert people.parameters["Vp1"].shape == (1,)


def test_a_population_has_the_published_spread() -> None:
    drawn = population(OTTO, 20_000, np.random.default_rng(1), ADULT)
    logs = np.log([drawn.parameters[name] for name in OTTO.effects])
    np.testing.assert_allclose(np.cov(logs), OTTO.omega, atol=0.003)
    assert np.mean(logs[1]) == pytest.approx(np.log(95.2 / 60), abs=0.005)
    again = population(OTTO, 20_000, np.random.default_rng(1), ADULT)
    assert np.array_equal(again.parameters["CL"], drawn.parameters["CL"])


def test_occasions_differ_as_published() -> None:
    drawn = population(SIMONS, 20_000, np.random.default_rng(1), YOUNG, occasions=2)
    first, second = (np.log(drawn.on(k).parameters["F1"]) for k in (0, 1))
    assert np.var(first) == pytest.approx(0.06, rel=0.05) and np.mean(first) == pytest.approx(np.log(0.263), abs=0.01)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    transit = [np.log(drawn.on(k).parameters["MTT_K_NK"]) for k in (0, 1)]
    assert np.var(transit[0]) == pytest.approx(0.021 + 0.751, rel=0.05)
    assert np.cov(transit)[0, 1] == pytest.approx(0.021, abs=0.02)  # what the person keeps
    assert np.array_equal(drawn.on(0).parameters["VK1"], drawn.on(1).parameters["VK1"])
    assert drawn.changed({"F1": 2.0}).on(1).parameters["F1"] == pytest.approx(2 * np.exp(second))
    assert typical(SIMONS, YOUNG).on(5).parameters["F1"] == pytest.approx(0.263)


def test_people_drawn_for_fewer_occasions_than_there_are_say_so() -> None:
    twice = Regimen((*FILM_50.doses, DoseEvent("esketamine", "film", 50, start_min=5_000)))  # type: ignore[arg-type]
    with pytest.raises(ImpossibleInput, match="drawn for 1 occasion"):
        simulate(SIMONS, twice, population(SIMONS, 3, np.random.default_rng(1), YOUNG), [60.0])


def test_each_occasion_adds_what_its_own_doses_leave() -> None:
    later = DoseEvent("ketamine", "film", 50, start_min=2_880)  # type: ignore[arg-type]
    both, second = Regimen((*FILM_50.doses, later)), Regimen((later,))
    people = population(SIMONS, 4, np.random.default_rng(1), YOUNG, occasions=2)
    found = simulate(SIMONS, both, people, [60.0, 2_940.0]).concentrations_ng_per_ml
    parts = [
        simulate(SIMONS, of, people.on(k), [60.0, 2_940.0]).concentrations_ng_per_ml
        for k, of in enumerate((FILM_50, second))
    ]
    np.testing.assert_allclose(found["S-ketamine"], sum(part["S-ketamine"] for part in parts), rtol=1e-12)
    np.testing.assert_allclose(found["ketamine"], found["S-ketamine"] + parts[1]["R-ketamine"], rtol=1e-12)
    areas = exposure(SIMONS, both, people, auc_min=(0, 100_000))["S-ketamine"]
    each = [exposure(SIMONS, of, people.on(k))["S-ketamine"] for k, of in enumerate((FILM_50, second))]
    np.testing.assert_allclose(areas.auc_infinity_ng_h_per_ml, sum(e.auc_infinity_ng_h_per_ml for e in each))
    np.testing.assert_allclose(areas.auc_ng_h_per_ml, areas.auc_infinity_ng_h_per_ml, rtol=1e-6)
    np.testing.assert_allclose(areas.half_life_h, np.maximum(*(e.half_life_h for e in each)))


def test_a_fraction_stays_a_fraction() -> None:
    drawn = population(PEREZ, 2_000, np.random.default_rng(1), Person(45, 70, ancestry="japanese"))  # type: ignore[arg-type]
    assert np.all((drawn.parameters["FRn"] > 0) & (drawn.parameters["FRn"] < 1))
    assert np.median(drawn.parameters["FRn"]) == pytest.approx(0.54 * 1.34, abs=0.02)


def test_a_model_without_published_variability_draws_typical_people() -> None:
    drawn = population(MODELS["domino"], 3, np.random.default_rng(1), ADULT)
    assert drawn.size == 1
    assert drawn.parameters["V1"] == pytest.approx(0.063 * 70)


@pytest.mark.parametrize("wrong", [{"model": "otto-2021"}, {"rng": None}, {"rng": 5}, {"occasions": 0}])
def test_a_population_of_nothing_is_refused_by_name(wrong: dict[str, Any]) -> None:
    given = {"model": OTTO, "n": 2, "rng": np.random.default_rng(1), "person": ADULT} | wrong
    with pytest.raises(ImpossibleInput):
        population(**given)


def test_an_id_is_no_model() -> None:
    with pytest.raises(ImpossibleInput, match="'otto-2021' is no model"):
        simulate("otto-2021", FILM_50, YOUNG, [60.0])  # type: ignore[arg-type]
    with pytest.raises(ImpossibleInput):
        typical("otto-2021", YOUNG)  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [0, -1, 2.5, True, "many", 10**9])
def test_a_senseless_population_is_refused(n: Any) -> None:
    with pytest.raises(ImpossibleInput):
        population(OTTO, n, np.random.default_rng(1), ADULT)


@pytest.mark.parametrize("people", [None, 5, [], ["me"], "me"])
def test_who_is_nobody_is_refused(people: Any) -> None:
    with pytest.raises(ImpossibleInput):
        typical(OTTO, people)


def test_children_are_not_answered() -> None:
    with pytest.raises(NotAnswered):
        typical(OTTO, Person(17, 60))


def test_who_was_not_studied_is_named() -> None:
    assert typical(SIMONS, Person(25, 70)).notes == ()
    assert typical(SIMONS, Person(60, 70)).notes == ("Extrapolated: simons-2022 was studied at age 19-32 y.",)
    assert len(typical(PEREZ, Person(90, 200)).notes) == 2


@pytest.mark.parametrize("model", [PEREZ, OTTO], ids=lambda m: m.model_id)
def test_total_clearance_is_divided_also_behind_a_liver(model: Any) -> None:
    people = with_effects(typical(model, ADULT), np.zeros((1, len(model.effects))))

    def total(of: Any) -> float:
        p = of.parameters
        if model is OTTO:
            return float(p["CL"][0])
        intrinsic = (p["kel"] + p["kmet"]) * p["Vh"]
        return float((p["Qh"] * intrinsic / (p["Qh"] + intrinsic))[0])

    assert total(people.clearance_divided_by(1.165)) == pytest.approx(total(people) / 1.165)
    assert total(people.clearance_divided_by(1.0)) == pytest.approx(total(people))
    if model is PEREZ:
        assert total(people) * 60 == pytest.approx(109.0, abs=0.05)
