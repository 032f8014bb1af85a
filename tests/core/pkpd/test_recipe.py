"""The recipe of docs/guide/adding-a-pk-model.md works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ketacore.pkpd import Drug, Model, Person, Route, exposure, parse_model, population
from tests.core.pkpd.people import S_INFUSION, one

RECIPE = (Path(__file__).resolve().parents[3] / "docs/guide/adding-a-pk-model.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```toml\n(.*?)```", RECIPE, re.DOTALL)[0]


@pytest.fixture
def model() -> Model:
    return parse_model(EXAMPLE, "example")


def test_the_example_is_a_model(model: Model) -> None:
    assert set(model.routes) == {Route.IV, Route.ORAL}
    assert model.drugs == {Drug.ESKETAMINE, Drug.KETAMINE}
    assert model.effects == ("CL", "V", "F")
    assert model.omega[0][1] == 0.01
    assert model.occasion_variances == {"ka": 0.06}


def test_the_example_answers(model: Model) -> None:
    person = Person(30, 70)
    found = exposure(model, S_INFUSION, person)["S-ketamine"]
    assert found.auc_infinity_ng_h_per_ml[0] == pytest.approx(20 / 90 * 1000)
    swallowed = exposure(model, one("esketamine", "oral", 20), person)["S-ketamine"]
    assert swallowed.auc_infinity_ng_h_per_ml[0] == pytest.approx(0.2 * 20 / 90 * 1000)
    assert population(model, 9, np.random.default_rng(1), person).size == 9


def test_the_lines_of_the_recipe_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "example.toml").write_text(EXAMPLE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"```python\n(.*?)```", RECIPE, re.DOTALL)[0]
    names: dict[str, object] = {}
    exec("\n".join(line.removeprefix("   ") for line in code.splitlines()), names)
    assert names["profile"].concentrations_ng_per_ml["S-ketamine"].shape == (1, 4)  # type: ignore[attr-defined]
