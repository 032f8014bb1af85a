from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from ketacore.evidence import (
    Approval,
    Decision,
    Effect,
    Fact,
    Finding,
    Grade,
    Refusal,
    Rule,
    RuleDataError,
    Setting,
    SignedPolicies,
    Standing,
    State,
    Truth,
    decision_as_json,
    evaluate,
    load_rules,
    no,
    parse_rules,
    rule_as_json,
    standing,
    strongest,
    to_jsonable,
    unknown,
    yes,
)
from tests.support.rules import RECORD, SOURCES, make_policy, make_rule

SETTING = Setting("US", date(2026, 11, 23), "esketamine-nasal")


def signed(rule: Rule) -> Setting:
    approval = Approval(rule.rule_id, rule.rule_version, "the director", datetime(2026, 11, 1, tzinfo=UTC))
    return replace(SETTING, policies=SignedPolicies((approval,)))


def test_a_rule_of_the_place_and_day_is_active() -> None:
    assert standing(make_rule(), SETTING) is Standing.ACTIVE


@pytest.mark.parametrize("place", ["US-PA", "US"])
def test_a_country_covers_its_parts(place: str) -> None:
    assert standing(make_rule(), replace(SETTING, jurisdiction=place)) is Standing.ACTIVE


def test_a_part_does_not_cover_its_country() -> None:
    assert standing(make_rule(jurisdiction=["US-PA"]), SETTING) is Standing.ELSEWHERE


def test_a_star_covers_every_place() -> None:
    assert standing(make_rule(jurisdiction=["*"]), replace(SETTING, jurisdiction="NZ")) is Standing.ACTIVE


def test_another_product_is_elsewhere_and_no_product_is_every_product() -> None:
    rule = make_rule(product=["ketamine-iv"])
    assert standing(rule, SETTING) is Standing.ELSEWHERE
    assert standing(rule, replace(SETTING, product="")) is Standing.ACTIVE


@pytest.mark.parametrize(
    ("fields", "day", "expected"),
    [
        ({}, date(2024, 12, 31), Standing.OUT_OF_DATE),
        ({"effective_to": date(2026, 1, 1)}, date(2026, 1, 1), Standing.ACTIVE),
        ({"effective_to": date(2026, 1, 1)}, date(2026, 1, 2), Standing.OUT_OF_DATE),
        ({"expires": date(2026, 1, 1)}, date(2026, 1, 2), Standing.OUT_OF_DATE),
    ],
)
def test_the_day_of_the_session_decides(fields: dict[str, date], day: date, expected: Standing) -> None:
    assert standing(make_rule(**fields), replace(SETTING, on=day)) is expected


def test_a_policy_acts_only_under_its_signature() -> None:
    policy = make_policy()
    assert standing(policy, SETTING) is Standing.UNSIGNED
    assert standing(policy, signed(policy)) is Standing.ACTIVE
    assert standing(make_policy(rule_version=2), signed(policy)) is Standing.UNSIGNED


def test_a_disabled_rule_is_disabled() -> None:
    assert standing(make_rule(grade="B", enabled=False), SETTING) is Standing.DISABLED


def test_a_stop_that_may_not_act_is_not_evaluated_and_still_stops() -> None:
    policy = make_policy()
    (finding,) = evaluate([policy], {policy.rule_id: lambda f, r: no()}, None, SETTING)
    assert finding.state is State.NOT_EVALUATED
    assert finding.stops
    assert "not signed" in finding.because[0]


def test_rules_without_predicate_or_of_another_day_are_left_out() -> None:
    rule = make_rule()
    assert evaluate([rule], {}, None, SETTING) == ()
    early = replace(SETTING, on=date(2020, 1, 1))
    assert evaluate([rule], {rule.rule_id: lambda f, r: yes()}, None, early) == ()


@pytest.mark.parametrize(
    ("answer", "state"), [(yes("x"), State.FIRED), (no(), State.CLEAR), (unknown("f"), State.NOT_EVALUATED)]
)
def test_an_answer_becomes_a_finding(answer: Truth, state: State) -> None:
    rule = make_rule()
    (finding,) = evaluate([rule], {rule.rule_id: lambda f, r: answer}, None, SETTING)
    assert finding.state is state
    assert finding.missing == answer.missing
    assert finding.stops == (state is not State.CLEAR)


def test_a_decision_sorts_its_findings() -> None:
    rule = make_rule()
    findings = tuple(Finding(rule, s, ("b",), ("m",) if s is State.NOT_EVALUATED else ()) for s in State)
    decision = Decision("question", "outcome", SETTING, "pack", findings)
    assert [f.state for f in (*decision.fired, *decision.clear, *decision.not_evaluated)] == list(State)
    assert decision.missing == ("m",)
    told = decision_as_json(decision)
    assert told["fired"][0]["source"]["section"] == "4"
    assert told["not_evaluated"][0]["missing"] == ["m"]
    assert strongest(findings) is Effect.HARD_STOP
    assert strongest(()) is None


def test_a_refusal_says_what_why_and_what_to_do() -> None:
    refusal = Refusal("Discharge", ["no escort"], "Record the escort.")
    assert str(refusal) == "Discharge: no escort. Record the escort."


def test_parameters_are_asked_by_name_and_kind() -> None:
    rule = make_rule()
    assert rule.number("limit_mmhg") == 140.0
    assert rule.words("words") == ("a", "b")
    for name in ("words", "strict"):
        with pytest.raises(KeyError, match="not a number"):
            rule.number(name)
    with pytest.raises(KeyError, match="not a list"):
        rule.words("limit_mmhg")


def test_reviews_fall_due() -> None:
    review = make_rule().review
    assert not review.overdue(date(2027, 5, 23))
    assert review.overdue(date(2027, 5, 24))


def test_every_grade_has_a_meaning() -> None:
    assert all(grade.meaning for grade in Grade)


@pytest.mark.parametrize("name", sorted(set(RECORD) - {"parameters", "section"}))
def test_a_record_without_a_required_field_is_refused(name: str) -> None:
    record = {k: v for k, v in RECORD.items() if k != name}
    with pytest.raises(RuleDataError, match="is missing"):
        parse_rules({"sources": SOURCES, "rule": [record]})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"grade": "C"}, "grade C cannot be enabled"),
        ({"grade": "B"}, "grade B cannot be enabled"),
        ({"grade": "D", "source": "design"}, "signature"),
        ({"grade": "D", "enabled": False}, "has the source 'design'"),
        ({"source": "elsewhere"}, "is not described"),
        ({"section": ""}, "section is missing"),
        ({"colour": "red"}, "unknown field colour"),
        ({"jurisdiction": []}, "jurisdiction is missing"),
        ({"review": {"author": "one"}}, "review is incomplete"),
        ({"review": {**RECORD["review"], "checker": "one team"}}, "two people"),
        ({"review": {**RECORD["review"], "review_due": "soon"}}, "must be dates"),
    ],
)
def test_a_record_that_may_not_load_says_why(fields: dict[str, object], message: str) -> None:
    with pytest.raises(RuleDataError, match=message):
        make_rule(**fields)


def test_a_checked_b_may_be_enabled() -> None:
    assert make_rule(grade="B", primary_checked=True).enabled


def test_overrides_are_read() -> None:
    override = make_rule(override={"roles": ["prescriber"], "second_signoff": True}).override
    assert override.roles == ("prescriber",)
    assert override.second_signoff
    assert override.reason_required


def test_defaults_of_a_file_are_shared() -> None:
    record = {k: v for k, v in RECORD.items() if k != "jurisdiction"}
    (rule,) = parse_rules({"sources": SOURCES, "defaults": {"jurisdiction": ["EU"]}, "rule": [record]})
    assert rule.jurisdiction == ("EU",)


def test_a_room_loads_its_rules_in_order_by_id() -> None:
    rules = load_rules("screening")
    assert len(rules) == len(list(rules))
    first = next(iter(rules))
    assert rules[first.rule_id] is first


def test_a_rule_that_stands_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = make_rule()
    monkeypatch.setattr("ketacore.evidence.loading.parse_rules", lambda document: (twice, twice))
    with pytest.raises(RuleDataError, match="stands twice"):
        load_rules("screening")


def test_values_become_plain_json() -> None:
    from datetime import timedelta

    value = {"d": date(2026, 1, 2), "f": Fact.of(1.5), "e": Grade.A, "t": timedelta(minutes=2), "l": ({1},), "n": None}
    told = to_jsonable(value)
    assert told["d"] == "2026-01-02"
    assert told["f"] == {"state": "known", "value": 1.5, "source": "", "at": None}
    assert told["e"] == "A"
    assert told["t"] == 120.0
    assert told["l"] == [[1]]
    assert rule_as_json(make_rule())["parameters"]["words"] == ["a", "b"]
