"""Interactions act where the structure lets them, and say so where there is no number."""

from __future__ import annotations

from typing import Any

import pytest

from ketacore.pkpd import INTERACTIONS, MODELS, ImpossibleInput, NotAnswered, exposure, simulate
from tests.core.pkpd.people import ADULT, S_INFUSION, one

PEREZ = MODELS["perez-ruixo-2021"]
ORAL = one("esketamine", "oral", 14)


def auc_ratio(regimen: Any, scenario: dict[str, str]) -> float:
    plain, changed = (
        exposure(PEREZ, regimen, ADULT, scenario=given)["S-ketamine"].auc_infinity_ng_h_per_ml[0]
        for given in (None, scenario)
    )
    return float(changed / plain)


def test_less_intrinsic_clearance_raises_the_oral_more_than_the_intravenous_dose() -> None:
    assert auc_ratio(ORAL, {"cyp2b6": "inhibited"}) == pytest.approx(2.4)
    assert auc_ratio(S_INFUSION, {"cyp2b6": "inhibited"}) == pytest.approx(1.39, abs=0.005)


def test_the_gut_has_a_ceiling() -> None:
    assert auc_ratio(ORAL, {"cyp3a4": "inhibited"}) == pytest.approx(1 / 0.64)
    assert auc_ratio(S_INFUSION, {"cyp3a4": "inhibited"}) == pytest.approx(1.0)
    assert auc_ratio(ORAL, {"cyp3a4": "inhibited", "cyp2b6": "inhibited"}) == pytest.approx(2.4 / 0.64)
    assert auc_ratio(ORAL, {}) == 1


def test_a_number_taken_from_its_own_target_says_so() -> None:
    notes = simulate(PEREZ, ORAL, ADULT, [60.0], scenario={"cyp2b6": "inhibited"}).notes
    assert any("does not test the model" in note for note in notes)


@pytest.mark.parametrize("pair", [pair for pair, row in INTERACTIONS.items() if row.refused])
def test_without_a_number_nothing_is_invented(pair: tuple[str, str]) -> None:
    with pytest.raises(NotAnswered, match=r"holds (no number|only a figure of grade C)"):
        simulate(PEREZ, ORAL, ADULT, [60.0], scenario=dict([pair]))


@pytest.mark.parametrize(
    "scenario", [{"cyp2d6": "inhibited"}, {"cyp2b6": "boosted"}, {"cyp2b6": 1}, {1: "x"}, "cyp2b6", []]
)
def test_an_unknown_scenario_is_refused(scenario: Any) -> None:
    with pytest.raises(ImpossibleInput):
        simulate(PEREZ, ORAL, ADULT, [60.0], scenario=scenario)


def test_a_model_without_a_liver_cannot_tell() -> None:
    with pytest.raises(NotAnswered, match="cannot tell intrinsic clearance"):
        simulate(MODELS["otto-2021"], S_INFUSION, ADULT, [60.0], scenario={"cyp2b6": "inhibited"})
