"""Each rule at its decision point: the facts on which it fires, is clear, and cannot be checked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ketacore.evidence import Fact, Finding
from ketacore.screening import PREDICATES, RULES, Medicine, assess_candidacy
from ketacore.screening.rules import Asked
from ketacore.units import BloodPressure
from tests.core.screening.people import IV, NASAL, facts, failed, setting

US, EU, CH, NZ = "US", "EU", "CH", "NZ"
F, C, U = "fired", "clear", "not_evaluated"


def finding(rule_id: str, product: str, place: str, told: dict[str, Any]) -> Finding:
    found = assess_candidacy(facts(**told), setting(product, place)).findings
    return next(f for f in found if f.rule.rule_id == rule_id)


def medicine(name: str) -> dict[str, Any]:
    return {"medicines": (Medicine(name, source="told"),)}


def event(day: date | None) -> dict[str, Any]:
    return {"cardiovascular_event": True, "cardiovascular_event_on": day}


def yes_no(rule_id: str, name: str, product: str = NASAL, place: str = US) -> list[tuple[Any, ...]]:
    values = ((True, F), (False, C), (None, U), (Fact.not_known(), U))
    return [(rule_id, product, place, {name: value}, state) for value, state in values]


def one_class(rule_id: str, name: str, product: str = NASAL, place: str = US) -> list[tuple[Any, ...]]:
    return [
        (rule_id, product, place, medicine(name), F),
        (rule_id, product, place, medicine("Sertraline"), C),
        (rule_id, product, place, {"medicines_reviewed": False}, U),
        (rule_id, product, place, {"medicines": None}, U),
    ]


def pressure(rule_id: str, product: str = NASAL, place: str = US) -> list[tuple[Any, ...]]:
    pairs = ((141, 80, F), (120, 91, F), (140, 90, C))
    rows = [(rule_id, product, place, {"blood_pressure": BloodPressure(s, d)}, state) for s, d, state in pairs]
    return [*rows, (rule_id, product, place, {"blood_pressure": None}, U)]


def recent(rule_id: str, product: str, place: str) -> list[tuple[Any, ...]]:
    cases = (
        (event(date(2026, 10, 12)), F),
        (event(date(2026, 10, 11)), C),
        (event(None), U),
        ({"cardiovascular_event": False}, C),
        ({"cardiovascular_event": None}, U),
    )
    return [(rule_id, product, place, told, state) for told, state in cases]


def age(rule_id: str, product: str) -> list[tuple[Any, ...]]:
    return [(rule_id, product, US, {"age_years": years}, state) for years, state in ((17, F), (18, C), (None, U))]


MDSI = {"indication": "MDSI"}
ONE = (failed(),)
TABLE = [
    *yes_no("SPR-CI-01", "aneurysmal_disease"),
    *yes_no("SPR-CI-02", "arteriovenous_malformation"),
    *yes_no("SPR-CI-03", "intracerebral_haemorrhage"),
    *yes_no("SPR-CI-04", "hypersensitivity"),
    *yes_no("DEC-15", "hypersensitivity", IV),
    *yes_no("SPR-PRE-02", "pressure_rise_risk"),
    *yes_no("SPR-PRE-07", "psychosis_history"),
    *yes_no("SPR-PRE-07-MISUSE", "substance_misuse"),
    *yes_no("SPR-PRE-08", "hypertensive_encephalopathy"),
    *yes_no("SPR-W-09", "pregnant"),
    *yes_no("SPR-W-09-BREASTFEEDING", "breastfeeding"),
    *yes_no("EU-09", "pregnant", NASAL, CH),
    *yes_no("EU-09-BREASTFEEDING", "breastfeeding", NASAL, EU),
    *yes_no("DEC-01-PREGNANCY", "pregnant", IV),
    *yes_no("DEC-01-BREASTFEEDING", "breastfeeding", IV),
    *yes_no("DEC-05", "cardiovascular_disease"),
    *yes_no("EU-06", "psychosis_history", NASAL, EU),
    *yes_no("IVK-SEL-05-PSYCHOSIS", "psychosis_or_mania_now", IV),
    *yes_no("IVK-SEL-05-PREGNANCY", "breastfeeding", IV),
    *yes_no("IVK-SEL-05-HEART", "cardiovascular_event", IV),
    *yes_no("IVK-SEL-05-SUBSTANCE", "recent_drug_use", IV),
    *yes_no("SPR-DDI-01", "regular_alcohol"),
    *recent("SPR-CI-05", NASAL, EU),
    *recent("DEC-05-RECENT", NASAL, US),
    *recent("DEC-05-RECENT", IV, NZ),
    *age("SPR-IND-04", NASAL),
    *age("DEC-01-AGE", IV),
    *pressure("SPR-PRE-01"),
    *pressure("DEC-06", NASAL, CH),
    *pressure("IVK-MON-04-SCREENING", IV),
    *one_class("IVK-DDI-01", "Theophylline", IV),
    *one_class("SPR-DDI-01", "Diazepam"),
    *one_class("SPR-DDI-02", "Modafinil"),
    *one_class("SPR-DDI-03", "Phenelzine"),
    *one_class("SPR-DDI-04", "Ticlopidine"),
    *one_class("SPR-DDI-05", "Clarithromycin"),
    *one_class("SPR-DDI-08", "Theophylline", NASAL, EU),
    *one_class("IVK-DDI-02", "Methylphenidate", IV),
    *one_class("IVK-DDI-03", "Morphine", IV),
    *one_class("IVK-DDI-04", "Lorazepam", IV),
    *one_class("IVK-DDI-05", "Lamotrigine", IV),
    *one_class("IVK-DDI-07", "Selegiline", IV),
    *one_class("IVK-DDI-08", "Haloperidol", IV),
    *one_class("IVK-DDI-09", "Rifampicin", IV),
    *one_class("IVK-DDI-10", "Naltrexone", IV),
    ("DEC-16", NASAL, US, medicine("Somethingol"), F),
    ("DEC-16", NASAL, US, medicine("Sertraline"), C),
    ("DEC-16", NASAL, US, {"medicines": None}, U),
    ("SPR-IND-01", NASAL, US, {"indication": "other"}, F),
    ("SPR-IND-01", NASAL, US, {"indication": "TRD"}, C),
    ("SPR-IND-01", NASAL, US, {"indication": None}, U),
    ("EU-01-INDICATION", NASAL, CH, {"indication": "other"}, F),
    ("EU-01-INDICATION", NASAL, CH, MDSI, C),
    ("SPR-IND-02", NASAL, US, {**MDSI, "oral_antidepressant": False}, F),
    ("SPR-IND-02", NASAL, US, MDSI, C),
    ("SPR-IND-02", NASAL, US, {"oral_antidepressant": False}, C),
    ("SPR-IND-02", NASAL, US, {**MDSI, "oral_antidepressant": None}, U),
    ("SPR-IND-02", NASAL, US, {"indication": None, "oral_antidepressant": False}, U),
    ("EU-01", NASAL, EU, {"ssri_or_snri": False}, F),
    ("EU-01", NASAL, EU, {}, C),
    ("EU-02", NASAL, EU, {**MDSI, "oral_antidepressant": False}, F),
    ("EU-02", NASAL, EU, MDSI, C),
    ("EU-02-AGE", NASAL, EU, {**MDSI, "age_years": 65}, F),
    ("EU-02-AGE", NASAL, EU, {**MDSI, "age_years": 64}, C),
    ("EU-02-AGE", NASAL, EU, {"age_years": 65}, C),
    ("EU-02-AGE", NASAL, EU, {**MDSI, "age_years": None}, U),
    ("CH-01", NASAL, CH, {"oral_antidepressant": False}, F),
    ("CH-01", NASAL, CH, {}, C),
    ("TRD-01", NASAL, US, {"trials": ONE}, F),
    ("TRD-01", NASAL, US, {"trials": ()}, F),
    ("TRD-01", NASAL, US, {"trials": ONE, "indication": "MDSI"}, C),
    ("TRD-01", NASAL, US, {}, C),
    ("TRD-01", NASAL, US, {"trials": None}, U),
    ("TRD-01", NASAL, US, {"trials": (*ONE, failed("citalopram", None))}, U),
    ("IVK-SEL-01", IV, US, {"trials": ONE}, F),
    ("IVK-SEL-01", IV, US, {}, C),
    ("SPR-MON-09", NASAL, US, {"child_pugh": "C"}, F),
    ("SPR-MON-09", NASAL, US, {"child_pugh": "B"}, C),
    ("SPR-MON-09", NASAL, US, {"child_pugh": None}, U),
    ("SPR-MON-09-MODERATE", NASAL, US, {"child_pugh": "B"}, F),
    ("SPR-MON-09-MODERATE", NASAL, US, {"child_pugh": "C"}, C),
]


@pytest.mark.parametrize(("rule_id", "product", "place", "told", "state"), TABLE)
def test_the_rule(rule_id: str, product: str, place: str, told: dict[str, Any], state: str) -> None:
    found = finding(rule_id, product, place, told)
    assert found.state == state
    assert bool(found.missing) is (state == U)


def test_every_rule_in_force_stands_in_the_table() -> None:
    asked = {row[0] for row in TABLE}
    off = {f.rule.rule_id for place in (US, EU) for p in (NASAL, IV) for f in unchecked(p, place)}
    assert set(PREDICATES) == asked | off


def unchecked(product: str, place: str) -> list[Finding]:
    return [f for f in assess_candidacy(facts(), setting(product, place)).not_evaluated if not f.missing]


@pytest.mark.parametrize("told", [{}, {"hypersensitivity": True}, {"trials": None}, {"pressure_rise_risk": True}])
def test_a_disabled_rule_never_acts(told: dict[str, Any]) -> None:
    states = {finding(rule_id, IV, US, told).state for rule_id in ("IVK-SEL-06-C", "IVK-SEL-04", "IVK-DDI-11")}
    assert states == {U}


@pytest.mark.parametrize("rule_id", ["TRD-02", "IVK-SEL-02", "IVK-SEL-10"])
def test_a_record_without_logic_would_answer_unknown_if_it_were_enabled(rule_id: str) -> None:
    rule = RULES[rule_id]
    truth = PREDICATES[rule_id](Asked(facts(), setting(IV)), rule)
    assert (truth.value, truth.missing) == (None, rule.needs)


@pytest.mark.parametrize(
    ("place", "told", "because"),
    [
        (US, {"aneurysmal_disease": Fact.of(True, "letter")}, "(letter)"),
        (NZ, {"aneurysmal_disease": True}, "from the US label, confirmation open"),
    ],
)
def test_a_contraindication_says_where_it_comes_from(place: str, told: dict[str, Any], because: str) -> None:
    assert because in finding("SPR-CI-01", NASAL, place, told).because[-1]


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("Lorazepam", "Lorazepam (told): benzodiazepine"),
        ("Diazepam", "Diazepam (told): benzodiazepine, by name recognition list (clinic design)"),
    ],
)
def test_a_medicine_says_by_which_list_it_was_recognised(name: str, because: str) -> None:
    assert finding("IVK-DDI-04", IV, US, medicine(name)).because == (because,)


def test_a_pressure_names_its_source() -> None:
    told = {"blood_pressure": Fact.of(BloodPressure(150, 80), "measured today")}
    assert finding("SPR-PRE-01", NASAL, US, told).because == ("Blood pressure 150/80 (measured today)",)
