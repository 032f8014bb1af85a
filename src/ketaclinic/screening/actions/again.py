"""Looking again at somebody who is being treated, whenever their history has grown."""

from __future__ import annotations

from datetime import datetime

from ketaclinic.people.models import Patient, Staff
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.actions import keep_decision
from ketaclinic.screening.facts import candidate_facts
from ketaclinic.screening.queries import products_treated
from ketacore.screening import assess_candidacy


def assess_again(*, patient: Patient, by: Staff, at: datetime) -> None:
    """Keep a new assessment for each product the patient is treated with; nothing for anybody else.

    The prescriber's decision stays as it is. The start gate of a session compares the two: what stops now and was not
    on the table then holds the session until a prescriber has looked again.
    """
    products = products_treated(patient, at)
    if not products:
        return
    facts = candidate_facts(patient, at)
    for product in products:
        assessed = assess_candidacy(facts, setting_of(patient.clinic, at, product))
        keep_decision(patient=patient, by=by, at=at, room="screening", decision=assessed, facts=facts)
