"""Reads of the pages of patients and caregivers: what is about one patient, and about nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ketaclinic.followup.models import Alert, ScaleAnswer
from ketaclinic.followup.queries import answers_of, forms_due, open_alerts, scores_of
from ketaclinic.people.models import Patient
from ketaclinic.planning.models import Booking
from ketaclinic.planning.queries import next_booking
from ketaclinic.treatment.facts import course_of
from ketaclinic.treatment.models import Session
from ketaclinic.treatment.queries import OPEN_WITHIN, last_session_given, sessions_of, standing_events_of
from ketacore.scales import Scale
from ketacore.treatment import Phase, SessionFacts, phase


@dataclass(frozen=True, slots=True)
class Visit:
    """The newest session of a patient with its course, and in which phase it is."""

    session: Session
    facts: SessionFacts
    phase: Phase

    @property
    def running(self) -> bool:
        """Whether the patient is in the clinic for it."""
        return self.phase not in (Phase.LEFT, Phase.STOPPED)


@dataclass(frozen=True, slots=True)
class OwnCare:
    """What a patient's own page is made from."""

    patient: Patient
    visit: Visit | None
    booking: Booking | None
    last_given: Session | None
    scores: list[ScaleAnswer]
    due: list[Scale]
    told_today: bool
    spoke_of_suicide: bool


def visit_of(patient: Patient, at: datetime) -> Visit | None:
    """Return the patient's newest session of the last week, running or over; ``None`` without one."""
    session: Session | None = sessions_of(patient, at).filter(at__gt=at - OPEN_WITHIN).first()
    if session is None:
        return None
    facts = course_of(session, [row.as_event() for row in standing_events_of(session, at)])
    return Visit(session, facts, phase(facts, at))


def last_given_of(patient: Patient, at: datetime) -> Session | None:
    """Return the newest session in which the patient was given drug, with its patient and clinic."""
    given = last_session_given(patient, at)
    return sessions_of(patient, at).filter(pk=given.session_id).first() if given else None


def own_care(patient: Patient, at: datetime) -> OwnCare:
    """Return everything a patient's own page shows."""
    newest = answers_of(patient, at).last()
    today = patient.clinic.day_of(at)
    spoke = open_alerts(patient.clinic, at).filter(patient=patient, kind=Alert.Kind.SUICIDE_ITEM)
    return OwnCare(
        patient=patient,
        visit=visit_of(patient, at),
        booking=next_booking(patient, at),
        last_given=last_given_of(patient, at),
        scores=scores_of(patient, "phq9", at),
        due=forms_due(patient, at),
        spoke_of_suicide=spoke.exists(),
        told_today=newest is not None and patient.clinic.day_of(newest.at) == today,
    )
