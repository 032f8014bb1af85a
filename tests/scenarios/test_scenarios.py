"""Every folder here is one person, asked through ``ketacore ROOM``: readable by a clinician who reads no Python.

``facts.json`` is what the room reads; the folder's name begins with the room, or ``room`` names it.
``decision.json`` must come out: each field given there is equal, a list of findings may be written as rule ids.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SCENARIOS = sorted(path.parent for path in HERE.glob("*/facts.json"))


def room_of(folder: Path) -> str:
    named = folder / "room"
    return named.read_text().strip() if named.exists() else folder.name.split("-")[0]


def ids(value: Any) -> Any:
    if isinstance(value, list):
        return [v["rule_id"] if isinstance(v, dict) and "rule_id" in v else v for v in value]
    return value


def check(expected: Any, actual: Any, where: str) -> None:
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in actual, f"{where}: {key} is not in the answer"
            check(value, actual[key], f"{where}.{key}")
    elif isinstance(expected, list) and all(isinstance(v, str) for v in expected):
        assert expected == ids(actual), where
    else:
        assert expected == actual, where


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda path: path.name)
def test_the_decision_is_as_written(folder: Path) -> None:
    room = room_of(folder)
    with (folder / "facts.json").open("rb") as facts:
        ran = subprocess.run(
            [sys.executable, "-m", "ketacore.cli", room], stdin=facts, capture_output=True, check=False
        )
    expected = json.loads((folder / "decision.json").read_text())
    assert ran.returncode == (2 if "refusal" in expected else 0), ran.stdout
    check(expected, json.loads(ran.stdout), folder.name)


def test_there_are_ten_people_to_screen() -> None:
    assert sum(room_of(path) == "screening" for path in SCENARIOS) >= 10
