"""What staff do in this room: write the history down, correct it, decide. Each is one transaction with its timeline."""

from ketaclinic.screening.actions.again import assess_again
from ketaclinic.screening.actions.deciding import assess, decide_candidacy
from ketaclinic.screening.actions.history import (
    UNITS,
    amend_answer,
    record_allergy,
    record_answer,
    record_medication,
    record_problem,
    record_trial,
    record_vital,
    refute_allergy,
    refute_problem,
    stop_medication,
)

__all__ = [
    "UNITS",
    "amend_answer",
    "assess",
    "assess_again",
    "decide_candidacy",
    "record_allergy",
    "record_answer",
    "record_medication",
    "record_problem",
    "record_trial",
    "record_vital",
    "refute_allergy",
    "refute_problem",
    "stop_medication",
]
