"""The floor board and its wall display: every chair in its fixed place, phase, minute, what is due; arrivals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ketaclinic.design.findings import fact_name
from ketaclinic.design.track import Track
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Permission
from ketaclinic.planning.models import Booking
from ketaclinic.treatment.models import Session
from ketaclinic.treatment.presenters import words
from ketaclinic.treatment.presenters.dues import Next, clock
from ketaclinic.treatment.presenters.session import AlertLine, alert_line, waiting, what_next
from ketaclinic.treatment.presenters.tracks import minute_of, session_track
from ketaclinic.treatment.queries import OpenSession
from ketacore.evidence import Setting, State
from ketacore.treatment.alerts import Priority, alerts
from ketacore.treatment.course import (
    devices_planned,
    dosing_over_at,
    infusion_ends_at,
    infusion_running,
    minutes_between,
)
from ketacore.treatment.decide import may_start, ready_for_discharge
from ketacore.treatment.due import What, checks
from ketacore.treatment.events import DeviceGiven
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import Phase, leave_not_before, phase
from ketacore.treatment.questions import answered

_BLOCKS = {
    "KC-GATE-01": "Consent",
    "KC-GATE-02": "Signed plan",
    "KC-GATE-03": "Decision to treat",
    "KC-GATE-04": "Dose of today",
    "KC-GATE-05": "Weight",
    "SPR-PRE-06": "REMS enrolment",
}
_KNOWN_ONLY_WHEN_OPENED = ("KC-GATE-04", "KC-GATE-05")


@dataclass(frozen=True, slots=True)
class Chair:
    """One row of the board. Without a session it stays in its place, empty."""

    number: int
    session: Session | None = None
    patient: Patient | None = None
    product: str = ""
    route: str = ""
    icon: str = ""
    phase: str = ""
    note: str = ""
    wall_note: str = ""
    minute: int | None = None
    track: Track | None = None
    next: Next | None = None


@dataclass(frozen=True, slots=True)
class Urgent:
    """An alert that asks for somebody, with the chair it stands at."""

    chair: int
    session_pk: int
    line: AlertLine
    since: str


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that still keeps an arrival from starting: not done, or not known."""

    words: str
    state: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One booking of today that nobody has opened yet."""

    booking: Booking
    patient: Patient
    when: datetime
    product: str
    late: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """The whole board at one moment."""

    at: datetime
    chairs: tuple[Chair, ...]
    urgent: tuple[Urgent, ...]
    arrivals: tuple[Arrival, ...]
    blocked: int
    notes: tuple[tuple[str, str], ...]
    on_site: bool | None
    may_acknowledge: bool
    may_open: bool

    @property
    def occupied(self) -> int:
        """How many chairs have a session."""
        return len([c for c in self.chairs if c.session is not None])


def floor_board(
    clinic: Clinic,
    sessions: Sequence[OpenSession],
    bookings: Sequence[Booking],
    gates: Mapping[int, SessionFacts],
    setting: Callable[[str], Setting],
    *,
    at: datetime,
    staff: Staff,
) -> Floor:
    """Return the board of a clinic at ``at``.

    ``sessions`` carry the facts of the start gate where they have not begun; ``bookings`` are today's arrivals,
    ``gates`` their facts by booking; ``setting`` answers for a product.
    """
    settings = {p: setting(p) for p in {s.session.product for s in sessions} | {b.plan.product for b in bookings}}
    by_chair = {o.session.chair: o for o in sessions}
    numbers = sorted({*range(1, clinic.chairs + 1), *by_chair})
    arriving = tuple(_arrival(b, gates.get(b.pk), settings[b.plan.product], at) for b in bookings)
    return Floor(
        at=at,
        chairs=tuple(
            _chair(n, by_chair[n], settings[by_chair[n].session.product], at) if n in by_chair else Chair(n)
            for n in numbers
        ),
        urgent=_urgent(sessions, settings, at),
        arrivals=arriving,
        blocked=len([a for a in arriving if a.blocks]),
        notes=_notes(sessions, settings, at),
        on_site=_on_site(sessions),
        may_acknowledge=staff.may(Permission.RUN_SESSION),
        may_open=staff.may(Permission.RUN_SESSION),
    )


def _chair(number: int, found: OpenSession, setting: Setting, at: datetime) -> Chair:
    session, facts = found.session, found.facts
    now = phase(facts, at)
    points = waiting(checks(facts, at, setting), at)
    start = may_start(facts, setting) if now in (Phase.ARRIVING, Phase.READY) else None
    leave = ready_for_discharge(facts, at, setting) if now is Phase.LEAVING else None
    name = words.phase_word(now.value, nasal=facts.nasal)
    if now is Phase.READY and start is not None and start.outcome == "may_start":
        name = "Ready"
    minute = minute_of(facts, at)
    said = f"Chair {number}: {name}" + (f", minute {minute}" if minute is not None else "")
    marks = sorted({d.due_at for d in points if d.what is What.BLOOD_PRESSURE})
    note, wall_note = _note(facts, now, at)
    return Chair(
        number=number,
        session=session,
        patient=session.patient,
        product=words.given_line(session.product, session.dose_mg, facts, at),
        route=words.route(session.product),
        icon=words.route_icon(session.product),
        phase=name,
        note=note,
        wall_note=wall_note,
        minute=minute,
        track=session_track(facts, at, marks, said),
        next=what_next(facts, now, alerts(facts, at, setting), points, start, leave, at),
    )


def _note(facts: SessionFacts, now: Phase, at: datetime) -> tuple[str, str]:
    """Return the words beside the phase, for the board and shorter for the wall."""
    gate, over = leave_not_before(facts), dosing_over_at(facts)
    given = facts.of(DeviceGiven)
    if now is Phase.DOSING and given:
        count = f"{len(given)} of {devices_planned(facts) or '?'}"
        return f"{count} given {clock(given[-1][0].at)}", count
    if now is Phase.INFUSION:
        ends = infusion_ends_at(facts, at) if infusion_running(facts) else None
        return (f"ends {clock(ends)}",) * 2 if ends else ("paused", "paused")
    if now is Phase.OBSERVATION and gate is not None:
        if facts.nasal or over is None:
            return f"leave not before {clock(gate)}", f"leave {clock(gate)}"
        return f"infusion ended {clock(over)}", f"ended {clock(over)}"
    if now is Phase.LEAVING and gate is not None:
        return f"time passed at {clock(gate)}", f"since {clock(gate)}"
    return "", ""


def _urgent(sessions: Sequence[OpenSession], settings: Mapping[str, Setting], at: datetime) -> tuple[Urgent, ...]:
    found: list[Urgent] = []
    for o in sessions:
        report = alerts(o.facts, at, settings[o.session.product])
        for alert in report.raised:
            if alert.priority is not Priority.HIGH:
                continue
            minutes = minutes_between(alert.at, at)
            since = f"Unacknowledged for {minutes} min." if not alert.acknowledged_by else ""
            found.append(Urgent(o.session.chair, o.session.pk, alert_line(alert), since))
    return tuple(sorted(found, key=lambda u: bool(u.line.acknowledged)))


def _notes(
    sessions: Sequence[OpenSession], settings: Mapping[str, Setting], at: datetime
) -> tuple[tuple[str, str], ...]:
    """Return what else waits: notices of medium priority, and limits that nobody has signed."""
    notes: list[tuple[str, str]] = []
    unsigned: set[str] = set()
    for o in sessions:
        report = alerts(o.facts, at, settings[o.session.product])
        notes += [
            (f"Chair {o.session.chair}: {a.title}", a.do if not a.acknowledged_by else f"seen by {a.acknowledged_by}")
            for a in report.raised
            if a.priority is not Priority.HIGH
        ]
        unsigned |= {f.rule.rule_id for f in report.not_evaluated}
    if unsigned:
        rules = ", ".join(sorted(unsigned)[:3]) + (f" and {len(unsigned) - 3} more" if len(unsigned) > 3 else "")
        notes.append((f"{len(unsigned)} limits are not watched", f"clinic policy without a signature: {rules}"))
    return tuple(notes)


def _on_site(sessions: Sequence[OpenSession]) -> bool | None:
    """Return whether a prescriber is on site by today's newest answer on the floor; ``None`` when nobody was asked."""
    told = [answered(o.facts, "prescriber_on_site") for o in sessions]
    known = sorted((f for f in told if f.at is not None), key=lambda f: str(f.at))
    return known[-1].value if known else None


def _arrival(booking: Booking, facts: SessionFacts | None, setting: Setting, at: datetime) -> Arrival:
    return Arrival(
        booking=booking,
        patient=booking.patient,
        when=booking.starts_at,
        product=words.product_line(booking.plan.product, booking.plan.dose_mg),
        late=max(0, minutes_between(booking.starts_at, at)) if at > booking.starts_at else 0,
        blocks=_blocks(facts, setting) if facts is not None else (Block("Not checked", "unknown"),),
    )


def _blocks(facts: SessionFacts, setting: Setting) -> tuple[Block, ...]:
    found: list[Block] = []
    for finding in may_start(facts, setting).findings:
        rule_id = finding.rule.rule_id
        if rule_id not in _BLOCKS or not finding.stops:
            continue
        if finding.state is State.NOT_EVALUATED:
            if rule_id in _KNOWN_ONLY_WHEN_OPENED:
                continue
            missing = fact_name(finding.missing[0]) if finding.missing else _BLOCKS[rule_id]
            found.append(Block(f"{missing[:1].upper()}{missing[1:]} not known", "unknown"))
        else:
            found.append(Block(_BLOCKS[rule_id], "unmet"))
    return tuple(found)
