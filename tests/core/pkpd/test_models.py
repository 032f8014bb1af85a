"""Each model is whole, says what it rests on, and a broken file is refused with its place."""

from __future__ import annotations

import re
from importlib import resources
from math import log

import numpy as np
import pytest

from ketacore.evidence import Grade
from ketacore.pkpd import MODELS, Model, ModelDataError, parse_model, simulate
from tests.core.pkpd.people import S_INFUSION, YOUNG

OTTO = (resources.files("ketacore.pkpd") / "data/models/otto-2021.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda m: m.model_id)
def test_a_model_says_what_it_rests_on(model: Model) -> None:
    assert model.title and model.citation and model.transcription and model.studied.people and model.gaps
    assert model.source.startswith(model.citation)
    assert model.grade in (Grade.A, Grade.B)
    assert {Grade.C: False}.get(model.grade, model.enabled) is model.enabled


def test_what_is_for_children_is_kept_out_of_the_way() -> None:
    disabled = {m.model_id for m in MODELS.values() if not m.enabled}
    assert disabled == {"herd-2007", "hornik-2018", "cardiac-2015", "flint-2017"}
    assert all(MODELS[name].why_disabled for name in disabled)


def test_units_become_minutes_and_litres() -> None:
    otto, domino = MODELS["otto-2021"].parameters, MODELS["domino"].parameters
    assert otto["CL"].value == pytest.approx(95.2 / 60)
    assert (otto["CL"].printed, otto["CL"].unit) == (95.2, "L/h")
    assert domino["V1"].value == pytest.approx(0.063 * 70)
    assert domino["V1"].allometry == 1
    assert MODELS["perez-ruixo-2021"].parameters["Dsw"].value == pytest.approx(0.53 * 60)


def test_variability_is_read_as_published() -> None:
    otto, perez = MODELS["otto-2021"], MODELS["perez-ruixo-2021"]
    assert otto.effects == ("V1", "CL", "Vn", "CLn")
    np.testing.assert_allclose(otto.omega[1], [0.02261, 0.026048, 0, 0])
    variance = dict(zip(perez.effects, np.diag(perez.omega), strict=True))
    assert variance["Vc"] == pytest.approx(log(1 + 0.275**2))
    assert variance["FRn"] == pytest.approx(0.708**2)
    assert "kmet" not in perez.effects


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "otto-2021"', "", "id is missing"),
        ('matrix = "venous"', 'matrix = "capillary"', "capillary"),
        ('unit = "L/h", allometry = 0.75, omega2 = 0.026048', 'unit = "gallons"', "unknown unit"),
        ('to = "peripheral1"', 'to = "toe"', "unknown state toe"),
        ('times = ["CL"]', 'times = ["clearance"]', "unknown parameter clearance"),
        ("[parameters]", '[parameters]\nspare = { value = 1, unit = "1" }', "used nowhere"),
        ("value = 95.2", "value = -95.2", "not above 0"),
        ('grade = "B"', 'grade = "C"', "grade C"),
        ("enabled = true", "enabled = false", "why_disabled is missing"),
        ("omega2 = 0.026048", "omega_2 = 0.026048", "parameter has no omega_2; it has: allometry"),
        ("allometry = 0.75", "alometry = 0.75", "parameter has no alometry"),
        ("[[covariances]]", "[[covariance]]", "model has no covariance"),
        ('between = ["V1", "CL"]', 'between = ["V1", "Vx"]', "covariances name Vx"),
        ("omega2 = 0.02261", "omega2 = 0.9", "covariances are larger than the variances allow"),
        ("enabled = true", 'enabled = "no"', "neither true nor false"),
        (
            "omega2 = 0.026048",
            "omega2 = 0.026048, occasion_omega2 = -1",
            "occasion_omega2 of parameter CL is not above",
        ),
        ('value = 133, unit = "L"', 'value = 133, unit = "L/h"', "is no rate: look at the units of Q1, V1"),
        ('times = ["CL"]\nover = ["V1"]', 'times = ["CL"]', "the flow from central to nk is no rate"),
        ('volume = ["V1"]', 'volume = ["CL"]', "what S-ketamine is read by is no volume"),
        ('to = "central"\n\n', 'to = "central"\nlasting = "V1"\n\n', "V1 lasts no time"),
        ('to = "central"\n\n', 'to = "central"\nshare = { times = ["V1"] }\n\n', "a share of a dose is no share"),
        ('analyte = "S-ketamine"', 'analyte = "S-ketamin"', "analyte S-ketamin is not known"),
        ("value = 133", 'value = "133"', "value of V1 is not a number"),
        ("[studied]", "[studied]\nage_y = [45, 18]", "age_y runs from 45 down to 18"),
        ("[studied]", "[studied", "otto"),
        ('states = ["central"', "states = 5 # [", "otto"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(old: str, new: str, says: str) -> None:
    assert old in OTTO
    with pytest.raises(ModelDataError, match=re.escape(says)):
        parse_model(OTTO.replace(old, new, 1), "otto")


def test_every_analyte_is_a_concentration_of_a_known_molecule() -> None:
    names = {name for model in MODELS.values() for name in model.analytes}
    assert names == {"ketamine", "S-ketamine", "S-norketamine", "S-hydroxynorketamine"}


def test_metabolites_leave_as_their_own_mass() -> None:
    """The same amount of norketamine molecules weighs less than the ketamine it came from."""
    simons = MODELS["simons-2022"].outputs
    factors = {o.analyte: o.per_volume.factor for o in simons}
    assert factors["S-norketamine"] == pytest.approx(1000 * 223.70 / 237.73)
    assert simons[1].additive_ng_per_ml == pytest.approx(0.058 * 223.70)


def test_a_disabled_model_answers_research_only() -> None:
    kept = simulate(MODELS["flint-2017"], S_INFUSION, YOUNG, [20.0], research=True)
    assert kept.concentrations_ng_per_ml["S-norketamine"].shape == (1, 1)
