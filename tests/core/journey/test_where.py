from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from ketacore.evidence import Approval, Setting, SignedPolicies
from ketacore.journey import (
    REVIEW_RULE,
    STAGES,
    Consent,
    JourneyFacts,
    Outcome,
    Stage,
    StepState,
    Verdict,
    review_due_on,
    where,
)

ON = date(2026, 11, 23)
SETTING = Setting("US", ON)
SIGNED = Setting(
    "US",
    ON,
    policies=SignedPolicies(
        (Approval(REVIEW_RULE.rule_id, REVIEW_RULE.rule_version, "Dr S", datetime(2026, 1, 5, tzinfo=UTC)),)
    ),
)

REFERRED = JourneyFacts(registered_on=date(2026, 8, 3))
SCREENED = replace(REFERRED, screening_began_on=date(2026, 8, 10))
WAITING = replace(SCREENED, verdict=Verdict.WAIT, verdict_on=date(2026, 8, 12))
CANDIDATE = replace(SCREENED, verdict=Verdict.TREAT, verdict_on=date(2026, 8, 17), product="ketamine-iv")
CONSENTED = replace(CANDIDATE, consent_signed_on=date(2026, 9, 10))
PLANNED = replace(CONSENTED, plan_signed_on=date(2026, 9, 11))
IN_INDUCTION = replace(
    PLANNED, sessions_given=3, first_given_on=date(2026, 9, 14), last_given_on=date(2026, 9, 21), phase="series"
)
IN_MAINTENANCE = replace(
    IN_INDUCTION, sessions_given=9, phase="maintenance", maintenance_since=date(2026, 10, 14), last_given_on=ON
)
REVIEW_DUE = replace(IN_MAINTENANCE, plan_signed_on=date(2026, 5, 23))


@pytest.mark.parametrize(
    ("facts", "stage", "next_what"),
    [
        (REFERRED, Stage.REFERRAL, "Begin the screening"),
        (SCREENED, Stage.SCREENING, "Decide on candidacy"),
        (WAITING, Stage.SCREENING, "Decide again on candidacy"),
        (replace(REFERRED, verdict=Verdict.WAIT), Stage.SCREENING, "Decide on candidacy"),
        (CANDIDATE, Stage.CONSENT, "Take consent"),
        (replace(CANDIDATE, verdict_on=None), Stage.CONSENT, "Take consent"),
        (replace(CANDIDATE, consent_withdrawn_on=ON), Stage.CONSENT, "Speak about the consent"),
        (CONSENTED, Stage.PLAN, "Sign a plan"),
        (PLANNED, Stage.PLAN, "Book the first session"),
        (replace(PLANNED, next_session_on=ON), Stage.PLAN, "The first session"),
        (IN_INDUCTION, Stage.INDUCTION, "Book session 4"),
        (replace(IN_INDUCTION, phase=""), Stage.INDUCTION, "Book session 4"),
        (replace(IN_INDUCTION, next_session_on=ON), Stage.INDUCTION, "Session 4"),
        (IN_MAINTENANCE, Stage.MAINTENANCE, "Book session 10"),
        (replace(IN_MAINTENANCE, verdict=Verdict.WAIT), Stage.MAINTENANCE, "Decide whether treatment goes on"),
        (replace(IN_MAINTENANCE, verdict=None), Stage.MAINTENANCE, "Decide whether treatment goes on"),
        (replace(IN_MAINTENANCE, consent_signed_on=None), Stage.CONSENT, "Take consent"),
        (replace(IN_MAINTENANCE, consent=Consent.VALID), Stage.MAINTENANCE, "Book session 10"),
        (replace(IN_MAINTENANCE, consent=Consent.EXPIRED), Stage.CONSENT, "Take consent anew"),
        (replace(IN_MAINTENANCE, consent=Consent.WITHDRAWN), Stage.CONSENT, "Speak about the consent"),
        (replace(IN_MAINTENANCE, consent=Consent.OTHER_ROUTE), Stage.CONSENT, "Take consent"),
        (replace(IN_MAINTENANCE, consent=Consent.NOT_KNOWN), Stage.CONSENT, "Look at the consent"),
        (replace(CONSENTED, consent=Consent.EXPIRED), Stage.CONSENT, "Take consent anew"),
        (replace(PLANNED, verdict=Verdict.DECLINE), Stage.PLAN, "Decide whether treatment goes on"),
        (
            replace(IN_MAINTENANCE, verdict=Verdict.DECLINE, consent=Consent.EXPIRED),
            Stage.CONSENT,
            "Decide whether treatment goes on",
        ),
    ],
)
def test_stage_and_next_step(facts: JourneyFacts, stage: Stage, next_what: str) -> None:
    standing = where(facts, SETTING)
    assert (standing.stage, standing.outcome) == (stage, None)
    assert standing.next is not None
    assert standing.next.what == next_what
    assert standing.next.why.endswith(".")


@pytest.mark.parametrize(
    ("facts", "stage", "outcome"),
    [
        (replace(IN_MAINTENANCE, deceased_on=ON), Stage.MAINTENANCE, Outcome.DECEASED),
        (replace(SCREENED, verdict=Verdict.DECLINE, verdict_on=ON), Stage.SCREENING, Outcome.DECLINED),
        (replace(IN_MAINTENANCE, plan_signed_on=None, plan_ended_on=ON), Stage.MAINTENANCE, Outcome.ENDED),
        (replace(PLANNED, plan_signed_on=None, plan_ended_on=ON), Stage.PLAN, Outcome.ENDED),
    ],
)
def test_a_closed_way_has_no_next_step_and_keeps_its_station(
    facts: JourneyFacts, stage: Stage, outcome: Outcome
) -> None:
    standing = where(facts, SETTING)
    assert (standing.stage, standing.outcome, standing.next) == (stage, outcome, None)


def test_a_new_decision_to_treat_opens_an_ended_way_again() -> None:
    again = replace(
        IN_MAINTENANCE,
        plan_signed_on=None,
        plan_ended_on=date(2026, 10, 1),
        verdict_on=date(2026, 11, 1),
        consent_signed_on=None,
    )
    standing = where(again, SETTING)
    assert (standing.stage, standing.outcome) == (Stage.CONSENT, None)
    assert [s.note for s in standing.steps if s.stage is Stage.PLAN] == ["ended"]


def test_review_is_due_only_under_a_signed_policy() -> None:
    assert where(REVIEW_DUE, SETTING).stage is Stage.MAINTENANCE
    standing = where(REVIEW_DUE, SIGNED)
    assert standing.stage is Stage.REVIEW
    assert standing.next is not None
    assert standing.next.on == ON
    assert REVIEW_RULE.rule_id in standing.next.why


def test_review_lies_ahead_while_its_day_has_not_come() -> None:
    standing = where(IN_MAINTENANCE, SIGNED)
    assert standing.stage is Stage.MAINTENANCE
    assert standing.steps[-1].on == date(2027, 3, 11)
    assert standing.steps[-1].state is StepState.LATER


def test_review_policy_of_infusions_does_not_touch_the_nasal_product() -> None:
    assert review_due_on(replace(IN_MAINTENANCE, product="esketamine-nasal"), SIGNED) is None
    assert review_due_on(REFERRED, SIGNED) is None


def test_the_line_has_every_station_once_and_one_is_here() -> None:
    for facts in (REFERRED, SCREENED, CANDIDATE, CONSENTED, PLANNED, IN_INDUCTION, IN_MAINTENANCE):
        standing = where(facts, SETTING)
        assert tuple(s.stage for s in standing.steps) == STAGES
        assert [s.stage for s in standing.steps if s.state is StepState.HERE] == [standing.stage]
    assert Stage.PLAN.word == "Plan"


def test_notes_on_the_line() -> None:
    def note(facts: JourneyFacts, stage: Stage) -> str:
        return next(s.note for s in where(facts, SETTING).steps if s.stage is stage)

    assert note(WAITING, Stage.SCREENING) == "waiting"
    assert note(SCREENED, Stage.SCREENING) == "under way"
    assert note(replace(CANDIDATE, consent_withdrawn_on=ON), Stage.CONSENT) == "withdrawn"
    assert note(CONSENTED, Stage.CONSENT) == "signed"
    assert note(CANDIDATE, Stage.CONSENT) == ""
    assert note(replace(CONSENTED, consent=Consent.EXPIRED), Stage.CONSENT) == "expired"
    assert note(replace(CONSENTED, consent=Consent.MISSING), Stage.CONSENT) == "incomplete"
    assert note(replace(CANDIDATE, consent=Consent.OTHER_ROUTE), Stage.CONSENT) == "for another product"
    assert note(replace(IN_INDUCTION, sessions_given=1), Stage.INDUCTION) == "1 session given"
    assert note(IN_INDUCTION, Stage.INDUCTION) == "3 sessions given"
    assert note(IN_MAINTENANCE, Stage.INDUCTION) == ""
    assert note(IN_MAINTENANCE, Stage.MAINTENANCE) == "session 9"
