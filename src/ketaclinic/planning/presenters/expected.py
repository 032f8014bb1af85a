"""What models expect of one session of a plan, beside the same with another dose."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ketaclinic.people.models import Patient
from ketaclinic.pkpd.presenters.compare import Choice, Compared, compared
from ketaclinic.pkpd.presenters.courses import ANY_WEIGHT_KG, NoCourse
from ketaclinic.planning.queries import weights_of
from ketacore.evidence import Refusal
from ketacore.pkpd import DoseEvent, Drug, Person, Regimen, Route
from ketacore.planning import Protocol

FAR = 3
"""A dose to compare with of more than so many times what is planned is a slip of the hand."""


def expected_of(
    protocol: Protocol, patient: Patient, dose: float, beside: float | None, at: datetime
) -> Compared | NoCourse:
    """Return the expected course of a session with ``dose``, and with ``beside`` (the first dose where none is named).

    The reason stands instead where no weight is on record for a dose by weight, or no published model answers.
    """
    weights = weights_of(patient, at)
    by_weight = protocol.dose_unit == "mg/kg"
    if by_weight and not weights:
        return NoCourse("no weight is on record")
    kilograms = float(weights[0].value) if by_weight else ANY_WEIGHT_KG
    other = protocol.first_dose if beside is None else beside
    too_far = other > FAR * max(dose, protocol.first_dose)
    doses = dict.fromkeys((dose,) if too_far else (dose, other))
    try:
        choices = [_choice(protocol, each, kilograms) for each in doses if each > 0]
        found = compared(choices, Person(patient.age_on(patient.clinic.day_of(at)), kilograms))
        told = f"{other:g} {protocol.dose_unit} is not drawn: it is far outside what this protocol gives."
        return replace(found, lines=(*found.lines, told)) if too_far else found
    except Refusal as refusal:  # a person or a dose that no model describes: the plan does not depend on it
        return NoCourse.of(refusal)


def _choice(protocol: Protocol, dose: float, kilograms: float) -> Choice:
    words = f"{dose:g} {protocol.dose_unit}"
    if protocol.infusion_min is None:
        return Choice(words, Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, dose),)))
    event = DoseEvent(Drug.KETAMINE, Route.IV, dose * kilograms, duration_min=protocol.infusion_min)
    return Choice(f"{words} over {protocol.infusion_min:g} min", Regimen((event,)))
