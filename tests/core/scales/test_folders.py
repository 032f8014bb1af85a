"""A folder adds an instrument; a file that contradicts itself is not loaded."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from ketacore.scales import SCALES, ScaleDataError, Score, load_scales, parse_scale, score

TEXT = (resources.files("ketacore.scales") / "gad7" / "scale.toml").read_text(encoding="utf-8")


def place(home: Path, name: str, text: str) -> Path:
    (home / name).mkdir()
    (home / name / "scale.toml").write_text(text, encoding="utf-8")
    return home


def test_adding_a_folder_adds_the_instrument(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "readme.txt").write_text("no instrument")
    scales = load_scales(place(tmp_path, "synth7", TEXT.replace('scale_id = "gad7"', 'scale_id = "synth7"')))
    assert list(scales) == ["synth7"]
    result = score(scales["synth7"], {item.key: 1 for item in scales["synth7"].items})
    assert isinstance(result, Score)
    assert (result.total, result.band.name) == (7, SCALES["gad7"].bands[1].name)


@pytest.mark.parametrize(
    ("folder", "old", "new", "told"),
    [
        ("other", "", "", "other: the folder and its scale_id gad7 differ"),
        ("gad7", 'stem = "', 'steam = "', "gad7: stem is missing"),
        ("gad7", "item_count = 7", "item_count = 8", "gad7: RS-03 names another number of items"),
    ],
)
def test_a_file_that_may_not_be_loaded(tmp_path: Path, folder: str, old: str, new: str, told: str) -> None:
    with pytest.raises(ScaleDataError, match=told):
        load_scales(place(tmp_path, folder, TEXT.replace(old, new, 1) if old else TEXT))


def _twice(d: dict[str, Any]) -> None:
    d["item"][1]["key"] = d["item"][0]["key"]


def _wider(d: dict[str, Any]) -> None:
    d["option"][-1]["value"] = 4


def _disorder(d: dict[str, Any]) -> None:
    d["rule"][0]["parameters"]["mild_from"] = 12


def _wordless(d: dict[str, Any]) -> None:
    d["licence"]["mode"] = "SCORE"


def _half_worded(d: dict[str, Any]) -> None:
    del d["item"][0]["text"]


def _no_such_item(d: dict[str, Any]) -> None:
    d["suicide_item"] = [{"item": "q99", "rule": "RS-03", "from": "mild_from"}]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_no_such_item, "q99 is not an item"),
        (_twice, "stands twice"),
        (_wider, "add up to 0-28"),
        (_disorder, "not in order"),
        (_wordless, "contradict"),
        (_half_worded, "contradict"),
    ],
)
def test_a_contradiction_is_refused(spoil: Callable[[dict[str, Any]], None], told: str) -> None:
    document = tomllib.loads(TEXT)
    spoil(document)
    with pytest.raises(ScaleDataError, match=told):
        parse_scale(document)


def test_an_item_may_have_answers_of_its_own() -> None:
    document = tomllib.loads(TEXT)
    document["item"][0]["options"] = [{"value": v, "text": f"own {v}"} for v in range(4)]
    assert parse_scale(document).items[0].words(2) == "own 2"
