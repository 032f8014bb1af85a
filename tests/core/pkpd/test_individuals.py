"""Covariates, variability and clearance: typical people, drawn people, changed people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ketacore.pkpd import MODELS, ImpossibleInput, NotAnswered, Person, population, typical, with_effects
from tests.core.pkpd.people import ADULT

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


def test_a_fraction_stays_a_fraction() -> None:
    drawn = population(PEREZ, 2_000, np.random.default_rng(1), Person(45, 70, ancestry="japanese"))  # type: ignore[arg-type]
    assert np.all((drawn.parameters["FRn"] > 0) & (drawn.parameters["FRn"] < 1))
    assert np.median(drawn.parameters["FRn"]) == pytest.approx(0.54 * 1.34, abs=0.02)


def test_a_model_without_published_variability_draws_typical_people() -> None:
    drawn = population(MODELS["domino"], 3, np.random.default_rng(1), ADULT)
    assert drawn.size == 1
    assert drawn.parameters["V1"] == pytest.approx(0.063 * 70)


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
