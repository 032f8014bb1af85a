"""Writes one session that lies in the past: what was done, minute by minute, as a nurse would have tapped it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ketaclinic.demo.clinic import DemoClinic
from ketaclinic.demo.courses import NASAL, Course, Reaction, draw_reaction, pressure_at
from ketaclinic.demo.ledger import Ledger
from ketaclinic.people.models import Staff
from ketaclinic.planning.models import Booking
from ketaclinic.treatment.actions.lines import chronicle_title, is_milestone
from ketaclinic.treatment.models import Session, SessionEvent
from ketacore.planning import PROTOCOLS
from ketacore.treatment import Payload, payload_as_json
from ketacore.treatment import events as e
from ketacore.treatment.questions import questions_of

if TYPE_CHECKING:
    from ketaclinic.demo.life import Life

LOT_NASAL, LOT_INFUSION = "SYN-4471", "SYN-2208"
_LEVELS = (e.DissociationLevel.NONE, e.DissociationLevel.MILD, e.DissociationLevel.STRONG)
_ARRIVES_BEFORE = 25
Step = tuple[float, Payload]


def write_session(
    ledger: Ledger, home: DemoClinic, life: Life, booking: Booking, dose_mg: Decimal
) -> tuple[Session, datetime]:
    """Write a whole session, from the door to the way home; return it with the moment the patient left."""
    plan, nurse = booking.plan, home.nurse
    weight = plan.weight_kg if life.product != NASAL else None
    protocol = PROTOCOLS[plan.protocol_id]
    session = ledger.row(
        Session,
        life.patient,
        booking.starts_at,
        nurse,
        plan=plan,
        booking=booking,
        product=plan.product,
        chair=booking.chair,
        dose_mg=dose_mg,
        infusion_min=_minutes(protocol.infusion_min),
        weight_kg=weight,
        dose_reason="",
        entry_key=ledger.key("session"),
    )
    ledger.line(
        session, "treatment", "session_opened", f"Session opened on chair {booking.chair}", _dose_words(session)
    )
    reaction = draw_reaction(life.random, life.course, booking.number)
    start = booking.starts_at + timedelta(minutes=_ARRIVES_BEFORE)
    left_at = start
    for minute, payload in steps_of(life.course, reaction, session, start.date() + timedelta(days=400)):
        by = home.prescriber if isinstance(payload, e.ReleaseSigned) else nurse
        left_at = start + timedelta(minutes=minute)
        write_event(ledger, session, left_at, payload, by)
    return session, left_at


def write_event(ledger: Ledger, session: Session, at: datetime, payload: Payload, by: Staff) -> SessionEvent:
    """Write one entry, and its line when it is a milestone."""
    row = ledger.row(
        SessionEvent,
        session.patient,
        at,
        by,
        session=session,
        kind=payload.kind.value,
        payload=payload_as_json(payload),
        entry_key=ledger.key("event"),
    )
    if is_milestone(payload):
        ledger.line(row, "treatment", payload.kind.value, chronicle_title(payload))
    return row


def steps_of(course: Course, reaction: Reaction, session: Session, expires_on: date) -> Iterator[Step]:
    """Yield what happens at which minute from the first dose, in order."""
    yield -24, e.Arrived()
    for n, question in enumerate(questions_of(session.product, "start")):
        yield -23 + n * 0.5, e.AnswerGiven(question.question, e.Reply(question.opens))
    yield -12, _vitals(course, reaction, -12)
    if session.product == NASAL:
        last = yield from _devices(session, expires_on)
        checks: tuple[int, ...] = (40, 80, last + 120)
    else:
        minutes = float(session.infusion_min or 40)
        rate = round(float(session.dose_mg or 0) / minutes, 4)
        yield 0, e.InfusionStarted(rate, minutes, LOT_INFUSION, expires_on, "left forearm")
        checks = (10, 20, 30, int(minutes), int(minutes) + 30, int(minutes) + 60)
        last = int(minutes)
    yield from _watch(course, reaction, session, checks, last)
    yield from _leave(session, checks[-1])


def _devices(session: Session, expires_on: date) -> Generator[Step, None, int]:
    protocol = PROTOCOLS[session.plan.protocol_id]
    minutes = protocol.device_minutes(float(session.dose_mg or 0))
    for n, minute in enumerate(minutes, start=1):
        yield minute, e.DeviceGiven(n, LOT_NASAL, expires_on, True, True, True)
    return minutes[-1] if minutes else 0


def _watch(course: Course, reaction: Reaction, session: Session, checks: tuple[int, ...], last: int) -> Iterator[Step]:
    for minute in checks:
        if session.product != NASAL and minute == last:
            yield minute, e.InfusionEnded()
        yield minute, _vitals(course, reaction, minute)
        felt = minute <= 60
        yield minute + 0.5, e.Sedation(reaction.moaas if felt else 5)
        yield minute + 0.7, e.Dissociation(_LEVELS[reaction.dissociation] if felt else e.DissociationLevel.NONE)


def _leave(session: Session, minute: int) -> Iterator[Step]:
    for n, question in enumerate(questions_of(session.product, "release")):
        yield minute + 1 + n * 0.2, e.AnswerGiven(question.question, e.Reply(question.opens))
    yield minute + 3, e.EscortSeen("the person named on the chart", True)
    yield minute + 4, e.InstructionsGiven(to_escort=True)
    yield minute + 5, e.ReleaseSigned()
    yield minute + 7, e.Discharged("")


def _vitals(course: Course, reaction: Reaction, minute: float) -> e.Vitals:
    systolic, diastolic = pressure_at(course, reaction, minute)
    return e.Vitals(systolic, diastolic, course.heart_rate, 97, 14)


def _minutes(minutes: float | None) -> int | None:
    return None if minutes is None else round(minutes)


def _dose_words(session: Session) -> str:
    if session.weight_kg is None:
        return f"{session.dose_mg:g} mg planned"
    return f"{session.plan.dose_mg_per_kg:g} mg/kg × {session.weight_kg:g} kg = {session.dose_mg:g} mg"
