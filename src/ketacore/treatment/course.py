"""The course of a session, read from its events: doses, pressures, what was seen last. No limit, no judgement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ketacore.treatment.events import (
    DeviceGiven,
    Dissociation,
    DosingEnded,
    Event,
    InfusionEnded,
    InfusionPaused,
    InfusionResumed,
    InfusionStarted,
    Sedation,
    Vitals,
)
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.rules import DEVICE
from ketacore.units import BloodPressure


def minutes_between(start: datetime, end: datetime) -> int:
    """Return whole minutes, rounded down (DEC-22)."""
    return int((end - start).total_seconds() // 60)


@dataclass(frozen=True, slots=True)
class Pressure:
    """One blood pressure with its time."""

    at: datetime
    value: BloodPressure
    key: str = ""


def pressures(facts: SessionFacts, since: datetime | None = None) -> tuple[Pressure, ...]:
    """Return the blood pressures of this session in the order of time."""
    return tuple(
        Pressure(event.at, vitals.blood_pressure, event.key)
        for event, vitals in facts.of(Vitals, since)
        if vitals.blood_pressure is not None
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """One number with its time."""

    at: datetime
    value: float
    key: str = ""


def readings(facts: SessionFacts, name: str, since: datetime | None = None) -> tuple[Reading, ...]:
    """Return one of the numbers of ``Vitals`` over time."""
    return tuple(
        Reading(event.at, getattr(vitals, name), event.key)
        for event, vitals in facts.of(Vitals, since)
        if getattr(vitals, name) is not None
    )


def first_dose_at(facts: SessionFacts) -> datetime | None:
    """Return when the first device was sprayed or the infusion began."""
    started = [e.at for e in facts.events if isinstance(e.what, DeviceGiven | InfusionStarted)]
    return started[0] if started else None


def dosing_over_at(facts: SessionFacts) -> datetime | None:
    """Return since when no more drug is to be given in this session, or ``None``."""
    planned = devices_planned(facts)
    devices = facts.of(DeviceGiven)
    ended_early = facts.last(DosingEnded) is not None
    if devices and (ended_early or (planned is not None and len(devices) >= planned)):
        return devices[-1][0].at
    ended = facts.last(InfusionEnded)
    return ended[0].at if ended else None


def devices_planned(facts: SessionFacts) -> int | None:
    """Return how many devices today's dose takes; ``None`` for another route or a dose that nobody has set."""
    if not facts.nasal or facts.dose_mg.value is None:
        return None
    return round(facts.dose_mg.value / DEVICE.number("device_mg"))


@dataclass(frozen=True, slots=True)
class Flow:
    """A stretch of infusion at one rate; ``until`` is open while it runs."""

    since: datetime
    until: datetime | None
    mg_per_min: float

    def mg(self, at: datetime) -> float:
        """Return what went in during this stretch by ``at``."""
        until = at if self.until is None else min(self.until, at)
        return max(0.0, (until - self.since).total_seconds() / 60) * self.mg_per_min


def flows(facts: SessionFacts) -> tuple[Flow, ...]:
    """Return the infusion as stretches between start, pause, resume and end."""
    done: list[Flow] = []
    running: Flow | None = None
    rate = 0.0
    for event in facts.events:
        match event.what:
            case InfusionStarted(rate_mg_per_min=given):
                rate, running = given, Flow(event.at, None, given)
            case InfusionResumed(rate_mg_per_min=changed) if running is None and done:
                rate = rate if changed is None else changed
                running = Flow(event.at, None, rate)
            case InfusionPaused() | InfusionEnded() if running is not None:
                done.append(Flow(running.since, event.at, running.mg_per_min))
                running = None
            case _:
                pass
    return (*done, running) if running else tuple(done)


def infusion_running(facts: SessionFacts) -> bool:
    """Return whether drug is flowing now."""
    found = flows(facts)
    return bool(found) and found[-1].until is None


def mg_given(facts: SessionFacts, at: datetime) -> float:
    """Return the drug given by ``at``: devices times their content, or rate times time."""
    devices = sum(1 for event, _ in facts.of(DeviceGiven) if event.at <= at)
    return devices * DEVICE.number("device_mg") + sum(flow.mg(at) for flow in flows(facts) if flow.since <= at)


def infusion_ends_at(facts: SessionFacts, at: datetime) -> datetime | None:
    """Return when the running infusion reaches today's dose, pauses counted; ``None`` when none is running."""
    found = flows(facts)
    if not found or found[-1].until is not None or facts.dose_mg.value is None:
        return None
    left = facts.dose_mg.value - mg_given(facts, at)
    return at + timedelta(minutes=left / found[-1].mg_per_min)


def baseline_pressure(facts: SessionFacts) -> Pressure | None:
    """Return the last blood pressure before the first dose of this session, or ``None``."""
    start = first_dose_at(facts)
    before = [p for p in pressures(facts) if start is None or p.at <= start]
    return before[-1] if before else None


def baseline_reading(facts: SessionFacts, name: str) -> Reading | None:
    """Return the last value before the first dose of this session, or ``None``."""
    start = first_dose_at(facts)
    before = [r for r in readings(facts, name) if start is None or r.at <= start]
    return before[-1] if before else None


def last_sedation(facts: SessionFacts, since: datetime | None) -> tuple[Event, Sedation] | None:
    """Return the newest sedation level at or after ``since``."""
    return facts.last(Sedation, since)


def last_dissociation(facts: SessionFacts, since: datetime | None) -> tuple[Event, Dissociation] | None:
    """Return the newest dissociation level at or after ``since``."""
    return facts.last(Dissociation, since)


def newest(times: Iterable[datetime]) -> datetime | None:
    """Return the latest of some moments, or ``None``."""
    return max(times, default=None)
