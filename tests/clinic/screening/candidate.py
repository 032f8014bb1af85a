"""A candidate in the record against whom nothing speaks, and a clinic whose director signed."""

from __future__ import annotations

from datetime import date

from ketaclinic.people.models import Patient, Staff
from ketaclinic.policy.actions import sign_policy
from ketaclinic.policy.queries import unsigned_policies
from ketaclinic.screening import actions
from ketacore.screening import QUESTIONS
from tests.support.people import NOON

NASAL, IV = "esketamine-nasal", "ketamine-iv"


def sign_screening(by: Staff, *but: str) -> None:
    """Sign every clinic policy of the room, ``but`` some."""
    for rule in unsigned_policies(by.clinic, NOON, "screening"):
        if rule.rule_id not in but:
            sign_policy(rule=rule, by=by, at=NOON)


def ask_everything(patient: Patient, by: Staff, **told: str) -> None:
    """Write down that nothing speaks against the patient; ``told`` answers some questions differently or ("") not."""
    said = {name: "no" for name, q in QUESTIONS.items() if q.kind == "yes_no"}
    said |= {"oral_antidepressant": "yes", "ssri_or_snri": "yes", "medicines_reviewed": "yes"}
    who = {"patient": patient, "by": by, "at": NOON}
    for question, answer in (said | told).items():
        if answer:
            actions.record_answer(**who, question=question, answer=answer)
    actions.record_answer(**who, question="indication", answer="given", value="TRD")
    actions.record_answer(**who, question="child_pugh", answer="given", value="none")
    actions.record_vital(**who, kind="blood_pressure", value=124, value_2=78)
    for drug, mg in (("Sertraline", 100), ("Citalopram", 20)):
        actions.record_trial(
            **who,
            drug=drug,
            max_daily_dose_mg=mg,
            started_on=date(2026, 1, 1),
            ended_on=date(2026, 4, 1),
            outcome="none",
            current_episode=True,
        )
