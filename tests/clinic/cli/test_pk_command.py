"""``ketaclinic pk``: tables, JSON and pictures of expected concentrations; refusals in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ketaclinic.cli.main import run

NASAL, INFUSION = ["--dose", "esketamine nasal 84"], ["--dose", "ketamine iv 35 over 40"]


def told(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    assert run(["pk", *words]) == code
    read = capsys.readouterr()
    return read.out if code == 0 else read.err


def test_one_model_or_the_band_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    one = told(["simulate", "--model", "perez-ruixo-2021", *NASAL], capsys)
    assert "S-ketamine     101 " in one and "does not order" in one and "Perez-Ruixo" in one
    band = told(["simulate", *INFUSION], capsys)
    assert "Blood drawn: venous" in band and "Blood drawn: arterial" in band
    assert re.findall(r"^ketamine +(\d+ \(.*?\))", band, re.MULTILINE) == ["168 (125 to 240)", "253 (177 to 298)"]
    assert "Models: clements-1981, domino, otto-2021" in band and "simons-2022" in band


def test_json_is_the_answer_of_the_core(capsys: pytest.CaptureFixture[str]) -> None:
    reply = json.loads(told(["simulate", *INFUSION, "--matrix", "venous", "--sex", "female", "--json"], capsys))
    assert reply["matrix"] == "venous" and reply["analytes"]["ketamine"]["band"]["cmax_ng_per_ml"][0] > 0


def test_a_refusal_is_json_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["simulate", "--model", "otto-2021"], ["compare", "--weight", "700"]):
        assert run(["pk", *words, *NASAL, "--json"]) == 1
        read = capsys.readouterr()
        assert read.out.count("\n") == 1 and not read.err
        refused = json.loads(read.out)
        assert set(refused) == {"refusal", "because", "do"} and refused["because"]


def test_a_picture_that_cannot_be_drawn_is_refused_in_json_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two_sites = ["compare", "--dose", "esketamine iv 20 over 20", "--plot", str(tmp_path / "x.svg"), "--json"]
    odd_name = ["simulate", *NASAL, "--plot", str(tmp_path / "x.gif"), "--json"]
    for words, do in ((two_sites, "--matrix"), (odd_name, ".png or .svg")):
        assert run(["pk", *words]) == 1
        read = capsys.readouterr()
        assert do in json.loads(read.out)["do"] and not read.err


def test_people_of_one_model_make_a_band(capsys: pytest.CaptureFixture[str]) -> None:
    one = ["simulate", "--model", "perez-ruixo-2021", *NASAL, "--patients", "50"]
    first, again = told(one, capsys), told([*one, "--seed", "1"], capsys)
    assert first == again != told([*one, "--seed", "2"], capsys)
    assert "S-ketamine     101 (" in first and "5th to the 95th percentile of 50 people" in first
    assert "an ensemble draws no population" in told(["simulate", *NASAL, "--patients", "50"], capsys, 1)


def test_several_doses_at_their_times(capsys: pytest.CaptureFixture[str]) -> None:
    both = ["--dose", "esketamine nasal 56 mg at 0", "--dose", "Esketamine  NASAL 28 at 180", "--json"]
    twice = json.loads(told(["simulate", *both], capsys))["analytes"]["S-ketamine"]["auc_0_24_ng_h_per_ml"]
    once = json.loads(told(["simulate", *both[:2], "--json"], capsys))["analytes"]["S-ketamine"]["auc_0_24_ng_h_per_ml"]
    assert once < twice


def test_models_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    table = told(["compare", "--dose", "esketamine iv 20 over 20"], capsys)
    assert "simons-2022" in table and "otto-2021" in table and "factor of about 2" in table
    two = json.loads(
        told(["compare", *INFUSION, "--model", "domino", "--model", "simons-2022", "--json"], capsys),
    )
    assert list(two) == ["domino", "simons-2022"]


def test_arterial_and_venous_stand_apart_and_are_never_drawn_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = ["compare", "--dose", "esketamine iv 20 over 20", "--model", "simons-2022", "--model", "otto-2021"]
    table = told(both, capsys)
    assert table.index("Blood drawn: arterial") < table.index("simons-2022") < table.index("Blood drawn: venous")
    assert run(["pk", *both, "--plot", str(tmp_path / "both.svg")]) == 1
    assert "--matrix" in capsys.readouterr().err and not (tmp_path / "both.svg").exists()


def test_an_interaction_is_a_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    oral = ["simulate", "--dose", "esketamine oral 14", "--model", "perez-ruixo-2021", "--json"]
    plain = json.loads(told(oral, capsys))["analytes"]["S-ketamine"]["auc_0_24_ng_h_per_ml"]
    changed = json.loads(told([*oral, "--scenario", "cyp2b6=inhibited"], capsys))
    assert changed["analytes"]["S-ketamine"]["auc_0_24_ng_h_per_ml"] > plain


def test_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    png, svg, again = tmp_path / "a.png", tmp_path / "b.svg", tmp_path / "c.svg"
    told(["simulate", *INFUSION, "--plot", str(png)], capsys)
    for path in (svg, again):
        told(["compare", *NASAL, "--plot", str(path)], capsys)
    assert png.read_bytes().startswith(b"\x89PNG") and svg.read_bytes() == again.read_bytes()
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")


def test_published_values(capsys: pytest.CaptureFixture[str]) -> None:
    table = told(["validate"], capsys)
    assert "T08" in table and "pass" in table and "docs/validation.md" in table
    assert "pass; by construction: fitted to this curve" in table
    assert "partly; 1 of 4 within the limits, published value outside the band" in table
    rows = json.loads(told(["validate", "--json"], capsys))
    assert all(row["explanation"] for row in rows if row["verdict"] in ("fail", "partly"))


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["simulate"], 2, "Missing option '--dose'"),
        (["simulate", "--dose", "esketamine nasal -84"], 2, "write DRUG ROUTE MG"),
        (["simulate", "--dose", "esketamine nasal 8.4.2"], 2, "a number has two points"),
        (["simulate", *NASAL, "--scenario", "grapefruit"], 2, "write NAME=WORD"),
        (["simulate", "--dose", "aspirin oral 500"], 1, "aspirin"),
        (["simulate", "--dose", "esketamine im 84"], 1, "has no route im"),
        (["simulate", *NASAL, "--weight", "700"], 1, "weight"),
        (["simulate", *NASAL, "--matrix", "arterial"], 1, "arterial"),
        (["simulate", *NASAL, "--model", "nobody-1900"], 1, "is not known"),
        (["simulate", *NASAL, "--plot", "a.gif"], 1, "neither .png nor .svg"),
        (["simulate", *NASAL, "--plot", "no-such-folder/a.png"], 1, "there is no folder"),
        (["simulate", *NASAL, "--until", "nan"], 1, "until_h"),
    ],
)
def test_what_has_no_answer_is_refused_in_words(
    words: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(words, capsys, code)
    assert says in said and "Traceback" not in said


def test_without_the_library_that_draws_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ketaclinic.pkpd.presenters.plots.find_spec", lambda name: None)
    said = told(["simulate", *NASAL, "--plot", str(tmp_path / "a.png")], capsys, 1)
    assert "pip install 'ketaclinic[plots]'" in said and not (tmp_path / "a.png").exists()
