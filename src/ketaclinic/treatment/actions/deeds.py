"""The deeds of a session by name: each writes one entry, and the core says whether it may happen now."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from ketaclinic.people.models import Staff
from ketaclinic.treatment.actions.entries import record_event
from ketaclinic.treatment.models import Session, SessionEvent
from ketacore.treatment import Payload
from ketacore.treatment import events as e


def _write(session: Session, what: Payload, by: Staff, at: datetime, key: str) -> SessionEvent:
    return record_event(session=session, kind=what.kind, payload=what, by=by, at=at, entry_key=key)


def _checked(kind: e.EventKind, **fields: Any) -> Payload:
    return e.read_payload(kind, fields)


def arrive(*, session: Session, by: Staff, at: datetime, note: str = "", entry_key: str = "") -> SessionEvent:
    """Record that the patient is here."""
    return _write(session, e.Arrived(note), by, at, entry_key)


def answer_gate(
    *, session: Session, question: str, answer: str, by: Staff, at: datetime, note: str = "", entry_key: str = ""
) -> SessionEvent:
    """Record the answer to one question of the start or release gate: yes, no or not_known."""
    what = _checked(e.EventKind.ANSWER, question=question, answer=answer, note=note)
    return _write(session, what, by, at, entry_key)


def record_vitals(*, session: Session, by: Staff, at: datetime, entry_key: str = "", **values: Any) -> SessionEvent:
    """Record what was measured: systolic, diastolic, heart_rate, oxygen_saturation, respiratory_rate, temperature_c."""
    return _write(session, _checked(e.EventKind.VITALS, **values), by, at, entry_key)


def record_sedation(*, session: Session, moaas: int, by: Staff, at: datetime, entry_key: str = "") -> SessionEvent:
    """Record the depth of sedation."""
    return _write(session, _checked(e.EventKind.SEDATION, moaas=moaas), by, at, entry_key)


def record_dissociation(*, session: Session, level: str, by: Staff, at: datetime, entry_key: str = "") -> SessionEvent:
    """Record how dissociated the patient is: none, mild or strong."""
    return _write(session, _checked(e.EventKind.DISSOCIATION, level=level), by, at, entry_key)


def record_symptom(
    *,
    session: Session,
    symptom: str,
    by: Staff,
    at: datetime,
    present: bool = True,
    note: str = "",
    entry_key: str = "",
) -> SessionEvent:
    """Record that a symptom began, or is gone."""
    what = _checked(e.EventKind.SYMPTOM, symptom=symptom, present=present, note=note)
    return _write(session, what, by, at, entry_key)


def give_device(
    *,
    session: Session,
    number: int,
    lot: str,
    expires_on: date,
    by: Staff,
    at: datetime,
    two_green_dots_before: bool = True,
    not_primed: bool = True,
    no_green_dots_after: bool = True,
    entry_key: str = "",
) -> SessionEvent:
    """Record one device: the first waits for the start gate, each further one for the rest after the one before."""
    what = e.DeviceGiven(number, lot, expires_on, two_green_dots_before, not_primed, no_green_dots_after)
    return _write(session, what, by, at, entry_key)


def end_dosing(*, session: Session, reason: str, by: Staff, at: datetime, entry_key: str = "") -> SessionEvent:
    """Record that no further device is given; the partial dose stands and nothing is replaced."""
    return _write(session, _checked(e.EventKind.DOSING_ENDED, reason=reason), by, at, entry_key)


def start_infusion(
    *,
    session: Session,
    lot: str,
    expires_on: date,
    by: Staff,
    at: datetime,
    rate_mg_per_min: float | None = None,
    planned_min: float | None = None,
    site: str = "",
    entry_key: str = "",
) -> SessionEvent:
    """Record the start of the infusion; rate and time are today's dose over its planned minutes unless given."""
    minutes = planned_min if planned_min is not None else float(session.infusion_min or 0)
    rate = rate_mg_per_min
    if rate is None:
        rate = round(float(session.dose_mg or 0) / minutes, 4) if minutes else 0.0
    what = _checked(
        e.EventKind.INFUSION_START,
        rate_mg_per_min=rate,
        planned_min=minutes,
        lot=lot,
        expires_on=expires_on.isoformat(),
        site=site,
    )
    return _write(session, what, by, at, entry_key)


def pause_infusion(*, session: Session, by: Staff, at: datetime, reason: str = "", entry_key: str = "") -> SessionEvent:
    """Record that the infusion stands still."""
    return _write(session, e.InfusionPaused(reason), by, at, entry_key)


def resume_infusion(
    *, session: Session, by: Staff, at: datetime, rate_mg_per_min: float | None = None, entry_key: str = ""
) -> SessionEvent:
    """Record that the infusion runs again."""
    what = _checked(e.EventKind.INFUSION_RESUME, rate_mg_per_min=rate_mg_per_min)
    return _write(session, what, by, at, entry_key)


def end_infusion(*, session: Session, by: Staff, at: datetime, reason: str = "", entry_key: str = "") -> SessionEvent:
    """Record the end of the infusion."""
    return _write(session, e.InfusionEnded(reason), by, at, entry_key)


def confirm_escort(
    *, session: Session, name: str, here: bool, by: Staff, at: datetime, entry_key: str = ""
) -> SessionEvent:
    """Record who takes the patient home, and whether that person is here."""
    return _write(session, _checked(e.EventKind.ESCORT, name=name, here=here), by, at, entry_key)


def record_prescriber_decision(
    *, session: Session, about: str, ruling: str, reason: str, by: Staff, at: datetime, entry_key: str = ""
) -> SessionEvent:
    """Record what the prescriber decided about a stop, by rule id: go_ahead or hold, with the reason."""
    what = _checked(e.EventKind.PRESCRIBER_DECISION, about=about, ruling=ruling, reason=reason)
    return _write(session, what, by, at, entry_key)


def acknowledge_alert(
    *, session: Session, alert: str, by: Staff, at: datetime, note: str = "", entry_key: str = ""
) -> SessionEvent:
    """Record who has seen an alert, by its key."""
    return _write(session, e.AlertAcknowledged(alert, note), by, at, entry_key)


def sign_release(*, session: Session, by: Staff, at: datetime, note: str = "", entry_key: str = "") -> SessionEvent:
    """Record the prescriber's signature that the patient is clinically stable."""
    return _write(session, e.ReleaseSigned(note), by, at, entry_key)


def discharge(*, session: Session, by: Staff, at: datetime, escort: str = "", entry_key: str = "") -> SessionEvent:
    """Let the patient go home; raises ``Refusal`` naming every condition that is not met or not known."""
    return _write(session, e.Discharged(escort), by, at, entry_key)


def stop_session(
    *, session: Session, outcome: str, reason: str, by: Staff, at: datetime, entry_key: str = ""
) -> SessionEvent:
    """Close a session that does not end by release: not_started, emergency_transfer or left_without_release."""
    return _write(session, _checked(e.EventKind.STOPPED, outcome=outcome, reason=reason), by, at, entry_key)
