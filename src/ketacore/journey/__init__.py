"""Where a person is on the pathway, on which day each station was reached, what is next and why."""

from ketacore.journey.decide import (
    REVIEW_RULE,
    STAGES,
    NextStep,
    Outcome,
    Stage,
    Standing,
    Step,
    StepState,
    consent_of,
    outcome_of,
    review_due_on,
    stage_of,
    where,
)
from ketacore.journey.facts import INDUCTION_PHASES, Consent, JourneyFacts, Verdict

__all__ = [
    "INDUCTION_PHASES",
    "REVIEW_RULE",
    "STAGES",
    "Consent",
    "JourneyFacts",
    "NextStep",
    "Outcome",
    "Stage",
    "Standing",
    "Step",
    "StepState",
    "Verdict",
    "consent_of",
    "outcome_of",
    "review_due_on",
    "stage_of",
    "where",
]
