"""The numbers this project ships are those of the reference they were taken from."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ketacore.pkpd import MODELS, Matrix, Noticed
from ketacore.pkpd.incidence import DOSES_MG, GONE, ONSET, OVER_IN_MOST, PEAK
from ketacore.pkpd.validation import DATA, TARGETS, Target
from tests.support.tree import ROOT

REFERENCE = ROOT.parent / "shared/pharmacology"
MODEL_OF = {
    "PerezRuixo2021_esketamine": "perez-ruixo-2021",
    "Fanta2015_Sket_as_in_Otto2021": "otto-2021",
    "Simons2022_Sket_OTF": "simons-2022",
    "Kamp2020_Anesthesiology_as_in_opentiva": "kamp-2020",
    "Domino_as_in_opentiva": "domino",
    "Clements1981_250mcgkg_as_in_opentiva": "clements-1981",
    "Herd2007": "herd-2007",
    "Hornik2018": "hornik-2018",
    "cardiac2015": "cardiac-2015",
    "Flint2017_Sket": "flint-2017",
}
LEFT_OUT = {("otto-2021", "oral_F"), ("hornik-2018", "F_im")}
"""Routes these models are not asked for."""
DERIVED = {("T03", 0.0), ("T04", 0.0), ("T15", 30.0), ("T15", 9.5)}
"""Curves, whose published value is an error of nothing, and the middle of a printed range."""
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


def numbers_of(thing: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of a nested document with the names it stands under, joined by dots."""
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield from numbers_of(value, f"{name}.{key}" if name else key)
    elif isinstance(thing, list):
        for value in thing:
            yield from numbers_of(value, name)
    elif isinstance(thing, int | float) and not isinstance(thing, bool):
        yield name, float(thing)


def test_every_parameter_of_the_reference_stands_in_its_model() -> None:
    if not REFERENCE.exists():
        return
    given = json.loads((REFERENCE / "params.json").read_text(encoding="utf-8"))
    blocks = {**given, **given["pediatric"]}
    missing = []
    for block, model_id in MODEL_OF.items():
        there = tomllib.loads((DATA / "models" / f"{model_id}.toml").read_text(encoding="utf-8"))
        values = [value for _, value in numbers_of(there)]
        named = {name: parameter["value"] for name, parameter in there["parameters"].items()}
        for name, value in numbers_of(blocks[block]):
            told = [named[name]] if name in named and not isinstance(named[name], str) else values
            if value not in told and (model_id, name) not in LEFT_OUT:
                missing.append((model_id, name, value))
    assert missing == []


def rows_of_targets(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_every_published_value_is_the_one_that_was_published() -> None:
    if not REFERENCE.exists():
        return
    rows = rows_of_targets(REFERENCE / "targets.csv")
    wrong = []
    for target in TARGETS:
        if target.target not in rows:
            wrong += [] if _in_the_clinical_facts(target) else [(target.target, target.published)]
            continue
        row = rows[target.target]
        told = [float(n) for n in NUMBER.findall(" ; ".join(row[key] for key in ("statistic", "value", "spread")))]
        in_its_unit = {n * factor for n in told for factor in (1, 24, 60, 100)}
        if not any(abs(target.published - n) < 1e-9 * max(1, n) for n in in_its_unit):
            wrong.append((target.target, target.published))
    assert set(wrong) == DERIVED


def _in_the_clinical_facts(target: Target) -> bool:
    """Return whether a row of the clinical reference says so: a rise in per cent, or "unchanged"."""
    lines = (REFERENCE.parent / "clinical/spravato.md").read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in lines if line.startswith(f"| {target.target} |")]
    words = "Cmax unchanged" if target.published == 1 else f"AUC about +{round(100 * (target.published - 1))} %"
    return words in row and row.rstrip().endswith(f"| {target.grade} |")


def test_shares_and_course_of_a_spray_are_those_of_the_clinical_facts() -> None:
    if not REFERENCE.exists():
        return
    lines = (REFERENCE.parent / "clinical/spravato.md").read_text(encoding="utf-8").splitlines()
    rows = {line.split("|")[1].strip(): line for line in lines if line.startswith("| ")}
    for of, row in ((Noticed.SEDATION, rows["PD-01"]), (Noticed.DISSOCIATION, rows["PD-03"])):
        assert [f"{of.at(dose).value:g} %" for dose in DOSES_MG] == [cell.strip() for cell in row.split("|")[3:5]]
    assert f"starts ≈{ONSET.value:g} min after the first device" in rows["SPR-MON-12"]
    assert f"peaks {PEAK.low:g}–{PEAK.high:g} min, MOAA/S back to 5 by" in rows["SPR-MON-12"]
    assert f"by {OVER_IN_MOST.low:g}–{OVER_IN_MOST.high:g} min in most" in rows["SPR-MON-12"]
    assert f"sleepiness equal to placebo at {GONE.high / 60:g} h" in rows["SPR-MON-12"]


def test_sites_are_kept_apart() -> None:
    """A model named for a target is of the site the target was sampled from, or one of them leaves the site open."""
    if not REFERENCE.exists():
        return
    sampled = {name: row["matrix"] for name, row in rows_of_targets(REFERENCE / "targets.csv").items()}
    assert {"arterial", "venous"} <= {sampled.get(target.target) for target in TARGETS}
    wrong = [
        (target.target, name)
        for target in TARGETS
        for name in target.models
        if sampled.get(target.target) in (Matrix.ARTERIAL, Matrix.VENOUS)
        and not MODELS[name].fits(Matrix(sampled[target.target]))
    ]
    assert wrong == []
