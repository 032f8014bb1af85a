"""Which trial counts, which does not, which cannot be told: one line of the table each."""

from __future__ import annotations

from typing import Any

import pytest

from ketacore.evidence import SignedPolicies
from ketacore.screening import Adherence, Reason, TrialOutcome, assess_trials
from ketacore.screening.trials import DOUBTFUL, WHOLE_TRIAL, ingredient_of, minimum_dose
from tests.core.screening.people import failed, setting, signing

YES: tuple[bool, tuple[str, ...]] = (True, ())


@pytest.mark.parametrize(
    ("fields", "counts", "why"),
    [
        ({}, *YES),
        ({"current_episode": None}, None, ("episode not known",)),
        ({"current_episode": False}, False, ("in an earlier episode",)),
        ({"drug": "a new drug"}, None, ("dose rule missing",)),
        ({"mg": None}, None, ("dose not known",)),
        ({"mg": 49}, False, ("below 50 mg a day",)),
        ({"mg": 50}, *YES),
        ({"drug": "nortriptyline", "mg": 74}, False, ("below 75 mg a day",)),
        ({"drug": "nortriptyline", "mg": 75}, None, ("sources disagree: 75 or 150 mg a day",)),
        ({"drug": "nortriptyline", "mg": 150}, *YES),
        ({"days_at_dose": 41}, False, ("under 6 weeks",)),
        ({"days_at_dose": 42}, *YES),
        ({"days_at_dose": 0}, False, ("under 6 weeks",)),
        ({"days_at_dose": None, "days": None}, None, ("length not known",)),
        ({"outcome": TrialOutcome.UNKNOWN}, None, ("outcome not known",)),
        ({"outcome": TrialOutcome.RESPONSE}, False, ("it worked",)),
        ({"outcome": TrialOutcome.PARTIAL}, *YES),
        (
            {"days_at_dose": 10, "reason_stopped": Reason.INTOLERANCE},
            False,
            ("under 6 weeks", "not tolerated is not failed"),
        ),
        ({"reason_stopped": Reason.INTOLERANCE}, *YES),
        ({"mg": 25, "outcome": TrialOutcome.UNKNOWN}, False, ("below 50 mg a day",)),
    ],
)
def test_a_trial_counts(fields: dict[str, Any], counts: bool | None, why: tuple[str, ...]) -> None:
    (result,) = assess_trials([failed(**fields)], setting()).results
    assert (result.counts, result.why) == (counts, why)


@pytest.mark.parametrize(
    ("policies", "outcome", "why"),
    [
        (SignedPolicies(), "none", "shortest adequate length not set by clinic policy"),
        (signing("TRD-01-D"), "partial", "partial response: not set by clinic policy whether it counts"),
    ],
)
def test_what_a_clinic_has_not_signed_is_open(policies: SignedPolicies, outcome: str, why: str) -> None:
    (result,) = assess_trials([failed(outcome=TrialOutcome(outcome))], setting(policies=policies)).results
    assert (result.counts, result.why) == (None, (why,))


@pytest.mark.parametrize(
    ("fields", "notes"),
    [
        ({}, ()),
        ({"days_at_dose": None}, (WHOLE_TRIAL,)),
        ({"adherence": Adherence.DOUBTFUL}, (DOUBTFUL,)),
        ({"days_at_dose": None, "reason_stopped": Reason.NON_ADHERENCE}, (WHOLE_TRIAL, DOUBTFUL)),
    ],
)
def test_notes_are_shown_and_decide_nothing(fields: dict[str, Any], notes: tuple[str, ...]) -> None:
    (result,) = assess_trials([failed(**fields)], setting()).results
    assert (result.counts, result.notes) == (True, notes)


def test_two_trials_of_one_ingredient_count_once() -> None:
    tried = [failed("Bupropion XL", 300), failed("bupropion", 300), failed("Citalopram", None), failed(mg=20)]
    assessed = assess_trials(tried, setting())
    assert (assessed.certain, assessed.possible, assessed.open_names) == (1, 2, ("Citalopram",))


@pytest.mark.parametrize(
    ("drug", "ingredient"),
    [("Venlafaxine ER", "venlafaxine"), ("Bupropion XL", "bupropion"), ("A New One", "a"), ("", "")],
)
def test_the_ingredient_of_a_drug(drug: str, ingredient: str) -> None:
    assert ingredient_of(drug) == ingredient
    assert (minimum_dose(drug) is not None) is (len(ingredient) > 1)
