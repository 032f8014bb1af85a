"""Which entries of a session become a line of the patient's timeline, and how the line reads."""

from __future__ import annotations

from ketacore.treatment import Payload
from ketacore.treatment import events as e

_MILESTONES = (
    e.Arrived,
    e.DeviceGiven,
    e.DosingEnded,
    e.InfusionStarted,
    e.InfusionPaused,
    e.InfusionResumed,
    e.InfusionEnded,
    e.PrescriberDecision,
    e.SymptomSeen,
    e.ReleaseSigned,
    e.Discharged,
    e.Stopped,
)


def is_milestone(payload: Payload) -> bool:
    """Return whether an entry stands on the patient's timeline; readings stand in the session itself."""
    return isinstance(payload, _MILESTONES)


def chronicle_title(payload: Payload, *, voided: bool = False) -> str:
    """Return the line of the timeline."""
    return f"Taken back: {_title(payload)}" if voided else _title(payload)


def _title(payload: Payload) -> str:
    match payload:
        case e.Arrived():
            return "Arrived for the session"
        case e.DeviceGiven(number=number):
            return f"Device {number} given"
        case e.DosingEnded(reason=reason):
            return f"Dosing ended early: {reason}"
        case e.InfusionStarted(rate_mg_per_min=rate, planned_min=minutes):
            return f"Infusion started, {rate:g} mg/min for {minutes:g} minutes"
        case e.PrescriberDecision(about=about, ruling=ruling, reason=reason):
            return f"Prescriber decided on {about}: {ruling.replace('_', ' ')}, {reason}"
        case e.SymptomSeen(symptom=symptom, present=present):
            return symptom.words.capitalize() if present else f"No {symptom.words}"
        case e.ReleaseSigned():
            return "Release signed"
        case e.Discharged(escort=escort):
            return f"Went home{f' with {escort}' if escort else ''}"
        case e.Stopped(outcome=outcome, reason=reason):
            return f"Session closed, {outcome.replace('_', ' ')}: {reason}"
        case _:
            return payload.kind.replace("_", " ").capitalize()
