"""Decision tables of follow-up: response (KC-OUT-01, DEC-18), remission, worsening (SAF-06), item 9 (RS-01, DEC-20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ketacore.evidence import Approval, Fact, Refusal, Setting, SignedPolicies
from ketacore.followup import (
    RULES,
    AlertFacts,
    ScoreFacts,
    crisis_lines,
    escalation,
    item9_alert,
    ownership,
    percent_better,
    remission,
    response,
    severity,
    worse_after_session,
)
from ketacore.scales import SCALES

PHQ9, GAD7 = SCALES["phq9"], SCALES["gad7"]
UPWARDS = replace(PHQ9, higher_is_worse=False)
"""A made-up instrument that is read upwards, as WHO-5 is."""
AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
Total = int | None


def setting(*signed: str, place: str = "US", on: date = date(2026, 11, 23)) -> Setting:
    made = tuple(Approval(i, RULES[i].rule_version, "Synthetic director", AT) for i in signed)
    return Setting(place, on, policies=SignedPolicies(made))


def fact(total: Total) -> Fact[int]:
    return Fact.not_asked() if total is None else Fact.of(total)


@pytest.mark.parametrize(
    ("baseline", "now", "expected"),
    [
        (20, 10, "response"),
        (20, 0, "response"),
        (19, 10, "partial"),
        (20, 11, "partial"),
        (20, 15, "partial"),
        (19, 15, "none"),
        (20, 20, "none"),
        (20, 22, "none"),
        (20, 23, "worse"),
        (0, 0, "undefined"),
        (0, 9, "undefined"),
        (None, 9, "cannot_decide"),
        (9, None, "cannot_decide"),
    ],
)
def test_response_with_the_bands_signed(baseline: Total, now: Total, expected: str) -> None:
    assert response(fact(baseline), fact(now), PHQ9, setting("DEC-18")).outcome == expected


@pytest.mark.parametrize(
    ("baseline", "now", "expected"),
    [(20, 10, "response"), (20, 11, "cannot_decide"), (20, 25, "cannot_decide"), (0, 9, "undefined")],
)
def test_without_the_bands_only_the_response_is_told(baseline: int, now: int, expected: str) -> None:
    assert response(Fact.of(baseline), Fact.of(now), PHQ9, setting()).outcome == expected


def test_a_rise_without_a_checked_threshold_cannot_be_told() -> None:
    here = setting("DEC-18")
    assert response(Fact.of(10), Fact.of(14), GAD7, here).outcome == "cannot_decide"
    assert response(Fact.of(10), Fact.of(9), GAD7, here).outcome == "none"


def test_before_the_rules_hold_nothing_is_told() -> None:
    early = setting("DEC-18", on=date(2024, 6, 1))
    assert response(Fact.of(20), Fact.of(5), PHQ9, early).outcome == "cannot_decide"


def test_percentages_are_not_rounded_and_may_be_read_upwards() -> None:
    assert percent_better(ScoreFacts(PHQ9, Fact.of(19), Fact.of(10))) == pytest.approx(47.368, abs=0.001)
    assert percent_better(ScoreFacts(UPWARDS, Fact.of(10), Fact.of(15))) == 50
    assert response(Fact.of(10), Fact.of(15), UPWARDS, setting("DEC-18")).outcome == "response"
    assert response(Fact.of(10), Fact.of(7), UPWARDS, setting("DEC-18")).outcome == "worse"


@pytest.mark.parametrize(("now", "expected"), [(4, "remission"), (5, "no_remission"), (None, "cannot_decide")])
def test_remission_is_below_five(now: Total, expected: str) -> None:
    assert remission(fact(now), PHQ9, setting()).outcome == expected


def test_remission_read_upwards_and_where_no_cut_off_is_checked() -> None:
    assert remission(Fact.of(6), UPWARDS, setting()).outcome == "remission"
    assert remission(Fact.of(0), GAD7, setting()).outcome == "undefined"
    assert remission(Fact.of(0), PHQ9, setting(on=date(2024, 6, 1))).outcome == "undefined"


@pytest.mark.parametrize(
    ("previous", "now", "session", "expected"),
    [
        (9, 12, True, "alert"),
        (9, 11, True, "no_alert"),
        (9, 12, False, "no_alert"),
        (9, 12, None, "cannot_decide"),
        (None, 12, True, "cannot_decide"),
        (9, None, True, "cannot_decide"),
        (0, 3, True, "alert"),
    ],
)
def test_worse_after_a_session(previous: Total, now: Total, session: bool | None, expected: str) -> None:
    since: Fact[bool] = Fact.not_asked() if session is None else Fact.of(session)
    facts = ScoreFacts(PHQ9, now=fact(now), previous=fact(previous), session_since_previous=since)
    assert worse_after_session(facts, setting("SAF-06")).outcome == expected
    assert worse_after_session(facts, setting()).outcome == "cannot_decide"


def test_before_the_rule_holds_worsening_is_not_told() -> None:
    assert worse_after_session(ScoreFacts(PHQ9), setting(on=date(2024, 6, 1))).outcome == "cannot_decide"


@pytest.mark.parametrize(
    ("q9", "expected"), [(0, "no_alert"), (1, "alert"), (2, "alert"), (3, "alert"), (None, "cannot_decide")]
)
def test_item_nine(q9: int | None, expected: str) -> None:
    for signed in ((), ("DEC-20",)):
        decision = item9_alert(PHQ9, {"q9": q9}, setting(*signed))
        assert decision.outcome == expected
        assert "RS-01-N" in {f.rule.rule_id for f in decision.fired}


def test_item_nine_left_out_is_never_a_no() -> None:
    assert item9_alert(PHQ9, {}, setting()).outcome == "cannot_decide"
    assert item9_alert(PHQ9, {"q9": 1}, setting(on=date(2024, 6, 1))).outcome == "cannot_decide"


def test_an_instrument_without_such_an_item_raises_nothing() -> None:
    assert item9_alert(GAD7, {}, setting()).outcome == "no_alert"


def test_severity_is_the_band() -> None:
    assert severity(PHQ9, 15).name == "moderately severe"
    with pytest.raises(Refusal):
        severity(PHQ9, 28)


def test_an_alert_always_has_an_owner() -> None:
    unsigned = ownership(AT, setting())
    assert (unsigned.owner_role, unsigned.backup_role, unsigned.due_at) == ("prescriber", "", None)
    owned = ownership(AT, setting("KC-ESC-01"))
    assert (owned.owner_role, owned.backup_role, owned.due_at) == ("prescriber", "nurse", AT + timedelta(minutes=30))


@pytest.mark.parametrize(
    ("minute", "acknowledged", "closed", "signed", "expected"),
    [
        (30, None, None, True, "waiting"),
        (31, None, None, True, "escalated"),
        (31, None, None, False, "no_clock"),
        (31, 20, None, True, "acknowledged"),
        (15, 20, None, True, "waiting"),
        (60, 20, 50, True, "closed"),
        (45, 20, 50, True, "acknowledged"),
    ],
)
def test_the_loop(minute: int, acknowledged: Total, closed: Total, signed: bool, expected: str) -> None:
    def at(number: Total) -> datetime | None:
        return None if number is None else AT + timedelta(minutes=number)

    facts = AlertFacts(AT, at(acknowledged), at(closed))
    here = setting("KC-ESC-01") if signed else setting()
    assert escalation(facts, AT + timedelta(minutes=minute), here).outcome == expected


def test_crisis_numbers_only_where_they_were_checked() -> None:
    assert [line.number for line in crisis_lines(setting())] == ["988", "911"]
    assert crisis_lines(setting(place="CH")) == ()
