"""What models expect of one session of a plan, beside the same with another dose, or another way of giving it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ketaclinic.people.models import Patient
from ketaclinic.pkpd.presenters.compare import Choice, Compared, compared
from ketaclinic.pkpd.presenters.courses import ANY_WEIGHT_KG, NoCourse
from ketaclinic.planning.queries import weights_of
from ketacore.evidence import Refusal
from ketacore.pkpd import DoseEvent, Drug, Person, Regimen, Route
from ketacore.planning import Protocol

FAR = 3
"""A dose to compare with of more than so many times what is usual is a slip of the hand."""
NO_WEIGHT = "no weight is on record"
TWO_DRUGS = (
    "The two are not one drug: ketamine counts both of its halves, esketamine is one of them. Neither band says which "
    "works better."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A session to be drawn: a dose in the unit of its protocol."""

    protocol: Protocol
    dose: float

    @property
    def by_weight(self) -> bool:
        """Return whether the dose needs a weight to be milligrams."""
        return self.protocol.dose_unit == "mg/kg"

    @property
    def words(self) -> str:
        """Return the dose with its unit."""
        return f"{self.dose:g} {self.protocol.dose_unit}"


def expected_of(planned: Asked, beside: Asked, patient: Patient, at: datetime) -> Compared | NoCourse:
    """Return the expected course of the session that is ``planned``, with that of ``beside`` in the same picture.

    The reason stands instead where no weight is on record for a dose by weight, or no published model answers.
    """
    weights = weights_of(patient, at)
    if planned.by_weight and not weights:
        return NoCourse(NO_WEIGHT)
    kilograms = float(weights[0].value) if weights else ANY_WEIGHT_KG
    left_out = _left_out(planned, beside, weighed=bool(weights))
    sessions = (planned,) if left_out or beside == planned else (planned, beside)
    try:
        choices = [_choice(each, kilograms) for each in sessions if each.dose > 0]
        found = compared(choices, Person(patient.age_on(patient.clinic.day_of(at)), kilograms))
    except Refusal as refusal:  # a person or a dose that no model describes: the plan does not depend on it
        return NoCourse.of(refusal)
    told = [TWO_DRUGS] if len({choice.regimen.drugs for choice in choices}) > 1 else []
    told += [f"{beside.words} is not drawn: {left_out}."] if left_out else []
    return replace(found, lines=(*found.lines, *told))


def _left_out(planned: Asked, beside: Asked, *, weighed: bool) -> str:
    """Return why the other session is not drawn; empty where it is."""
    if beside.by_weight and not weighed:
        return NO_WEIGHT
    usual = max(beside.protocol.first_dose, planned.dose if planned.protocol == beside.protocol else 0.0)
    return "it is far outside what this protocol gives" if beside.dose > FAR * usual else ""


def _choice(asked: Asked, kilograms: float) -> Choice:
    lasting = asked.protocol.infusion_min
    if lasting is None:
        return Choice(asked.words, Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, asked.dose),)))
    event = DoseEvent(Drug.KETAMINE, Route.IV, asked.dose * kilograms, duration_min=lasting)
    return Choice(f"{asked.words} over {lasting:g} min", Regimen((event,)))
