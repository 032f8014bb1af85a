"""The phases of a session as a strip, with the two gates in it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

from ketaclinic.treatment.models import Session
from ketaclinic.treatment.presenters import words
from ketaclinic.treatment.presenters.dues import clock
from ketacore.evidence import Decision
from ketacore.treatment.course import (
    devices_planned,
    dosing_over_at,
    first_dose_at,
    flows,
    infusion_ends_at,
    infusion_running,
    minutes_between,
)
from ketacore.treatment.events import Arrived, DeviceGiven, Discharged, Stopped
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import Phase, leave_not_before, phase

_BEGUN = (Phase.DOSING, Phase.INFUSION, Phase.OBSERVATION, Phase.LEAVING, Phase.LEFT)


@dataclass(frozen=True, slots=True)
class PhaseStep:
    """One step of the strip: ``state`` is done, here or later; ``share`` of 100 is shown as a bar."""

    name: str
    note: str
    state: str
    gate: bool = False
    share: int | None = None
    left: str = ""


def steps(
    session: Session,
    facts: SessionFacts,
    at: datetime,
    start: Decision | None,
    leave: Decision | None,
    against: Container[str] = (),
) -> tuple[PhaseStep, ...]:
    """Return the strip: checked in, start gate, dose, observation, leave gate.

    ``against`` are the keys of entries that happened although a gate would have refused them.
    """
    now = phase(facts, at)
    return (
        _arrival(session, facts, now),
        _start(facts, now, start, against),
        _dose(session, facts, now, at),
        _observation(facts, now, at),
        _leave(facts, now, leave),
    )


def _state(now: Phase, here: tuple[Phase, ...], done: tuple[Phase, ...]) -> str:
    return "here" if now in here else "done" if now in done else "later"


def _arrival(session: Session, facts: SessionFacts, now: Phase) -> PhaseStep:
    arrived = facts.last(Arrived)
    note = clock(arrived[0].at) if arrived else f"opened {clock(session.at)}"
    return PhaseStep(
        "Checked in" if arrived else "Check in", note, _state(now, (Phase.ARRIVING,), (Phase.READY, *_BEGUN))
    )


def _start(facts: SessionFacts, now: Phase, start: Decision | None, against: Container[str]) -> PhaseStep:
    if start is None:
        began = first_dose_at(facts)
        held = any(e.at == began and e.key in against for e in facts.events)
        note = f"{clock(began)}, {'would have held' if held else 'passed'}" if began else "not passed"
        return PhaseStep("Start gate", note, "done" if began else "later", gate=True)
    met = len(start.findings) - len([f for f in start.findings if f.stops])
    return PhaseStep("Start gate", f"{met} of {len(start.findings)} met", _state(now, (Phase.READY,), ()), gate=True)


def _dose(session: Session, facts: SessionFacts, now: Phase, at: datetime) -> PhaseStep:
    name = words.given_line(session.product, session.dose_mg, facts, at)
    devices = facts.of(DeviceGiven)
    running = flows(facts)
    share, left = None, ""
    if devices:
        note = ", ".join(clock(e.at) for e, _ in devices)
        if now is Phase.DOSING:
            note = f"device {len(devices)} of {devices_planned(facts) or '?'} given {clock(devices[-1][0].at)}"
    elif running:
        note = f"from {clock(running[0].since)}"
        ends = infusion_ends_at(facts, at)
        over = dosing_over_at(facts)
        if infusion_running(facts) and ends is not None:
            note, left = f"minute {minutes_between(running[0].since, at)}", f"ends {clock(ends)}"
            share = _share(running[0].since, ends, at)
        elif over is not None:
            note = f"{clock(running[0].since)} to {clock(running[-1].until or over)}"
        else:
            note = f"paused {clock(running[-1].until)}" if running[-1].until else note
    else:
        note = "not given" if now in (Phase.LEFT, Phase.STOPPED) else "after the start gate"
    state = _state(now, (Phase.DOSING, Phase.INFUSION), (Phase.OBSERVATION, Phase.LEAVING, Phase.LEFT))
    return PhaseStep(
        name, note, "done" if now is Phase.STOPPED and (devices or running) else state, share=share, left=left
    )


def _observation(facts: SessionFacts, now: Phase, at: datetime) -> PhaseStep:
    start, gate, over = first_dose_at(facts), leave_not_before(facts), dosing_over_at(facts)
    state = _state(now, (Phase.OBSERVATION,), (Phase.LEAVING, Phase.LEFT))
    if start is None or gate is None or over is None:
        return PhaseStep("Observation", "after the last dose", state)
    if now is not Phase.OBSERVATION:
        return PhaseStep("Observation", f"{clock(over)} to {clock(gate)}", state)
    return PhaseStep(
        "Observation",
        f"minute {minutes_between(start, at)}",
        state,
        share=_share(over, gate, at),
        left=f"{max(-minutes_between(gate, at), 0)} min left",
    )


def _leave(facts: SessionFacts, now: Phase, leave: Decision | None) -> PhaseStep:
    left, stopped, gate = facts.last(Discharged), facts.last(Stopped), leave_not_before(facts)
    if left is not None:
        return PhaseStep("Left", clock(left[0].at), "here", gate=True)
    if stopped is not None:
        return PhaseStep("Stopped", clock(stopped[0].at), "here", gate=True)
    if now is Phase.LEAVING and leave is not None:
        unmet = len([f for f in leave.findings if f.stops])
        return PhaseStep("Leave gate", f"{unmet} still open" if unmet else "every condition met", "here", gate=True)
    return PhaseStep("Leave gate", f"not before {clock(gate)}" if gate else "after observation", "later", gate=True)


def _share(start: datetime, end: datetime, at: datetime) -> int:
    whole = (end - start).total_seconds()
    return round(100 * min(max((at - start).total_seconds() / whole, 0.0), 1.0)) if whole > 0 else 100
