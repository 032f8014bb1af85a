"""A synthetic floor in full swing, written as rows: what the screens show, without the gates that led there."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.policy.actions import sign_policy
from ketaclinic.treatment.models import Session, SessionEvent
from ketacore.treatment.rules import RULES

_keys = count(1)
NASAL, IV = "esketamine-nasal", "ketamine-iv"
START = ("prescriber_on_site", "raised_pressure_risk", "ate_within_2h", "drank_within_30min", "ride_arranged")


def sign_limits(director: Staff, at: datetime) -> None:
    """The director signs every clinic policy of the room."""
    for rule in RULES:
        if rule.grade.value == "D":
            sign_policy(rule=rule, by=director, at=at - timedelta(days=30))


def make_plan(patient: Patient, by: Staff, at: datetime, product: str = NASAL) -> Plan:
    nasal = product == NASAL
    return Plan.objects.create(
        **_who(patient, by, at - timedelta(days=20)),
        protocol_id="esketamine-trd-us" if nasal else "ketamine-iv-clinic",
        protocol_version=1,
        product=product,
        dose_mg=Decimal(84) if nasal else None,
        dose_mg_per_kg=None if nasal else Decimal("0.5"),
        weight_kg=None if nasal else Decimal(78),
        starts_on=(at - timedelta(days=20)).date(),
        signed_by=by,
    )


def make_booking(plan: Plan, by: Staff, starts_at: datetime, chair: int) -> Booking:
    return Booking.objects.create(
        **_who(plan.patient, by, starts_at - timedelta(days=3)),
        plan=plan,
        number=4,
        phase="induction",
        planned_on=starts_at.date(),
        starts_at=starts_at,
        chair=chair,
    )


def make_session(patient: Patient, by: Staff, at: datetime, chair: int = 1, product: str = NASAL) -> Session:
    nasal = product == NASAL
    return Session.objects.create(
        **_who(patient, by, at),
        plan=make_plan(patient, by, at, product),
        product=product,
        chair=chair,
        dose_mg=Decimal(84) if nasal else Decimal(39),
        infusion_min=None if nasal else 40,
        weight_kg=None if nasal else Decimal(78),
        entry_key=f"session-{next(_keys)}",
    )


def event(session: Session, by: Staff, at: datetime, kind: str, **payload: Any) -> SessionEvent:
    return SessionEvent.objects.create(
        **_who(session.patient, by, at), session=session, kind=kind, payload=payload, entry_key=f"event-{next(_keys)}"
    )


def device(session: Session, by: Staff, at: datetime, number: int) -> SessionEvent:
    return event(
        session,
        by,
        at,
        "device",
        number=number,
        lot="L2407",
        expires_on=date(2027, 9, 30).isoformat(),
        two_green_dots_before=True,
        not_primed=True,
        no_green_dots_after=True,
    )


def arrive(session: Session, by: Staff, before: tuple[int, int] = (128, 80)) -> None:
    """Checked in, asked and measured, in the quarter of an hour after opening."""
    event(session, by, session.at, "arrived")
    for question in START:
        opens = "yes" if question in ("ride_arranged", "prescriber_on_site") else "no"
        event(session, by, session.at + timedelta(minutes=4), "answer", question=question, answer=opens)
    measure(session, by, session.at + timedelta(minutes=10), before)


def measure(
    session: Session, by: Staff, at: datetime, pressure: tuple[int, int], heart: int = 82, saturation: int = 97
) -> SessionEvent:
    return event(
        session,
        by,
        at,
        "vitals",
        systolic=pressure[0],
        diastolic=pressure[1],
        heart_rate=heart,
        oxygen_saturation=saturation,
    )


def watch(session: Session, by: Staff, at: datetime, moaas: int = 5, level: str = "none") -> None:
    event(session, by, at, "sedation", moaas=moaas)
    event(session, by, at, "dissociation", level=level)


def observed(session: Session, by: Staff, now: datetime, minute: int, *, devices: int = 3) -> None:
    """A nasal session whose first device was sprayed ``minute`` minutes ago."""
    start = now - timedelta(minutes=minute)
    arrive(session, by)
    for number in range(1, devices + 1):
        if start + timedelta(minutes=5 * (number - 1)) <= now:
            device(session, by, start + timedelta(minutes=5 * (number - 1)), number)
    readings = ((20, (141, 87), 86), (35, (149, 92), 88), (52, (143, 88), 84), (100, (134, 84), 80))
    for offset, pressure, heart in readings:
        if offset < minute:
            measure(session, by, start + timedelta(minutes=offset), pressure, heart)
            watch(session, by, start + timedelta(minutes=offset), level="mild" if offset < 60 else "none")


def infused(session: Session, by: Staff, now: datetime, minute: int) -> None:
    """An infusion of 40 minutes that began ``minute`` minutes ago."""
    start = now - timedelta(minutes=minute)
    arrive(session, by, (122, 76))
    event(
        session,
        by,
        start,
        "infusion_start",
        rate_mg_per_min=0.975,
        planned_min=40.0,
        lot="K118",
        expires_on=date(2027, 9, 30).isoformat(),
    )
    for offset in range(10, min(minute, 40), 10):
        measure(session, by, start + timedelta(minutes=offset), (126 + offset // 2, 80), 80)
        watch(session, by, start + timedelta(minutes=offset), 4, "mild")
    if minute >= 40:
        event(session, by, start + timedelta(minutes=40), "infusion_end")


def _who(patient: Patient, by: Staff, at: datetime) -> dict[str, Any]:
    return {"clinic": patient.clinic, "patient": patient, "at": at, "recorded_at": at, "recorded_by": by}


NAMES = (
    ("Maya", "Ellison", date(1984, 3, 14)),
    ("Tomás", "Rivera", date(1971, 9, 2)),
    ("Ruth", "Abara", date(1990, 1, 27)),
    ("Jun", "Park", date(1966, 12, 11)),
    ("Leila", "Haddad", date(1979, 7, 5)),
    ("Owen", "Castellan", date(1958, 4, 30)),
    ("Ines", "Moreau", date(1993, 2, 19)),
    ("Caleb", "Nwosu", date(1987, 6, 8)),
    ("Petra", "Vance", date(1975, 10, 23)),
)


def full_floor(clinic: Clinic, nurse: Staff, director: Staff, now: datetime) -> dict[int, Session]:
    """Six chairs at six moments of a session, and arrivals; every name is made up."""
    sign_limits(director, now)
    people = [
        Patient.objects.create(
            clinic=clinic,
            record_number=f"K-2{n:04}",
            given_name=given,
            family_name=family,
            birth_date=born,
            sex=Patient.Sex.UNKNOWN,
            registered_at=now - timedelta(days=60),
            synthetic=True,
        )
        for n, (given, family, born) in enumerate(NAMES, 417)
    ]

    def opened(chair: int, minutes: int, product: str = NASAL) -> Session:
        return make_session(people[chair - 1], nurse, now - timedelta(minutes=minutes), chair, product)

    chairs = {
        1: opened(1, 66),
        2: opened(2, 45, IV),
        3: opened(3, 25),
        4: opened(4, 12),
        5: opened(5, 165),
        6: opened(6, 95, IV),
    }
    observed(chairs[1], nurse, now, 47)
    infused(chairs[2], nurse, now, 22)
    observed(chairs[3], nurse, now, 5)
    event(chairs[4], nurse, now - timedelta(minutes=10), "arrived")
    observed(chairs[5], nurse, now, 142)
    infused(chairs[6], nurse, now, 72)
    measure(chairs[6], nurse, now - timedelta(minutes=2), (184, 102), 96)
    for number, (minutes, product) in enumerate(((15, NASAL), (30, IV), (105, NASAL)), 7):
        plan = make_plan(people[number - 1], director, now, product)
        make_booking(plan, director, now + timedelta(minutes=minutes), number - 3)
    return chairs
