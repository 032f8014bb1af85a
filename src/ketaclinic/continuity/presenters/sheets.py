"""The sheets for a downtime, as plain text: who, what was given, what is due, whom to call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ketaclinic.people.models import Caregiver, Clinic
from ketaclinic.planning.models import Booking
from ketaclinic.planning.queries import session_dose_mg
from ketaclinic.record.presenters import entered_late
from ketaclinic.screening.models import Allergy
from ketaclinic.treatment.models import SessionEvent
from ketaclinic.treatment.presenters.dues import clock
from ketaclinic.treatment.presenters.happened import text_of
from ketaclinic.treatment.presenters.session import waiting
from ketaclinic.treatment.presenters.words import PHASE_WORDS, product_line
from ketaclinic.treatment.queries import OpenSession
from ketacore.evidence import Decision, Setting, State
from ketacore.treatment import (
    checks,
    dose_given_mg,
    first_dose_at,
    leave_not_before,
    may_start,
    phase,
    ready_for_discharge,
)
from ketacore.treatment.alerts import alerts
from ketacore.treatment.course import flows
from ketacore.treatment.events import DeviceGiven, EscortSeen, EventKind, InfusionStarted

_COLUMNS = (
    ("systolic", "diastolic"),
    ("heart_rate",),
    ("oxygen_saturation",),
    ("respiratory_rate",),
    ("temperature_c",),
)
_READINGS = (EventKind.VITALS, EventKind.SEDATION, EventKind.DISSOCIATION)
EMPTY_ROWS = 14
"""Lines left for the entries to come on the sheet of a session."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands on top of every sheet."""

    clinic: str
    written: str
    call: str
    synthetic: bool


@dataclass(frozen=True, slots=True)
class SessionSheet:
    """One running session, as far as it was known when the sheet was written."""

    head: Heading
    chair: str
    patient: str
    identifiers: str
    facts: tuple[tuple[str, str], ...]
    due: tuple[tuple[str, str], ...]
    gates: tuple[str, ...]
    gates_title: str
    alerts: tuple[str, ...]
    readings: tuple[tuple[str, ...], ...]
    happened: tuple[tuple[str, str, str], ...]
    contacts: tuple[tuple[str, str], ...]
    empty_rows: int = EMPTY_ROWS


@dataclass(frozen=True, slots=True)
class DayList:
    """The bookings of one day."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    none: str


@dataclass(frozen=True, slots=True)
class Lists:
    """What is still to come today, and the next day."""

    head: Heading
    days: tuple[DayList, ...]


def heading(clinic: Clinic, at: datetime) -> Heading:
    """Return what stands on top of every sheet written at ``at``."""
    local = at.astimezone(clinic.zone)
    return replace(blank_heading(clinic), written=f"{day_words(local.date())}, {local:%H:%M}")


def blank_heading(clinic: Clinic) -> Heading:
    """Return what stands on top of an empty form, which knows no moment."""
    called = ", ".join(filter(None, (clinic.emergency_contact, clinic.phone)))
    return Heading(clinic.name, "", called, clinic.synthetic)


def day_words(day: date) -> str:
    """Return a day as it is written by hand."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def session_sheet(
    found: OpenSession,
    rows: Sequence[SessionEvent],
    setting: Setting,
    *,
    allergies: Iterable[Allergy],
    caregivers: Iterable[Caregiver],
    at: datetime,
) -> SessionSheet:
    """Return the sheet of one session; ``rows`` are its standing entries, oldest first."""
    session, facts, patient = found.session, found.facts, found.session.patient
    begun = first_dose_at(facts) is not None
    decision = ready_for_discharge(facts, at, setting) if begun else may_start(facts, setting)
    identifiers = f"born {patient.birth_date:%d %b %Y}   ·   record number {patient.record_number}"
    return SessionSheet(
        head=heading(session.clinic, at),
        chair=str(session.chair),
        patient=str(patient),
        identifiers=identifiers,
        facts=_facts(found, allergies, at),
        due=_due(found, setting, at),
        gates=_open_gates(decision),
        gates_title="Still open before the patient may leave" if begun else "Still open before the first dose",
        alerts=tuple(f"{a.title}: {a.do}" for a in alerts(facts, at, setting).raised if a.standing),
        readings=_readings(rows),
        happened=tuple(
            (clock(row.at), text_of(row), entered_late(row) or row.recorded_by.display_name)
            for row in rows
            if row.kind not in _READINGS
        ),
        contacts=_contacts(found, caregivers),
    )


def _facts(found: OpenSession, allergies: Iterable[Allergy], at: datetime) -> tuple[tuple[str, str], ...]:
    session, facts = found.session, found.facts
    start, leave = first_dose_at(facts), leave_not_before(facts)
    planned = "not set" if session.dose_mg is None else f"{float(session.dose_mg):g} mg"
    minutes = f" over {session.infusion_min} min" if session.infusion_min else ""
    weight = f", weight used {float(session.weight_kg):g} kg" if session.weight_kg else ""
    known = ", ".join(allergy.display for allergy in allergies)
    return (
        ("Product", product_line(session.product, None)),
        ("Dose planned", f"{planned}{minutes}{weight}"),
        ("Dose given so far", f"{dose_given_mg(facts, at):g} mg" if start else "none"),
        ("Given", _given(found) or "–"),
        ("Opened", clock(session.at)),
        ("Phase", PHASE_WORDS[phase(facts, at).value]),
        ("Leave not before", clock(leave) if leave else "not known until dosing is over"),
        ("Allergies on record", known or "none on record (that is not: none)"),
    )


def _given(found: OpenSession) -> str:
    facts = found.facts
    devices = [f"device {d.number} at {clock(e.at)}, lot {d.lot}" for e, d in facts.of(DeviceGiven)]
    running = [
        f"{clock(f.since)} to {clock(f.until) if f.until else 'now'} at {f.mg_per_min:.3g} mg/min" for f in flows(facts)
    ]
    lots = [f"lot {d.lot}" for _, d in facts.of(InfusionStarted)]
    return "; ".join([*devices, *running, *lots])


def _due(found: OpenSession, setting: Setting, at: datetime) -> tuple[tuple[str, str], ...]:
    points = waiting(checks(found.facts, at, setting), at)
    return tuple((clock(point.due_at), point.title) for point in sorted(points, key=lambda p: p.due_at))


def _open_gates(decision: Decision) -> tuple[str, ...]:
    return tuple(_gate(f.rule.title, f.state, f.missing, f.because) for f in decision.findings if f.stops)


def _gate(title: str, state: State, missing: Sequence[str], because: Sequence[str]) -> str:
    why = ", ".join(missing) if state is State.NOT_EVALUATED and missing else "; ".join(because)
    return f"{title}: {why}" if why else title


def _readings(rows: Sequence[SessionEvent]) -> tuple[tuple[str, ...], ...]:
    """Return what was measured: one line per moment, an empty cell for what was not measured."""
    moments: dict[datetime, list[SessionEvent]] = {}
    for row in rows:
        if row.kind in _READINGS:
            moments.setdefault(row.at, []).append(row)
    return tuple(_moment(at, entries) for at, entries in moments.items())


def _moment(at: datetime, entries: Sequence[SessionEvent]) -> tuple[str, ...]:
    said = {key: value for row in entries for key, value in row.payload.items() if value is not None}
    values = ["/".join(str(said[name]) for name in names if name in said) for names in _COLUMNS]
    last = entries[-1]
    by = entered_late(last) or last.recorded_by.display_name
    return (clock(at), *values, str(said.get("moaas", "")), str(said.get("level", "")), by)


def _contacts(found: OpenSession, caregivers: Iterable[Caregiver]) -> tuple[tuple[str, str], ...]:
    patient = found.session.patient
    escort = found.facts.last(EscortSeen)
    lines = [("Patient", patient.phone or "no number on record")]
    if escort is not None:
        lines.append((f"Escort: {escort[1].name}", "is here" if escort[1].here else "on the way"))
    lines += [(f"{c.name}, {c.relationship or 'caregiver'}", c.phone or "no number on record") for c in caregivers]
    return tuple(lines)


def lists(
    clinic: Clinic, today: Iterable[Booking], following: tuple[date, Iterable[Booking]], *, at: datetime
) -> Lists:
    """Return what is still to come today, and the list of the next day with bookings."""
    day, bookings = following
    here = clinic.day_of(at)
    name = "Tomorrow" if day == here + timedelta(days=1) else "Next day with bookings"
    return Lists(
        heading(clinic, at),
        (
            DayList(
                f"Still to come today, {day_words(here)}", tuple(map(_booked, today)), "Nobody else is booked today."
            ),
            DayList(f"{name}, {day_words(day)}", tuple(map(_booked, bookings)), "Nobody is booked."),
        ),
    )


def _booked(booking: Booking) -> tuple[str, ...]:
    patient, plan = booking.patient, booking.plan
    dose = session_dose_mg(plan, booking.number)
    planned = product_line(plan.product, dose)
    if dose is None and plan.dose_mg_per_kg is not None:
        planned = f"{planned}, {float(plan.dose_mg_per_kg):g} mg/kg"
    return (
        clock(booking.starts_at),
        str(booking.chair),
        str(patient),
        f"{patient.birth_date:%d %b %Y}",
        patient.record_number,
        planned,
        str(booking.number),
        patient.phone or "–",
    )
