from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketacore.evidence import Fact, Known, Truth, all_of, any_of, no, present, unknown, yes

VALUES = (True, False, None)
truths = st.builds(
    lambda v, word: Truth(v, (word,) if v is not None else (), (word,) if v is None else ()),
    st.sampled_from(VALUES),
    st.sampled_from("abc"),
)


def truth(value: bool | None) -> Truth:
    return {True: yes("because"), False: no("because"), None: unknown("fact")}[value]


@pytest.mark.parametrize(("left", "right"), list(product(VALUES, VALUES)))
def test_and_is_kleenes(left: bool | None, right: bool | None) -> None:
    expected = False if False in (left, right) else None if None in (left, right) else True
    assert (truth(left) & truth(right)).value is expected


@pytest.mark.parametrize(("left", "right"), list(product(VALUES, VALUES)))
def test_or_is_kleenes(left: bool | None, right: bool | None) -> None:
    expected = True if True in (left, right) else None if None in (left, right) else False
    assert (truth(left) | truth(right)).value is expected


@pytest.mark.parametrize(("value", "expected"), [(True, False), (False, True), (None, None)])
def test_not_keeps_unknown_unknown(value: bool | None, expected: bool | None) -> None:
    assert (~truth(value)).value is expected


@given(truths, truths)
def test_de_morgan(a: Truth, b: Truth) -> None:
    assert (~(a & b)).value is (~a | ~b).value


@given(truths, truths)
def test_unknown_always_names_what_is_missing(a: Truth, b: Truth) -> None:
    for combined in (a & b, a | b):
        assert (combined.value is None) == bool(combined.missing)


def test_a_certain_answer_gives_only_its_own_reasons() -> None:
    assert (yes("aneurysm") | no("no stroke") | unknown("bleed")).because == ("aneurysm",)


def test_many_are_combined_and_none_is_neutral() -> None:
    assert any_of([]).value is False
    assert all_of([]).value is True
    assert any_of([no(), yes("x")]).value is True
    assert all_of([yes(), unknown("x")]).missing == ("x",)


def test_missing_is_never_negative() -> None:
    assert present("aneurysm", Fact[bool].not_asked(), "aneurysm").value is None
    assert present("aneurysm", Fact[bool].not_known(), "aneurysm").missing == ("aneurysm",)


def test_present_tells_where_it_is_from() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert present("a", Fact.of(True, "patient", at), "aneurysm").because == ("aneurysm (patient)",)
    assert present("a", Fact.of(True), "aneurysm").because == ("aneurysm",)
    assert present("a", Fact.of(False), "aneurysm").value is False


def test_facts_know_why_they_have_no_value() -> None:
    assert Fact.of(1).known
    assert not Fact[int].not_asked().known
    assert Fact[int].not_known("patient").state is Known.ASKED_NOT_KNOWN
