"""Decision table of the long-term screens (LTS-05, LTS-02-D, KC-SUR-01): no result on file is never fine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ketacore.evidence import Approval, Fact, Grade, Setting, SignedPolicies, State
from ketacore.surveillance import (
    RULES,
    SCREEN,
    Done,
    ScreenDue,
    Stand,
    SurveillanceFacts,
    add_months,
    screens_due,
    surveillance,
)

TODAY = date(2026, 11, 23)
NASAL, IV = "esketamine-nasal", "ketamine-iv"
ALL = tuple(r.rule_id for r in RULES if r.grade is Grade.D)


def setting(product: str = NASAL, signed: tuple[str, ...] = ALL, place: str = "US", on: date = TODAY) -> Setting:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    made = tuple(Approval(i, RULES[i].rule_version, "Synthetic director", at) for i in signed)
    return Setting(place, on, product, SignedPolicies(made))


def course(
    done: dict[str, date], *, induction: bool = False, last: int = 0, finding: bool = False
) -> SurveillanceFacts:
    return SurveillanceFacts(
        starts_on=Fact.of(date(2026, 6, 1)),
        induction=Fact.of(induction),
        given_on=(date(2026, 6, 1), TODAY - timedelta(days=last)),
        done={kind: Done(on, finding) for kind, on in done.items()},
    )


def screen(kind: str, facts: SurveillanceFacts, here: Setting) -> ScreenDue:
    return next(s for s in screens_due(facts, here) if s.screen.kind == kind)


@pytest.mark.parametrize(
    ("kind", "last_on", "stand"),
    [
        ("bladder", date(2026, 10, 24), Stand.CURRENT),
        ("bladder", date(2026, 10, 23), Stand.DUE),
        ("bladder", date(2026, 10, 22), Stand.OVERDUE),
        ("blood_pressure", date(2026, 10, 22), Stand.OVERDUE),
        ("urinalysis", date(2026, 8, 24), Stand.CURRENT),
        ("urinalysis", date(2026, 8, 22), Stand.OVERDUE),
        ("cognition", date(2026, 5, 24), Stand.CURRENT),
        ("cognition", date(2026, 5, 23), Stand.DUE),
        ("liver", date(2026, 8, 23), Stand.DUE),
        ("urine_drug_screen", date(2020, 1, 1), Stand.CURRENT),
        ("bladder", None, Stand.UNKNOWN),
        ("urine_drug_screen", None, Stand.UNKNOWN),
    ],
)
def test_after_the_induction_the_calendar_counts(kind: str, last_on: date | None, stand: Stand) -> None:
    due = screen(kind, course({kind: last_on} if last_on else {}), setting(IV))
    assert due.stand is stand
    assert due.overdue is (stand in (Stand.OVERDUE, Stand.UNKNOWN))
    assert due.asks is (stand is not Stand.CURRENT)
    assert due.last_on == last_on


@pytest.mark.parametrize(
    ("asked", "last", "stand"),
    [(0, 0, Stand.CURRENT), (3, 3, Stand.CURRENT), (3, 1, Stand.OVERDUE), (3, 0, Stand.DUE), (40, 41, Stand.CURRENT)],
)
def test_in_the_induction_every_session_counts(asked: int, last: int, stand: Stand) -> None:
    facts = course({"bladder": TODAY - timedelta(days=asked)}, induction=True, last=last)
    assert screen("bladder", facts, setting()).stand is stand


def test_what_was_never_asked_falls_due_with_the_course() -> None:
    planned = SurveillanceFacts(starts_on=Fact.of(TODAY))
    due = {s.screen.kind: s for s in screens_due(planned, setting())}
    assert due["cognition"].due_on == TODAY and not due["cognition"].overdue
    assert due["urinalysis"].due_on == date(2027, 2, 23)
    assert screen("cognition", SurveillanceFacts(), setting()).due_on is None


@pytest.mark.parametrize(
    ("product", "kinds"),
    [
        (NASAL, ["bladder", "blood_pressure", "urinalysis", "cognition", "urine_drug_screen"]),
        (IV, ["bladder", "blood_pressure", "urinalysis", "cognition", "liver", "urine_drug_screen"]),
    ],
)
def test_each_product_has_its_screens(product: str, kinds: list[str]) -> None:
    assert [s.screen.kind for s in screens_due(course({}), setting(product))] == kinds


def test_an_unsigned_interval_is_not_told_but_the_label_is_watched() -> None:
    due = screen("bladder", course({"bladder": TODAY}, finding=True), setting(signed=()))
    assert (due.stand, due.due_on, due.last_on) == (Stand.NOT_EVALUATED, None, TODAY)
    assert [(f.rule.rule_id, f.state) for f in due.findings] == [
        ("LTS-05", State.NOT_EVALUATED),
        ("SPR-W-08", State.FIRED),
    ]
    assert due.asks


@pytest.mark.parametrize(("finding", "state"), [(None, State.NOT_EVALUATED), (False, State.CLEAR), (True, State.FIRED)])
def test_a_finding_is_for_a_clinician(finding: bool | None, state: State) -> None:
    facts = course({} if finding is None else {"bladder": TODAY}, finding=bool(finding))
    due = screen("bladder", facts, setting())
    assert [f.state for f in due.findings if f.rule.rule_id == "SPR-W-08"] == [state]
    assert due.asks is (finding is not False)


EVERYTHING = dict.fromkeys(SCREEN, TODAY)


@pytest.mark.parametrize(
    ("done", "signed", "expected"),
    [
        (EVERYTHING, ALL, "current"),
        ({**EVERYTHING, "bladder": date(2026, 10, 23)}, ALL, "due"),
        ({**EVERYTHING, "bladder": date(2026, 10, 1)}, ALL, "overdue"),
        ({}, ALL, "overdue"),
        (EVERYTHING, (), "not_evaluated"),
    ],
)
def test_the_screen_that_asks_most_speaks(done: dict[str, date], signed: tuple[str, ...], expected: str) -> None:
    assert surveillance(course(done), setting(signed=signed)).outcome == expected


def test_before_the_rules_hold_nothing_is_said_to_be_fine() -> None:
    decision = surveillance(course(EVERYTHING), setting(on=date(2024, 6, 1)))
    assert (decision.outcome, decision.findings) == ("not_evaluated", ())


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 6, 15), 6, date(2026, 12, 15)),
    ],
)
def test_a_month_later(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected
