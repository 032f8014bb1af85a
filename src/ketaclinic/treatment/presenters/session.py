"""The session screen, put together from what the core says about the session at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission
from ketaclinic.record.presenters import is_late
from ketaclinic.treatment.models import Session, SessionEvent
from ketaclinic.treatment.presenters import dosing, gates, happened, phases, words
from ketaclinic.treatment.presenters.dues import Next, next_due, still_open
from ketaclinic.treatment.presenters.expected import course
from ketaclinic.treatment.presenters.pad import VitalField, pad_fields
from ketaclinic.treatment.presenters.trace import DueMark, Trace, closed_at, trace
from ketaclinic.treatment.presenters.wire import seal_of
from ketacore.evidence import Decision, Setting
from ketacore.treatment.alerts import Alert, AlertReport, Priority, alerts
from ketacore.treatment.course import first_dose_at
from ketacore.treatment.decide import may_start, ready_for_discharge
from ketacore.treatment.due import Due, DueState, What, checks
from ketacore.treatment.events import StopOutcome, Symptom
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import Phase, phase

_PRIORITY = {Priority.HIGH: "high", Priority.MEDIUM: "med", Priority.LOW: "low"}
_WORD = {Priority.HIGH: "URGENT", Priority.MEDIUM: "ATTENTION", Priority.LOW: "NOTE"}
GIVING = (Phase.DOSING, Phase.INFUSION)
WATCHING = (Phase.DOSING, Phase.INFUSION, Phase.OBSERVATION, Phase.LEAVING)


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert as a banner."""

    key: str
    priority: str
    word: str
    text: str
    detail: str
    acknowledged: str
    rule_id: str


@dataclass(frozen=True, slots=True)
class SessionScreen:
    """Everything the session screen shows at one moment."""

    session: Session
    patient: Patient
    at: datetime
    phase: str
    product: str
    key: str
    seal: str
    steps: tuple[phases.PhaseStep, ...]
    next: Next
    alerts: tuple[AlertLine, ...]
    unchecked: tuple[Any, ...]
    trace: Trace | None
    lines: tuple[happened.Line, ...]
    start: gates.StartGate | None
    dosing: dosing.Dosing | None
    leave: gates.LeaveGate | None
    open: bool
    may_record: bool
    may_sign: bool
    pad: Mapping[str, VitalField]
    moaas: Sequence[tuple[int, str]]
    symptoms: Sequence[tuple[str, str]] = tuple((s.value, s.words.capitalize()) for s in Symptom)
    outcomes: Sequence[tuple[str, str]] = ()

    @property
    def earlier(self) -> tuple[happened.Line, ...]:
        """The lines behind the newest five."""
        return self.lines[5:]

    @property
    def newest(self) -> tuple[happened.Line, ...]:
        """The newest five lines."""
        return self.lines[:5]


def session_screen(
    session: Session,
    facts: SessionFacts,
    setting: Setting,
    rows: Sequence[SessionEvent],
    *,
    at: datetime,
    staff: Staff,
) -> SessionScreen:
    """Return the screen of one session at ``at`` for the person looking.

    ``rows`` are all its events, amended and voided ones too, for the list of what happened.
    """
    now = phase(facts, at)
    report = alerts(facts, at, setting)
    due = checks(facts, at, setting)
    start = may_start(facts, setting) if now in (Phase.ARRIVING, Phase.READY) else None
    leave = ready_for_discharge(facts, at, setting) if now in WATCHING else None
    open_now = now not in (Phase.LEFT, Phase.STOPPED)
    against = {row.entry_key for row in rows if hasattr(row, "on_paper") and row.on_paper.against}
    late = {row.entry_key for row in rows if is_late(row)}
    return SessionScreen(
        session=session,
        patient=session.patient,
        at=at,
        phase=words.PHASE_WORDS[now.value],
        product=words.given_line(session.product, session.dose_mg, facts, at),
        key=uuid4().hex,
        seal=seal_of(staff),
        steps=phases.steps(session, facts, at, start, leave, against),
        next=what_next(facts, now, report, due, start, leave, at),
        alerts=tuple(alert_line(a) for a in report.raised),
        unchecked=report.not_evaluated,
        trace=trace(
            facts, setting, at, due_marks(due, at), session.at, late, course(session, facts, closed_at(facts) or at)
        )
        if facts.events
        else None,
        lines=happened.lines(rows),
        start=gates.start_gate(facts, start, session.product, staff) if start else None,
        dosing=dosing.panel(session, facts, now, at, start),
        leave=gates.leave_gate(facts, leave, now, session.product, staff, at) if leave else None,
        open=open_now,
        may_record=open_now and staff.may(Permission.RUN_SESSION),
        may_sign=staff.may(Permission.SIGN_RELEASE),
        pad=pad_fields(setting, nasal=facts.nasal),
        moaas=tuple(words.MOAAS_WORDS.items()),
        outcomes=_outcomes(facts),
    )


def _outcomes(facts: SessionFacts) -> tuple[tuple[str, str], ...]:
    """Return how this session may end other than by release."""
    begun = first_dose_at(facts) is not None
    fitting = [
        o for o in StopOutcome if o is not (StopOutcome.NOT_STARTED if begun else StopOutcome.LEFT_WITHOUT_RELEASE)
    ]
    return tuple((o.value, o.value.replace("_", " ").capitalize()) for o in fitting)


def alert_line(alert: Alert) -> AlertLine:
    """Return an alert as a banner says it."""
    by = f"acknowledged by {alert.acknowledged_by}" if alert.acknowledged_by else ""
    return AlertLine(
        key=alert.key,
        priority=_PRIORITY[alert.priority],
        word=_WORD[alert.priority],
        text=alert.title,
        detail=alert.do,
        acknowledged=by,
        rule_id=alert.rule.rule_id,
    )


def due_marks(points: Sequence[Due], at: datetime) -> tuple[DueMark, ...]:
    """Return the blood-pressure checks still ahead, as rings of the time axis."""
    ahead = [d for d in points if d.what is What.BLOOD_PRESSURE and d.state(at) not in (DueState.DONE, DueState.MISSED)]
    return tuple(DueMark(d.due_at, d.opens_at, d.closes_at, next=i == 0) for i, d in enumerate(ahead))


def waiting(points: Sequence[Due], at: datetime) -> tuple[Due, ...]:
    """Return what still has to be done."""
    return tuple(d for d in points if d.state(at) not in (DueState.DONE, DueState.MISSED))


def what_next(
    facts: SessionFacts,
    now: Phase,
    report: AlertReport,
    points: Sequence[Due],
    start: Decision | None,
    leave: Decision | None,
    at: datetime,
) -> Next:
    """Return the one thing to do next, whatever the phase."""
    if now in (Phase.LEFT, Phase.STOPPED):
        word = words.PHASE_WORDS[now.value]
        return Next("", "", "", word, "Session closed", "everything recorded stays", "Session closed")
    if start is not None:
        return _before_the_dose(now, start)
    due = next_due(waiting(points, at), at)
    worst = report.worst
    if worst is not None and worst.priority is Priority.HIGH and worst.standing:
        return Next("urgent", "", "", "Urgent", worst.title, worst.do, worst.do, worst.at, "Measure again", "#systolic")
    if due is not None and (due.tone in ("late", "now") or now is not Phase.LEAVING):
        return due
    if leave is not None:
        return still_open(leave)
    return due or Next("", "", "", "–", "Nothing is due", "", "Nothing due", first_dose_at(facts))


def _before_the_dose(now: Phase, start: Decision) -> Next:
    held = [f for f in start.findings if f.stops]
    total = len(start.findings)
    if now is Phase.ARRIVING:
        return Next(
            "now",
            "",
            "",
            "Arrival",
            "Check in",
            "the person is here and identified",
            "Check in",
            None,
            "Go to check-in",
            "#start",
        )
    if not held and total:
        return Next(
            "now",
            "",
            "",
            "Ready",
            "Start gate passed",
            f"{total} of {total}",
            "First dose",
            None,
            "Give the dose",
            "#dosing",
        )
    first = ", ".join(f.rule.title for f in held[:2]) or "no rule of the gate stands here"
    more = f" and {len(held) - 2} more" if len(held) > 2 else ""
    return Next(
        "open",
        str(len(held)),
        f"of {total} open",
        "",
        "Start gate",
        f"{first}{more}",
        "Start gate",
        None,
        "What is open",
        "#start",
    )
