"""Is this person a candidate for esketamine or ketamine? Contraindications, indication, trials, interactions, gaps.

``assess_candidacy(facts, setting)`` answers with a decision whose outcome is one of

* ``stop``: a contraindication (hard stop) fired;
* ``cannot_decide``: none fired, but at least one stop, hard or soft, could not be checked;
* ``caution``: every stop was checked; a soft stop fired, which needs the prescriber's reason, or there is something to
  watch or to find out;
* ``candidate``: every rule in force was checked and none fired.

``what_treating_needs`` says what a prescriber owes before treating in spite of a finding; ``assess_trials`` counts
antidepressant trials. Nothing here decides: people do.
"""

from ketacore.screening.decide import OUTCOMES, TreatNeeds, assess_candidacy, what_treating_needs
from ketacore.screening.facts import (
    PRODUCTS,
    Adherence,
    CandidateFacts,
    Medicine,
    Reason,
    Trial,
    TrialOutcome,
    cautious,
)
from ketacore.screening.questions import QUESTIONS, Question
from ketacore.screening.recognition import (
    classes_of,
    fact_of_allergy,
    facts_of_problem,
    named_in_class,
    recognised,
)
from ketacore.screening.rules import PREDICATES, RULES
from ketacore.screening.trials import TrialResult, TrialsAssessment, assess_trials

__all__ = [
    "OUTCOMES",
    "PREDICATES",
    "PRODUCTS",
    "QUESTIONS",
    "RULES",
    "Adherence",
    "CandidateFacts",
    "Medicine",
    "Question",
    "Reason",
    "TreatNeeds",
    "Trial",
    "TrialOutcome",
    "TrialResult",
    "TrialsAssessment",
    "assess_candidacy",
    "assess_trials",
    "cautious",
    "classes_of",
    "fact_of_allergy",
    "facts_of_problem",
    "named_in_class",
    "recognised",
    "what_treating_needs",
]
