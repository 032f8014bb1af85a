"""Giving the dose: the next device with its rest, or the infusion with its rate and its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ketaclinic.treatment.models import Session
from ketaclinic.treatment.presenters.dues import clock
from ketaclinic.treatment.presenters.tracks import device_due_at
from ketacore.evidence import Decision
from ketacore.treatment.course import (
    devices_planned,
    dosing_over_at,
    flows,
    infusion_ends_at,
    infusion_running,
    mg_given,
)
from ketacore.treatment.events import DeviceGiven, Event, InfusionStarted
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import Phase


@dataclass(frozen=True, slots=True)
class Device:
    """One device of today's dose: ``state`` is given, next or later."""

    number: int
    state: str
    when: str


@dataclass(frozen=True, slots=True)
class Dosing:
    """The panel of the dose. ``kind`` is device, infusion_start, infusion_running or infusion_paused."""

    kind: str
    title: str
    blocked: bool
    devices: tuple[Device, ...] = ()
    number: int = 1
    due_at: datetime | None = None
    minutes_left: int = 0
    lot: str = ""
    expires_on: str = ""
    rate: str = ""
    planned_min: int | None = None
    given_mg: str = ""
    dose_mg: str = ""
    ends: str = ""
    share: int = 0


def panel(session: Session, facts: SessionFacts, now: Phase, at: datetime, start: Decision | None) -> Dosing | None:
    """Return what may be given now, or ``None`` when nothing more is to be given."""
    if now not in (Phase.READY, Phase.DOSING, Phase.INFUSION) or dosing_over_at(facts) is not None:
        return None
    blocked = start is not None and start.outcome != "may_start"
    return _devices(facts, at, blocked) if facts.nasal else _infusion(session, facts, at, blocked)


def _devices(facts: SessionFacts, at: datetime, blocked: bool) -> Dosing | None:
    planned, given = devices_planned(facts), facts.of(DeviceGiven)
    if planned is None:
        return Dosing("device", "Dose of today is not set", True)
    number = len(given) + 1
    due = device_due_at(facts)
    left = 0 if due is None else max(0, -int((at - due).total_seconds() // 60))
    return Dosing(
        kind="device",
        title=f"Device {number} of {planned}",
        blocked=blocked,
        devices=tuple(_device(n, given) for n in range(1, planned + 1)),
        number=number,
        due_at=due,
        minutes_left=left,
        lot=given[-1][1].lot if given else "",
        expires_on=given[-1][1].expires_on.isoformat() if given else "",
    )


def _device(number: int, given: tuple[tuple[Event, DeviceGiven], ...]) -> Device:
    if number <= len(given):
        event = given[number - 1][0]
        return Device(number, "given", clock(event.at))
    return Device(number, "next" if number == len(given) + 1 else "later", "")


def _infusion(session: Session, facts: SessionFacts, at: datetime, blocked: bool) -> Dosing:
    dose = facts.dose_mg.value
    minutes = facts.infusion_min.value or session.infusion_min
    started = facts.last(InfusionStarted)
    if started is None:
        rate = f"{round(dose / minutes, 4):g}" if dose and minutes else ""
        return Dosing(
            "infusion_start",
            "Start the infusion",
            blocked or not dose,
            rate=rate,
            planned_min=int(minutes) if minutes else None,
            dose_mg=f"{dose:g}" if dose else "",
        )
    running = infusion_running(facts)
    ends = infusion_ends_at(facts, at)
    given = mg_given(facts, at)
    return Dosing(
        "infusion_running" if running else "infusion_paused",
        "Infusion runs" if running else "Infusion is paused",
        False,
        rate=f"{flows(facts)[-1].mg_per_min:g}",
        given_mg=f"{given:.1f}",
        dose_mg=f"{dose:g}" if dose else "",
        ends=clock(ends) if ends else "",
        due_at=ends,
        share=round(100 * min(given / dose, 1.0)) if dose else 0,
    )
