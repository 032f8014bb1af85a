"""The request and reply of the shell: the contract, its refusals, and whatever hostile people send."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ketacore import cli
from ketacore.evidence import Refusal
from ketacore.pkpd import MODELS, exposure, population
from ketacore.pkpd.ask import _drawn_alone, answer, person_in, regimen_in

DOSE: dict[str, Any] = {"drug": "esketamine", "route": "nasal", "amount_mg": 84, "start_min": 0, "devices": 3}
INFUSION: dict[str, Any] = {"drug": "ketamine", "route": "iv", "amount_mg": 35, "start_min": 180, "duration_min": 40}
REQUEST: dict[str, Any] = {
    "model": "perez-ruixo-2021",
    "person": {"age_y": 45, "weight_kg": 70, "sex": "female", "ancestry": "caucasian"},
    "doses": [{**DOSE, "device_gap_min": 5}, INFUSION],
    "matrix": "venous",
    "until_h": 24,
    "scenario": None,
}
FILM: dict[str, Any] = {"drug": "ketamine", "route": "film", "amount_mg": 50}
FIGURES = {"cmax_ng_per_ml", "tmax_min", "auc_0_24_ng_h_per_ml", "half_life_h"}


def test_the_contract() -> None:
    reply = answer(REQUEST)
    assert {"model", "matrix", "grade", "source", "notes", "analytes"} <= set(reply)
    assert (reply["model"], reply["matrix"], reply["grade"]) == ("perez-ruixo-2021", None, "B")
    assert {"S-ketamine", "R-ketamine", "ketamine", "S-norketamine", "R-norketamine"} <= set(reply["analytes"])
    assert all(set(analyte) == FIGURES for analyte in reply["analytes"].values())
    assert reply["analytes"]["S-ketamine"]["cmax_ng_per_ml"] == pytest.approx(101.2, abs=0.1)


def test_a_film_has_hydroxynorketamine_under_both_names() -> None:
    reply = answer(
        {**REQUEST, "model": "simons-2022", "matrix": None, "doses": [{**DOSE, "route": "film", "devices": None}]}
    )
    assert reply["matrix"] == "arterial"
    assert reply["analytes"]["hydroxynorketamine"] == reply["analytes"]["S-hydroxynorketamine"]


def test_an_ensemble_has_bands() -> None:
    reply = answer({**REQUEST, "model": "ensemble", "doses": [INFUSION], "matrix": "venous"})
    assert reply["matrix"] == "venous"
    assert {"otto-2021", "perez-ruixo-2021"} <= set(reply["members"])
    for analyte in reply["analytes"].values():
        for name in FIGURES:
            low, high = analyte["band"][name]
            assert low <= analyte[name] <= high
    assert any(note.startswith("otto-2021: ") for note in reply["notes"])
    everywhere = answer({**REQUEST, "model": "ensemble", "doses": [INFUSION], "matrix": None})
    assert everywhere["matrix"] == "venous" and "(other_sites)" in everywhere["notes"][0]
    assert everywhere["analytes"] == reply["analytes"] and everywhere["members"] == reply["members"]
    arterial = answer({**REQUEST, "model": "ensemble", "doses": [INFUSION], "matrix": "arterial"})
    assert everywhere["other_sites"] == {"arterial": {name: arterial[name] for name in ("members", "analytes")}}
    assert "other_sites" not in reply


def test_a_racemate_of_more_models_than_its_enantiomers_says_that_it_is_no_sum() -> None:
    reply = answer({**REQUEST, "model": "ensemble", "doses": [INFUSION], "matrix": "venous"})
    found = reply["analytes"]
    assert (
        found["S-ketamine"]["members"] == ["otto-2021", "perez-ruixo-2021"] and len(found["ketamine"]["members"]) == 4
    )
    assert [n for n in reply["notes"] if "not the sum" in n] == [
        "ketamine is the median of 4 models and S-ketamine of 2: "
        "the racemate is not the sum of the enantiomers shown here."
    ]


def test_what_is_left_empty_is_as_if_left_out() -> None:
    plain = answer({**REQUEST, "doses": [DOSE]})
    assert answer({**REQUEST, "doses": [{**DOSE, "devices": 3.0}], "until_h": None, "scenario": {}}) == plain


def test_one_model_alone_has_the_band_of_people() -> None:
    reply = answer({**REQUEST, "model": "ensemble", "doses": [DOSE], "matrix": None})
    low, high = reply["analytes"]["S-ketamine"]["band"]["cmax_ng_per_ml"]
    assert reply["members"] == ["perez-ruixo-2021"] and low < 70 < 101 < 130 < high
    assert reply["population"]["patients"] == 200 and any("percentile of 200 people" in n for n in reply["notes"])
    years = regimen_in([{**DOSE, "start_min": 3_000.0 * week} for week in range(300)])
    alone, simons = _drawn_alone(MODELS["perez-ruixo-2021"], years), MODELS["simons-2022"]
    assert alone is not None and alone.patients == 111
    films = regimen_in(
        [{"drug": "ketamine", "route": "film", "amount_mg": 50, "start_min": 1440 * n} for n in range(30)]
    )
    some = _drawn_alone(simons, films)
    assert some is not None and some.patients == 100_000 // 900
    assert _drawn_alone(simons, regimen_in([{**FILM, "start_min": 1440 * n} for n in range(300)])) is None


def test_too_many_occasions_to_draw_leave_figures_without_a_band() -> None:
    films = [{**FILM, "start_min": 1440 * n} for n in range(230)]
    reply = answer({**REQUEST, "model": "ensemble", "matrix": None, "doses": films})
    assert "population" not in reply and reply["matrix"] == "arterial"
    figures = reply["analytes"]["S-ketamine"]
    assert figures["band"]["cmax_ng_per_ml"] == [figures["cmax_ng_per_ml"]] * 2
    assert "S-ketamine: simons-2022 alone predicts it, so its band tells nothing." in reply["notes"]


def test_the_one_site_of_all_models_is_told() -> None:
    film = answer({**REQUEST, "model": "ensemble", "matrix": None, "doses": [FILM]})
    assert film["matrix"] == "arterial" and film["members"] == ["simons-2022"]
    assert answer({**REQUEST, "model": "ensemble", "matrix": None, "doses": [DOSE]})["matrix"] is None


def test_whole_floats_draw_people_too() -> None:
    few = {**REQUEST, "matrix": None, "doses": [DOSE]}
    by_float = answer({**few, "population": {"patients": 3.0, "seed": 1.0}})
    assert by_float == answer({**few, "population": {"patients": 3, "seed": 1}})


def test_what_one_member_alone_predicts_is_named() -> None:
    reply = answer({**REQUEST, "model": "ensemble", "doses": [INFUSION], "matrix": None})
    assert "arterial: S-hydroxynorketamine: simons-2022 alone predicts it, so its band tells nothing." in reply["notes"]
    assert "domino: The sampling site of this model is not stated." in reply["notes"]
    assert not any("alone predicts" in note for note in answer({**REQUEST, "doses": [INFUSION]})["notes"])


def test_a_model_asked_with_two_ratios_counts_once_in_the_middle() -> None:
    ensemble = answer({**REQUEST, "model": "ensemble", "doses": [INFUSION], "matrix": "venous"})
    figures = []
    for name in ensemble["members"]:
        exposures = [
            exposure(MODELS[name], regimen_in([INFUSION]), person_in(REQUEST["person"]), s_over_r=ratio)["ketamine"]
            for ratio in ((1.165, 1.0) if name in ("otto-2021", "perez-ruixo-2021") else (1.165,))
        ]
        figures.append(np.mean([e.cmax_ng_per_ml[0] for e in exposures]))
    assert ensemble["analytes"]["ketamine"]["cmax_ng_per_ml"] == pytest.approx(np.median(figures), rel=1e-5)


def test_a_dose_after_the_window_is_told() -> None:
    reply = answer({**REQUEST, "doses": [{**DOSE, "start_min": 3_000}], "until_h": 1})
    assert reply["analytes"]["S-ketamine"]["cmax_ng_per_ml"] == 0
    assert [note for note in reply["notes"] if note.startswith("A dose starts")] == [
        "A dose starts at 1 h or later: what comes of it after that is not in the highest concentrations.",
        "A dose starts at 24 h or later: areas are those of the first 24 h.",
    ]


def test_a_dose_at_the_end_of_the_window_leaves_nothing_but_what_is_there_at_once() -> None:
    end = {**REQUEST, "matrix": None, "until_h": 24}
    spray = answer({**end, "doses": [{**DOSE, "start_min": 1440}]})["analytes"]["S-ketamine"]
    assert spray["cmax_ng_per_ml"] == 0 and spray["auc_0_24_ng_h_per_ml"] == 0
    bolus = answer({**end, "doses": [{**INFUSION, "start_min": 1440, "duration_min": 0}]})["analytes"]["ketamine"]
    assert bolus["cmax_ng_per_ml"] == pytest.approx(35 / 192 * 1000, rel=1e-5)


def test_the_grade_of_a_model_and_of_the_rules_it_is_asked_by() -> None:
    assert [answer(REQUEST)[name] for name in ("grade", "lowest_grade")] == ["B", "D"]
    plain = answer({**REQUEST, "doses": [DOSE]})
    assert (plain["grade"], plain["lowest_grade"]) == ("B", "B")


POPULATION = {"patients": 1000, "seed": 1}
BANDED = ["cmax_ng_per_ml", "auc_0_24_ng_h_per_ml", "tmax_min"]


@pytest.mark.parametrize("name", ["perez-ruixo-2021", "otto-2021"])
def test_a_population_has_bands_around_the_typical_person(name: str) -> None:
    doses = [{**INFUSION, "start_min": 0}]
    request = {**REQUEST, "model": name, "doses": doses if name == "otto-2021" else REQUEST["doses"]}
    reply, plain = answer({**request, "population": POPULATION}), answer({**request, "population": None})
    assert reply["population"] == {**POPULATION, "percentiles": [5, 95]} and "population" not in plain
    assert reply["notes"] == [*plain["notes"], reply["notes"][-1]] and "1000 people" in reply["notes"][-1]
    for analyte, figures in reply["analytes"].items():
        band = figures.pop("band")
        assert figures == plain["analytes"][analyte]
        assert set(band) == set(BANDED)
        assert all(low <= figures[figure] <= high for figure, (low, high) in band.items())
        assert band["cmax_ng_per_ml"][0] < band["cmax_ng_per_ml"][1]


def test_the_bands_are_the_percentiles_of_the_people_drawn_at_the_seed() -> None:
    model, person = MODELS["perez-ruixo-2021"], person_in(REQUEST["person"])
    drawn = population(model, 1000, np.random.default_rng(1), person)
    found = exposure(model, regimen_in(REQUEST["doses"]), drawn)["ketamine"]
    band = answer({**REQUEST, "population": POPULATION})["analytes"]["ketamine"]["band"]
    for figure, values in zip(BANDED, (found.cmax_ng_per_ml, found.auc_ng_h_per_ml, found.tmax_min), strict=True):
        assert band[figure] == pytest.approx(np.percentile(values, [5, 95]).tolist(), rel=1e-5)


def test_a_seed_decides_who_is_drawn() -> None:
    few, other = {**REQUEST, "population": {"patients": 20, "seed": 1}}, {"patients": 20, "seed": 2}
    first, again, third = answer(few), answer(few), answer({**few, "population": other})
    assert first == again
    assert first["analytes"]["S-ketamine"]["band"] != third["analytes"]["S-ketamine"]["band"]


def test_a_film_gives_hydroxynorketamine_its_band_under_both_names() -> None:
    film = [{**DOSE, "route": "film", "devices": None}]
    few = {"patients": 10, "seed": 4_294_967_295}
    reply = answer({**REQUEST, "model": "simons-2022", "matrix": None, "doses": film, "population": few})
    found = reply["analytes"]
    assert found["hydroxynorketamine"]["band"] == found["S-hydroxynorketamine"]["band"]


def test_an_interaction_moves_the_band_too() -> None:
    oral = {**REQUEST, "doses": [{"drug": "esketamine", "route": "oral", "amount_mg": 14}]}
    oral["population"] = {"patients": 50, "seed": 1}
    plain, inhibited = (answer({**oral, "scenario": scenario}) for scenario in (None, {"cyp2b6": "inhibited"}))
    low, high = (reply["analytes"]["S-ketamine"]["band"]["auc_0_24_ng_h_per_ml"] for reply in (plain, inhibited))
    assert low[0] < high[0] and low[1] < high[1]


def test_a_scenario_is_noted() -> None:
    oral = {"drug": "esketamine", "route": "oral", "amount_mg": 14}
    reply = answer({**REQUEST, "doses": [oral], "scenario": {"cyp2b6": "inhibited"}, "until_h": None} | {"until_h": 6})
    assert any("ticlopidine" in note for note in reply["notes"])


@pytest.mark.parametrize(
    "change",
    [
        {"model": "nobody-2026"},
        {"model": None},
        {"model": "herd-2007"},
        {"model": "simons-2022", "doses": [INFUSION]},
        {"surprise": 1},
        {"person": None},
        {"person": {"age_y": 45}},
        {"person": {"age_y": 45, "weight_kg": 700}},
        {"person": {"age_y": 45, "weight_kg": 70, "shoe": 44}},
        {"person": {"age_y": 12, "weight_kg": 40}},
        {"doses": []},
        {"doses": None},
        {"doses": [5]},
        {"doses": [{}]},
        {"doses": [{**DOSE, "amount_mg": -84}]},
        {"doses": [{**DOSE, "colour": "blue"}]},
        {"doses": [DOSE] * 2001},
        {"doses": [DOSE] * 667},
        {"doses": [INFUSION, DOSE]},
        {"doses": [{**INFUSION, "route": "im", "duration_min": 0}], "model": "ensemble"},
        {"matrix": "capillary"},
        {"matrix": "unknown"},
        {"matrix": "arterial"},
        {"matrix": ["venous"]},
        {"until_h": 0},
        {"until_h": "24"},
        {"until_h": 1e9},
        {"scenario": {"inducer": "rifampicin"}},
        {"scenario": "grapefruit"},
        {"scenario": {"cyp2b6": {}}},
        {"population": {}},
        {"population": 1000},
        {"population": [POPULATION]},
        {"population": {"patients": 1000}},
        {"population": {"seed": 1}},
        {"population": {**POPULATION, "sex": "female"}},
        *({"population": {**POPULATION, "patients": n}} for n in (1, 0, -5, 10_001, True, 1000.5, "1000", None, [9])),
        *({"population": {**POPULATION, "seed": n}} for n in (-1, 2**32, 1e300, True, 1.5, "1", None, {})),
        {"population": {**POPULATION, "patients": float("nan")}},
        {"population": {**POPULATION, "seed": float("inf")}},
        {"population": {"patients": 10_000, "seed": 1}, "doses": [DOSE] * 4},
        {"population": POPULATION, "model": "ensemble"},
        {"population": POPULATION, "model": "domino", "doses": [INFUSION], "matrix": None},
    ],
)
def test_what_cannot_be_answered_is_refused(
    change: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = json.dumps({**REQUEST, **change}).encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    assert cli.main(["pkpd"]) == 2
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert set(json.loads(out)) == {"refusal", "because", "do"}


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
ROUTES = ["iv", "im", "nasal", "oral", "sublingual", "film"]
DOSES = st.fixed_dictionaries(
    {"drug": st.sampled_from(["esketamine", "ketamine"]) | JUNK, "route": st.sampled_from(ROUTES) | JUNK},
    optional={name: st.integers(0, 90) | JUNK for name in ("amount_mg", "start_min", "duration_min", "devices")},
)
REQUESTS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["ensemble", "perez-ruixo-2021", "otto-2021", "domino"]) | JUNK,
        "person": st.just({"age_y": 45, "weight_kg": 70}) | JUNK,
        "doses": st.lists(DOSES, max_size=2) | JUNK,
    },
    optional={
        "matrix": st.sampled_from(["arterial", "venous", None]) | JUNK,
        "until_h": JUNK,
        "scenario": JUNK,
        "population": st.fixed_dictionaries({"patients": st.integers(2, 20) | JUNK, "seed": JUNK}) | JUNK,
        "x": JUNK,
    },
)


@pytest.mark.parametrize(
    ("change", "because", "do"),
    [
        ({"model": "ensemble"}, "an ensemble draws no population", "Name one model"),
        ({"model": "domino", "doses": [INFUSION]}, "domino publishes no variability", "otto-2021, perez-ruixo-2021"),
        ({"population": {"patients": 10_001, "seed": 1}}, "patients is outside 2 to 10000", "from 2 to 10000"),
        ({"population": {**POPULATION, "patients": float("nan")}}, "patients is not", "whole number"),
        (
            {"population": {"patients": 9_000, "seed": 1}, "doses": [DOSE] * 4},
            "12 portions take too long",
            "at most 8333 patients",
        ),
    ],
)
def test_a_population_that_cannot_be_drawn_is_told_why(change: dict[str, Any], because: str, do: str) -> None:
    with pytest.raises(Refusal) as told:
        answer({**REQUEST, "matrix": None, "population": POPULATION, **change})
    assert because in told.value.because[0] and do in told.value.do


@given(REQUESTS)
@settings(max_examples=60, deadline=None)
def test_whatever_is_sent_is_answered_or_refused(request: dict[str, Any]) -> None:
    try:
        json.dumps(answer(request), allow_nan=False)
    except Refusal as refusal:
        assert refusal.refused and refusal.because and refusal.do
