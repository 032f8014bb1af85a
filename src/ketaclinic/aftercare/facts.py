"""From a session to what the core needs for its aftercare sheet."""

from __future__ import annotations

from datetime import datetime

from ketaclinic.policy.queries import setting_of
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.models import Session
from ketacore.aftercare import AftercareFacts, Instructions, instructions
from ketacore.treatment.events import Discharged, Stopped


def ended_at(session: Session, at: datetime) -> datetime:
    """Return when the patient left, released or not; before that, the moment of asking."""
    course = facts_of(session, at)
    released, stopped = course.last(Discharged), course.last(Stopped)
    return released[0].at if released else stopped[0].at if stopped else at


def told(session: Session, at: datetime) -> Instructions:
    """Return what the patient of one session is told at ``at``."""
    moment = ended_at(session, at)
    clinic = session.clinic
    facts = AftercareFacts(session.product, moment, clinic.zone, clinic.emergency_contact, clinic.phone)
    return instructions(facts, setting_of(clinic, moment, session.product))
