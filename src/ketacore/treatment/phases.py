"""The phases of a session and the steps between them: a table, tested to be complete and drawn from here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from ketacore.evidence import Refusal
from ketacore.treatment.course import devices_planned, dosing_over_at, first_dose_at
from ketacore.treatment.events import DeviceGiven, Event, EventKind
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.rules import RULES


class Phase(StrEnum):
    """Where a session is."""

    ARRIVING = "arriving"
    READY = "ready"
    DOSING = "dosing"
    INFUSION = "infusion"
    OBSERVATION = "observation"
    LEAVING = "leaving"
    LEFT = "left"
    STOPPED = "stopped"


class Step(StrEnum):
    """What moves a session, or is recorded in it."""

    ARRIVE = "arrive"
    CHECK = "check"
    DEVICE = "device"
    LAST_DEVICE = "last_device"
    END_DOSING = "end_dosing"
    START_INFUSION = "start_infusion"
    PAUSE = "pause"
    RESUME = "resume"
    END_INFUSION = "end_infusion"
    TIME_MET = "time_met"
    SIGN = "sign"
    DISCHARGE = "discharge"
    STOP = "stop"


TRANSITIONS: Mapping[Phase, Mapping[Step, Phase]] = {
    Phase.ARRIVING: {Step.ARRIVE: Phase.READY, Step.CHECK: Phase.ARRIVING, Step.STOP: Phase.STOPPED},
    Phase.READY: {
        Step.CHECK: Phase.READY,
        Step.DEVICE: Phase.DOSING,
        Step.LAST_DEVICE: Phase.OBSERVATION,
        Step.START_INFUSION: Phase.INFUSION,
        Step.STOP: Phase.STOPPED,
    },
    Phase.DOSING: {
        Step.CHECK: Phase.DOSING,
        Step.DEVICE: Phase.DOSING,
        Step.LAST_DEVICE: Phase.OBSERVATION,
        Step.END_DOSING: Phase.OBSERVATION,
        Step.STOP: Phase.STOPPED,
    },
    Phase.INFUSION: {
        Step.CHECK: Phase.INFUSION,
        Step.PAUSE: Phase.INFUSION,
        Step.RESUME: Phase.INFUSION,
        Step.END_INFUSION: Phase.OBSERVATION,
        Step.STOP: Phase.STOPPED,
    },
    Phase.OBSERVATION: {
        Step.CHECK: Phase.OBSERVATION,
        Step.TIME_MET: Phase.LEAVING,
        Step.STOP: Phase.STOPPED,
    },
    Phase.LEAVING: {
        Step.CHECK: Phase.LEAVING,
        Step.SIGN: Phase.LEAVING,
        Step.DISCHARGE: Phase.LEFT,
        Step.STOP: Phase.STOPPED,
    },
    Phase.LEFT: {},
    Phase.STOPPED: {},
}
"""From each phase, the steps that may be taken and where they lead; whatever is not listed is refused."""

_STEPS: Mapping[EventKind, Step] = {
    EventKind.ARRIVED: Step.ARRIVE,
    EventKind.ANSWER: Step.CHECK,
    EventKind.VITALS: Step.CHECK,
    EventKind.SEDATION: Step.CHECK,
    EventKind.DISSOCIATION: Step.CHECK,
    EventKind.SYMPTOM: Step.CHECK,
    EventKind.DEVICE: Step.DEVICE,
    EventKind.DOSING_ENDED: Step.END_DOSING,
    EventKind.INFUSION_START: Step.START_INFUSION,
    EventKind.INFUSION_PAUSE: Step.PAUSE,
    EventKind.INFUSION_RESUME: Step.RESUME,
    EventKind.INFUSION_END: Step.END_INFUSION,
    EventKind.ESCORT: Step.CHECK,
    EventKind.INSTRUCTIONS: Step.CHECK,
    EventKind.PRESCRIBER_DECISION: Step.CHECK,
    EventKind.ALERT_ACKNOWLEDGED: Step.CHECK,
    EventKind.RELEASE_SIGNED: Step.SIGN,
    EventKind.DISCHARGED: Step.DISCHARGE,
    EventKind.STOPPED: Step.STOP,
}


def step_of(kind: EventKind, devices_before: int, devices_in_plan: int | None) -> Step:
    """Return the step an event takes; the device that completes today's dose is the last one."""
    step = _STEPS[kind]
    if step is Step.DEVICE and devices_in_plan is not None and devices_before + 1 >= devices_in_plan:
        return Step.LAST_DEVICE
    return step


def leave_not_before(facts: SessionFacts) -> datetime | None:
    """Return the earliest moment at which this patient may leave, or ``None`` while drug is still to be given.

    A nasal session counts from the *last* device (SPR-MON-01, SPR-MON-07-D); an infusion from its start and from its
    end, whichever is later (DIS-05-TIME).
    """
    over = dosing_over_at(facts)
    start = first_dose_at(facts)
    if over is None or start is None:
        return None
    if facts.nasal:
        needed = max(
            RULES["SPR-MON-01"].number("min_observation_min"),
            RULES["SPR-MON-07-D"].number("min_from_last_device_min"),
        )
        return over + timedelta(minutes=needed)
    rule = RULES["DIS-05-TIME"]
    return max(
        start + timedelta(minutes=rule.number("min_from_start_min")),
        over + timedelta(minutes=rule.number("min_from_end_min")),
    )


def phase(facts: SessionFacts, at: datetime) -> Phase:
    """Return the phase of the session at a moment, from the events that had happened by then."""
    now = Phase.ARRIVING
    devices = 0
    soonest = leave_not_before(facts)
    planned = devices_planned(facts)
    for event in facts.events:
        if event.at > at:
            break
        now = _aged(now, soonest, event.at)
        now = TRANSITIONS[now].get(step_of(event.kind, devices, planned), now)
        devices += isinstance(event.what, DeviceGiven)
    return _aged(now, soonest, at)


def _aged(now: Phase, soonest: datetime | None, at: datetime) -> Phase:
    if soonest is not None and at >= soonest:
        return TRANSITIONS[now].get(Step.TIME_MET, now)
    return now


def check_step(facts: SessionFacts, event: Event) -> None:
    """Refuse an event that the phase of the session at its time does not allow."""
    before = tuple(e for e in facts.events if e.at <= event.at)
    devices = sum(isinstance(e.what, DeviceGiven) for e in before)
    now = phase(facts, event.at)
    step = step_of(event.kind, devices, devices_planned(facts))
    if step in TRANSITIONS[now]:
        return
    may = ", ".join(s.replace("_", " ") for s in TRANSITIONS[now] if s is not Step.TIME_MET) or "nothing more"
    raise Refusal(
        f"Recording {event.kind.replace('_', ' ')}",
        [f"the session is in the phase '{now}', which does not allow it"],
        f"What may be recorded now: {may}.",
    )


def diagram() -> str:
    """Return the table of phases as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.ARRIVING}"]
    for source, steps in TRANSITIONS.items():
        lines += [f"    {source} --> {target}: {step.replace('_', ' ')}" for step, target in steps.items()]
        if not steps:
            lines.append(f"    {source} --> [*]")
    return "\n".join(lines) + "\n"
