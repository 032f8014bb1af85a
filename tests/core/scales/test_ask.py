"""What a shell may send: nothing is guessed, an unknown or ill-typed field is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ketacore.evidence import Fact, Refusal, asking
from ketacore.followup import RULES
from ketacore.scales.ask import answer

FULL = {f"q{n}": 1 for n in range(1, 10)}


def test_a_score_with_its_band_and_rule() -> None:
    reply = answer({"scale": "phq9", "answers": FULL})
    assert (reply["outcome"], reply["total"], reply["band"]["name"]) == ("score", 9, "mild")
    assert reply["rule"]["rule_id"] == "RS-01"


def test_half_a_form_gives_no_number() -> None:
    reply = answer({"scale": "phq9", "answers": {**FULL, "q3": None}})
    assert (reply["outcome"], reply["missing"], "total" in reply) == ("incomplete", ["q3"], False)


def test_the_instrument_describes_itself() -> None:
    reply = answer({"scale": "gad7"})
    assert reply["items"][0]["loinc"] and reply["licence"]["mode"] == "TEXT"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, "scale is missing"),
        ({"scale": ""}, "scale must be text"),
        ({"scale": "bdi"}, "bdi is not known"),
        ({"scale": "phq9", "extra": 1}, "unknown field"),
        ({"scale": "phq9", "answers": [1]}, "answers must be an object"),
        ({"scale": "phq9", "answers": {"q1": "1"}}, "answers: q1 must be a whole number"),
        ({"scale": "phq9", "answers": {"q1": True}}, "whole number"),
        ({"scale": "phq9", "answers": {"q1": 7}}, "expected one of"),
    ],
)
def test_what_cannot_be_read_is_refused(document: dict[str, Any], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        answer(document)


READERS: list[tuple[Any, Any, Any]] = [
    (asking.yes_or_no, True, True),
    (asking.a_number, -3, -3.0),
    (asking.a_day, "2026-11-23", date(2026, 11, 23)),
    (asking.a_moment, "2026-11-23T10:00:00+00:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
    (asking.some_days, ["2026-11-22", "2026-11-23"], (date(2026, 11, 22), date(2026, 11, 23))),
]
UNREADABLE: list[tuple[Any, Any]] = [
    (asking.yes_or_no, 1),
    (asking.a_number, "1"),
    (asking.a_number, False),
    (asking.a_number, float("inf")),
    (asking.a_number, float("nan")),
    (asking.a_day, "23.11.2026"),
    (asking.a_moment, "2026-11-23T10:00:00"),
    (asking.a_moment, "noon"),
    (asking.some_days, ["2026-11-23", "2026-11-22"]),
    (asking.some_days, "2026-11-23"),
    (asking.a_list, [0] * (asking.MOST + 1)),
]


@pytest.mark.parametrize(("read", "given", "expected"), READERS)
def test_a_value_is_read(read: Any, given: Any, expected: Any) -> None:
    assert read("x", given) == expected


@pytest.mark.parametrize(("read", "given"), UNREADABLE)
def test_a_value_that_is_not_one(read: Any, given: Any) -> None:
    with pytest.raises(Refusal, match="x must be"):
        read("x", given)


def test_left_out_was_not_asked_and_null_is_not_known() -> None:
    assert asking.a_fact("x", {}, asking.a_count) == Fact.not_asked()
    assert asking.a_fact("x", {"x": None}, asking.a_count) == Fact.not_known()
    assert asking.a_fact("x", {"x": 3}, asking.a_count) == Fact.of(3)


SETTING = {"jurisdiction": "US", "on": "2026-11-23"}


def test_the_setting_holds_the_signed_policies() -> None:
    setting = asking.a_setting({**SETTING, "product": "ketamine-iv", "signed": ["DEC-18"]}, RULES)
    assert (setting.product, [a.rule_id for a in setting.policies.approvals]) == ("ketamine-iv", ["DEC-18"])


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"on": "2026-11-23"}, "jurisdiction is missing"),
        ({"jurisdiction": "US"}, "on is missing"),
        ({**SETTING, "signed": ["KC-OUT-01"]}, "not a clinic policy"),
        ({**SETTING, "signed": ["NO-SUCH"]}, "not a clinic policy"),
        ({**SETTING, "signed": "DEC-18"}, "signed must be a list"),
    ],
)
def test_a_setting_without_its_place_day_or_policies(document: dict[str, Any], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        asking.a_setting(document, RULES)
