"""Which protocol, dose limits, spacing, and what may be customised.

A protocol is data: phases in order, each naming the rule that carries its numbers. ``plan_series`` turns it into
dated sessions; ``assess_dose`` says whether a dose fits its place in the protocol, ``dose_for_weight`` turns a dose
per kilogram into milligrams, ``assess_course`` says whether treatment simply goes on or a prescriber decides first.
"""

from ketacore.planning.decide import (
    CARRY_ON,
    FITS,
    PRESCRIBER_DECIDES,
    DoseChoice,
    WeightDose,
    allowed_doses,
    assess_course,
    assess_day,
    assess_dose,
    check_dose,
    check_protocol,
    dose_for,
    dose_for_weight,
    unsigned_needs,
)
from ketacore.planning.facts import CourseFacts, DoseFacts, WeightFacts
from ketacore.planning.protocols import PROTOCOLS, Phase, Protocol, load_protocols
from ketacore.planning.rules import RULES
from ketacore.planning.series import Place, PlannedSession, Series, phase_on, plan_series, planned_dose, series
from ketacore.planning.window import Window, next_window, week_of

__all__ = [
    "CARRY_ON",
    "FITS",
    "PRESCRIBER_DECIDES",
    "PROTOCOLS",
    "RULES",
    "CourseFacts",
    "DoseChoice",
    "DoseFacts",
    "Phase",
    "Place",
    "PlannedSession",
    "Protocol",
    "Series",
    "WeightDose",
    "WeightFacts",
    "Window",
    "allowed_doses",
    "assess_course",
    "assess_day",
    "assess_dose",
    "check_dose",
    "check_protocol",
    "dose_for",
    "dose_for_weight",
    "load_protocols",
    "next_window",
    "phase_on",
    "plan_series",
    "planned_dose",
    "series",
    "unsigned_needs",
    "week_of",
]
