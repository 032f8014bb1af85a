"""What the safety case calls absent really is absent: whoever builds it has to answer for its hazards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.tree import ROOT, imported, python_files
from tools.asvs import asvs
from tools.hazards import absent, hazards

SRC = ROOT / "src"
CHECKS = {"paths", "modules", "distributions", "words_in_source"}
READ_AS_TEXT = {".py", ".js", ".html", ".typ"}


def _imported() -> set[str]:
    return {name for file in python_files(SRC) for name in imported(file)}


def _pinned() -> set[str]:
    text = (ROOT / "requirements/run.txt").read_text()
    return {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE)}


def _texts() -> list[Path]:
    return [f for f in SRC.rglob("*") if f.suffix in READ_AS_TEXT and "migrations" not in f.parts]


def _found(feature: dict[str, Any]) -> list[str]:
    """Return every trace of a feature in the source."""
    traces = [path for path in feature.get("paths", []) if (SRC / path).exists() or (SRC / f"{path}.py").exists()]
    imported = _imported()
    for module in feature.get("modules", []):
        traces += [name for name in imported if name == module or name.startswith(f"{module}.")]
    traces += sorted(set(feature.get("distributions", [])) & _pinned())
    for pattern in feature.get("words_in_source", []):
        traces += [f"{f.relative_to(SRC)}: {pattern}" for f in _texts() if re.search(pattern, f.read_text("utf-8"))]
    return traces


@pytest.mark.parametrize("key", absent())
def test_a_feature_called_absent_is_absent(key: str) -> None:
    feature = absent()[key]
    assert feature["words"] and set(feature) & CHECKS
    assert _found(feature) == [], "this exists now: revise docs/safety/hazards.toml and asvs.toml"


def test_a_feature_that_is_there_is_found() -> None:
    """Without this, a check that looks in the wrong place would call everything absent."""
    assert _found({"paths": ["ketaclinic/people"]}) == ["ketaclinic/people"]
    assert _found({"modules": ["django.urls"]})
    assert _found({"distributions": ["django", "nobody-has-this"]}) == ["django"]
    assert _found({"words_in_source": [r"def requires\("]}) == [r"ketaclinic/people/permissions.py: def requires\("]


def test_no_feature_is_called_absent_for_nothing() -> None:
    used = {control["absent"] for entry in hazards() for control in entry["control"] if "absent" in control}
    used |= {item["absent"] for item in asvs()["items"].values() if "absent" in item}
    assert set(absent()) - used == set()
