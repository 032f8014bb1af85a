"""From the rows of the record to the facts the core is asked with."""

from __future__ import annotations

from datetime import datetime

from ketaclinic.people.models import Patient
from ketaclinic.planning.queries import weights_of
from ketacore.evidence import Fact
from ketacore.planning import WeightFacts


def weight_facts(patient: Patient, at: datetime, *, confirmed: bool = False) -> WeightFacts:
    """Return the newest weight and the one before it; without an earlier one, that is unknown and is confirmed."""
    weights = weights_of(patient, at)
    if not weights:
        return WeightFacts(confirmed=confirmed)
    newest = weights[0]
    before: Fact[float] = Fact.not_known("no earlier weight on record", at)
    if len(weights) > 1:
        before = Fact.of(float(weights[1].value), "vital sign", weights[1].at)
    return WeightFacts(
        weight_kg=Fact.of(float(newest.value), "vital sign", newest.at),
        measured_on=Fact.of(patient.clinic.day_of(newest.at), "vital sign", newest.at),
        previous_kg=before,
        confirmed=confirmed,
    )
