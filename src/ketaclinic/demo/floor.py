"""Today's floor, made through the rooms' own actions: six chairs in different phases, arrivals still to come."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from ketaclinic.demo.courses import INFUSION, NASAL
from ketaclinic.demo.life import Life
from ketaclinic.demo.lives import World
from ketaclinic.demo.visits import LOT_INFUSION, LOT_NASAL
from ketaclinic.treatment import actions
from ketaclinic.treatment.models import Session
from ketacore.treatment.questions import questions_of

CHAIRS: tuple[tuple[str, int, int, str], ...] = (
    (NASAL, 5, 47, "observation"),
    (INFUSION, 3, 22, "infusion"),
    (NASAL, 0, 5, "device_due"),
    (INFUSION, 2, 75, "overdue"),
    (NASAL, 8, 139, "leaving"),
    (INFUSION, 4, 62, "pressure"),
)
"""Product, sessions given before, minutes since the first dose, what the chair shows."""
OPENED_BEFORE = timedelta(minutes=26)
"""How long before the first dose a session is opened."""


def fill_chair(world: World, life: Life, chair: int, minutes: int, shows: str) -> Session:
    """Run a session up to now as the nurse would."""
    assert life.plan is not None
    nurse, start = world.home.nurse, world.at - timedelta(minutes=minutes)
    session = actions.open_session(
        patient=life.patient,
        plan=life.plan,
        by=nurse,
        at=start - OPENED_BEFORE,
        chair=chair,
        booking=life.booking_today,
        weight_confirmed=True,
    )
    actions.arrive(session=session, by=nurse, at=start - timedelta(minutes=25))
    for question in questions_of(session.product, "start"):
        actions.answer_gate(
            session=session,
            question=question.question,
            answer=question.opens.value,
            by=nurse,
            at=start - timedelta(minutes=20),
        )
    _vitals(world, life, session, -10, start)
    expires = world.today + timedelta(days=400)
    if life.product == NASAL:
        devices = round(float(session.dose_mg or Decimal(56)) / 28)
        for n in range(1 if shows == "device_due" else devices):
            actions.give_device(
                session=session,
                number=n + 1,
                lot=LOT_NASAL,
                expires_on=expires,
                by=nurse,
                at=start + timedelta(minutes=5 * n),
            )
    else:
        actions.start_infusion(
            session=session, lot=LOT_INFUSION, expires_on=expires, by=nurse, at=start, site="left arm"
        )
    _observe(world, life, session, minutes, shows)
    return session


def _observe(world: World, life: Life, session: Session, minutes: int, shows: str) -> None:
    nurse, start = world.home.nurse, world.at - timedelta(minutes=minutes)
    checks = (40, 80, 130) if life.product == NASAL else (10, 20, 30, 40, 55, 60)
    for minute in (m for m in checks if m < minutes):
        if life.product == INFUSION and minute == 40:
            actions.end_infusion(session=session, by=nurse, at=start + timedelta(minutes=40))
        if shows == "overdue" and minute > 40:
            continue
        high = shows == "pressure" and minute == 60
        _vitals(world, life, session, minute, start, *((184, 102) if high else ()))
        moment = start + timedelta(minutes=minute)
        actions.record_sedation(session=session, moaas=4 if minute <= 40 else 5, by=nurse, at=moment)
        level = "mild" if minute <= 40 else "none"
        actions.record_dissociation(session=session, level=level, by=nurse, at=moment)


def _vitals(world: World, life: Life, session: Session, minute: int, start: datetime, *pressure: int) -> None:
    systolic, diastolic = pressure or (life.course.systolic + (8 if 0 < minute < 90 else 0), life.course.diastolic)
    actions.record_vitals(
        session=session,
        by=world.home.nurse,
        at=start + timedelta(minutes=minute),
        systolic=systolic,
        diastolic=diastolic,
        heart_rate=life.course.heart_rate,
        oxygen_saturation=97,
        respiratory_rate=14,
    )
