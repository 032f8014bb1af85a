"""A band of all models that answer, never across sampling sites that were asked for."""

from __future__ import annotations

import numpy as np
import pytest

from ketacore.pkpd import MODELS, ImpossibleInput, Matrix, MatrixMismatch, NotAnswered, ensemble, members
from ketacore.pkpd.ensemble import by_site
from tests.core.pkpd.people import ADULT, FILM_50, INFUSION, NASAL_84, S_INFUSION, YOUNG, one

TIMES = np.arange(0, 241, 20.0)


def ids(regimen: object, matrix: Matrix | None, **given: object) -> set[str]:
    return {m.model.model_id for m in members(regimen, YOUNG, matrix=matrix, **given)}  # type: ignore[arg-type]


def test_who_answers() -> None:
    assert ids(S_INFUSION, Matrix.ARTERIAL) == {"simons-2022", "indand21-recalibrated"}
    assert ids(S_INFUSION, Matrix.VENOUS) == {"otto-2021", "perez-ruixo-2021"}
    assert ids(INFUSION, Matrix.ARTERIAL) == {
        "simons-2022", "indand21-recalibrated", "kamp-2020", "domino", "clements-1981",
    }  # fmt: skip
    assert ids(NASAL_84, None) == {"perez-ruixo-2021"}
    assert ids(FILM_50, None) == {"simons-2022"}


def test_a_racemic_dose_is_asked_with_both_ends_of_the_ratio() -> None:
    asked = [m.s_over_r for m in members(INFUSION, YOUNG) if m.model.model_id == "otto-2021"]
    assert asked == [1.165, 1.0]
    assert [m.s_over_r for m in members(INFUSION, YOUNG) if m.model.model_id == "domino"] == [1.165]


def test_the_band_holds_every_member() -> None:
    found = ensemble(INFUSION, YOUNG, TIMES)
    tops = {}
    for site in (Matrix.ARTERIAL, Matrix.VENOUS):
        low, high = found.band("ketamine", site)
        assert low.shape == high.shape == TIMES.shape
        for profile in found.members:
            curve = profile.concentrations_ng_per_ml["ketamine"][0]
            assert np.all((low <= curve) & (curve <= high)) or not MODELS[profile.model_id].fits(site)
        tops[site] = high[2]
    assert tops[Matrix.ARTERIAL] > tops[Matrix.VENOUS]
    assert "ask for one site" in found.notes[0]
    assert {"ketamine", "R-norketamine", "hydroxynorketamine"} <= set(found.analytes)


def test_arterial_and_venous_make_no_band_together() -> None:
    found = ensemble(INFUSION, YOUNG, TIMES)
    with pytest.raises(MatrixMismatch, match="factor of about 2"):
        found.band("ketamine")
    low, high = found.band("hydroxynorketamine")  # of arterial models only
    assert np.all(low <= high)
    with pytest.raises(NotAnswered):
        found.band("hydroxynorketamine", Matrix.VENOUS)


def test_a_band_is_of_the_site_the_ensemble_was_asked_for() -> None:
    arterial = ensemble(INFUSION, YOUNG, TIMES, matrix=Matrix.ARTERIAL)
    assert np.array_equal(arterial.band("ketamine", Matrix.ARTERIAL)[1], arterial.band("ketamine")[1])
    with pytest.raises(MatrixMismatch, match="has not asked the models of venous blood"):
        arterial.band("ketamine", Matrix.VENOUS)
    with pytest.raises(ImpossibleInput, match="arterial or venous"):
        ensemble(INFUSION, YOUNG, TIMES).band("ketamine", Matrix.UNKNOWN)
    with pytest.raises(NotAnswered, match="no member predicts hydroxynorketamine in venous blood"):
        ensemble(INFUSION, YOUNG, TIMES).band("hydroxynorketamine", Matrix.VENOUS)
    with pytest.raises(ImpossibleInput, match="one person"):
        ensemble(INFUSION, [YOUNG, YOUNG], TIMES)  # type: ignore[arg-type]


def test_members_of_each_site_with_those_of_none() -> None:
    sites = by_site(members(S_INFUSION, YOUNG))
    assert list(sites) == [Matrix.VENOUS, Matrix.ARTERIAL]
    assert [m.model.model_id for m in sites[Matrix.VENOUS]] == ["otto-2021", "perez-ruixo-2021"]
    assert [m.model.model_id for m in sites[Matrix.ARTERIAL]] == ["indand21-recalibrated", "simons-2022"]
    assert list(by_site(members(FILM_50, YOUNG))) == [None]


def test_one_sampling_site_needs_no_warning() -> None:
    found = ensemble(S_INFUSION, YOUNG, TIMES, matrix=Matrix.ARTERIAL)
    assert found.notes == ()
    with pytest.raises(NotAnswered, match="no member predicts R-ketamine"):
        found.band("R-ketamine")


def test_where_nobody_answers_each_says_why() -> None:
    with pytest.raises(NotAnswered) as refused:
        ensemble(one("ketamine", "im", 35), ADULT, TIMES)
    assert "no route im" in str(refused.value)
    with pytest.raises(NotAnswered):
        ensemble(NASAL_84, ADULT, TIMES, matrix=Matrix.ARTERIAL)


def test_a_scenario_leaves_only_models_that_can_answer_it() -> None:
    assert ids(INFUSION, None, scenario={"cyp2b6": "inhibited"}) == {"perez-ruixo-2021"}
