"""Names are recognised as whole words; what is not recognised is said, never passed as harmless."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ketacore.evidence import Fact, Known
from ketacore.screening import (
    Medicine,
    cautious,
    classes_of,
    fact_of_allergy,
    facts_of_problem,
    named_in_class,
    recognised,
)

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "ingredient", "classes", "known"),
    [
        ("LORAZEPAM 1 mg", "", ("benzodiazepine",), True),
        ("Opioids", "", ("opioid",), True),
        ("Elixo", "theophylline", ("theophylline",), True),
        ("Sertraline 100 mg", "", (), True),
        ("Codeinex", "", (), False),
    ],
)
def test_a_medicine(name: str, ingredient: str, classes: tuple[str, ...], known: bool) -> None:
    medicine = Medicine(name, ingredient)
    assert (classes_of(medicine), recognised(medicine)) == (classes, known)


def test_the_reference_names_lorazepam_and_our_list_adds_diazepam() -> None:
    named = [named_in_class(Medicine(n), "benzodiazepine") for n in ("Lorazepam", "Diazepam")]
    assert named == [True, False]


@pytest.mark.parametrize(
    ("display", "active", "facts"),
    [
        ("Aortic aneurysm", False, ("aneurysmal_disease",)),
        ("Atrial fibrillation", True, ("cardiovascular_disease",)),
        ("Atrial fibrillation", False, ()),
        ("Sinusitis", True, ()),
        ("Family history of stroke", True, ()),
    ],
)
def test_a_problem(display: str, active: bool, facts: tuple[str, ...]) -> None:
    assert facts_of_problem(display, active=active) == facts


def test_an_allergy() -> None:
    assert (fact_of_allergy("S-Ketamine"), fact_of_allergy("Latex")) == ("hypersensitivity", None)


@pytest.mark.parametrize(
    ("reports", "state", "value", "source"),
    [
        ([], Known.NOT_ASKED, None, ""),
        ([Fact.not_asked()], Known.NOT_ASKED, None, ""),
        ([Fact.of(True, "a"), Fact.of(True, "b")], Known.KNOWN, True, "a"),
        ([Fact.of(False, "a"), Fact.of(True)], Known.KNOWN, True, "sources disagree: a: no; unnamed source: yes"),
        (
            [Fact.of(False, "a"), Fact.not_known("b")],
            Known.ASKED_NOT_KNOWN,
            None,
            "sources disagree: a: no; b: not known",
        ),
    ],
)
def test_the_more_cautious_report_decides(
    reports: list[Fact[bool]], state: Known, value: bool | None, source: str
) -> None:
    fact = cautious(reports)
    assert (fact.state, fact.value, fact.source) == (state, value, source)
