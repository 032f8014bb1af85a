"""The track of a session from its facts, the same for board, wall and session screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ketaclinic.design.track import Check, Track
from ketacore.treatment.course import (
    devices_planned,
    first_dose_at,
    flows,
    infusion_ends_at,
    infusion_running,
    minutes_between,
)
from ketacore.treatment.events import DeviceGiven, DosingEnded
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import leave_not_before
from ketacore.treatment.rules import DEVICE

_LEAST_SPAN = 120.0


def device_due_at(facts: SessionFacts) -> datetime | None:
    """Return when the next device may be used, ``None`` before the first one or when dosing is over."""
    given, planned = facts.of(DeviceGiven), devices_planned(facts)
    if not given or facts.of(DosingEnded) or planned is None or len(given) >= planned:
        return None
    return given[-1][0].at + timedelta(minutes=DEVICE.number("rest_min"))


def session_track(facts: SessionFacts, at: datetime, checks: Sequence[datetime], words: str) -> Track | None:
    """Return the track of a session that has begun dosing, else ``None``; ``checks`` are the moments still due."""
    start = first_dose_at(facts)
    if start is None:
        return None

    def minute(moment: datetime) -> float:
        return (moment - start).total_seconds() / 60

    gate = leave_not_before(facts)
    now = minute(at)
    ahead = [minute(c) for c in checks] + ([minute(gate)] if gate else []) + [now]
    device = device_due_at(facts)
    return Track(
        span=max([_LEAST_SPAN, *ahead]) + 10,
        now=now,
        doses=tuple(minute(e.at) for e, _ in facts.of(DeviceGiven)),
        dose_due=minute(device) if device else None,
        infusion=_infusion(facts, at, start),
        checks=_checks([minute(c) for c in checks], now),
        gate=minute(gate) if gate else None,
        gate_passed=gate is not None and at >= gate,
        words=words,
    )


def minute_of(facts: SessionFacts, at: datetime) -> int | None:
    """Return the minute of the session, counted from the first dose; ``None`` before it."""
    start = first_dose_at(facts)
    return minutes_between(start, at) if start is not None and at >= start else None


def _infusion(facts: SessionFacts, at: datetime, start: datetime) -> tuple[float, float, float] | None:
    run = flows(facts)
    if not run:
        return None
    so_far = (run[-1].until or at) - start
    planned = infusion_ends_at(facts, at) if infusion_running(facts) else None
    end = so_far if planned is None else planned - start
    return (0.0, so_far.total_seconds() / 60, max(end, so_far).total_seconds() / 60)


def _checks(minutes: list[float], now: float) -> tuple[Check, ...]:
    found: list[Check] = []
    named = False
    for m in sorted(minutes):
        if m < now - 5:
            found.append(Check(m, "late"))
        elif not named:
            found.append(Check(m, "next"))
            named = True
        else:
            found.append(Check(m))
    return tuple(found)
