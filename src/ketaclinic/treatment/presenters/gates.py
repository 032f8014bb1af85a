"""The two gates as lists that say what is met, what is open and what could not be checked, and how to close each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ketaclinic.design.findings import fact_name
from ketaclinic.people.models import Staff
from ketaclinic.treatment.presenters.dues import clock
from ketacore.evidence import Decision, Finding, State
from ketacore.treatment.course import dosing_over_at
from ketacore.treatment.events import Arrived, EscortSeen, InstructionsGiven, ReleaseSigned, Reply
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import Phase
from ketacore.treatment.questions import Question, answered, questions_of

_BESIDE = 22
"""Longest remark that stands beside a condition that is met; a longer one stands below it."""


@dataclass(frozen=True, slots=True)
class GateLine:
    """One condition of a gate: met, unmet or unknown; ``finding`` opens to its reason."""

    state: str
    what: str
    why: str
    aside: str
    finding: Finding
    rule_id: str
    may_decide: bool = False


@dataclass(frozen=True, slots=True)
class AskLine:
    """One question of a gate with today's answer; ``answer`` is empty while nobody has asked."""

    question: str
    text: str
    answer: str
    state: str
    when: str
    rule_id: str


@dataclass(frozen=True, slots=True)
class StartGate:
    """What stands before the first dose."""

    arrived: bool
    verdict: str
    open: int
    total: int
    questions: tuple[AskLine, ...]
    unasked: int
    conditions: tuple[GateLine, ...]
    passed: bool


@dataclass(frozen=True, slots=True)
class LeaveGate:
    """What stands between the patient and the way home."""

    verdict: str
    open: int
    total: int
    lines: tuple[GateLine, ...]
    questions: tuple[AskLine, ...]
    escort: str
    escort_here: bool
    instructions: bool
    signed: bool
    ready: bool
    leaving: bool
    dosing_over: bool


def line(finding: Finding, staff: Staff) -> GateLine:
    """Return a finding of a gate as one line."""
    if not finding.rule.effect.stops and finding.state is State.NOT_EVALUATED:
        state = "unknown"
    else:
        state = {State.CLEAR: "met", State.FIRED: "unmet", State.NOT_EVALUATED: "unknown"}[finding.state]
    why = "; ".join(finding.because)
    if state == "unknown" and finding.missing:
        why = "; ".join(_missing(finding))
    short = state == "met" and len(why) <= _BESIDE
    may = finding.state is State.FIRED and staff.role in finding.rule.override.roles
    return GateLine(
        state=state,
        what=finding.rule.title,
        why="" if short else why,
        aside=why if short else "",
        finding=finding,
        rule_id=finding.rule.rule_id,
        may_decide=may,
    )


def _missing(finding: Finding) -> list[str]:
    """Return what a condition still waits for: each question that nobody has answered, then what is not known."""
    asked = [f"not answered: {m}" for m in finding.missing if m.endswith("?")]
    others = ", ".join(fact_name(m) for m in finding.missing if not m.endswith("?"))
    return [*asked, *([f"missing: {others}"] if others else [])]


def start_gate(facts: SessionFacts, decision: Decision, product: str, staff: Staff) -> StartGate:
    """Return the start gate: the questions to ask today, and the conditions the record answers."""
    asked = tuple(ask_line(facts, q) for q in questions_of(product, "start"))
    held = [f for f in decision.findings if f.stops]
    total = len(decision.findings)
    answered_here = {q.rule_id for q in asked}
    conditions = [line(f, staff) for f in decision.findings if f.rule.rule_id not in answered_here or _ruled(f, staff)]
    order = {"unmet": 0, "unknown": 1, "met": 2}
    return StartGate(
        arrived=facts.last(Arrived) is not None,
        verdict="May start" if decision.outcome == "may_start" else "Not yet",
        open=len(held),
        total=total,
        questions=asked,
        unasked=len([q for q in asked if not q.answer]),
        conditions=tuple(sorted(conditions, key=lambda c: order[c.state])),
        passed=decision.outcome == "may_start",
    )


def _ruled(finding: Finding, staff: Staff) -> bool:
    return finding.state is State.FIRED and bool(finding.rule.override.roles)


def ask_line(facts: SessionFacts, question: Question, since: datetime | None = None) -> AskLine:
    """Return one question with the newest answer given today."""
    fact = answered(facts, question.question, since)
    if fact.value is not None:
        reply = Reply.YES if fact.value else Reply.NO
        answer, state = reply.value, "met" if reply is question.opens else "unmet"
    else:
        known = fact.at is not None
        answer, state = (Reply.NOT_KNOWN.value, "unknown") if known else ("", "unknown")
    when = f"{clock(fact.at)}, {fact.source}" if fact.at else ""
    return AskLine(question.question, question.text, answer, state, when, question.rule)


def leave_gate(
    facts: SessionFacts, decision: Decision, now: Phase, product: str, staff: Staff, at: datetime
) -> LeaveGate:
    """Return the leave gate with what is still open first."""
    over = dosing_over_at(facts)
    escort = facts.last(EscortSeen)
    order = {"unmet": 0, "unknown": 1, "met": 2}
    found = sorted((line(f, staff) for f in decision.findings), key=lambda c: order[c.state])
    unmet = len([f for f in decision.findings if f.stops])
    return LeaveGate(
        verdict="Ready" if decision.outcome == "ready" else "Not yet",
        open=unmet,
        total=len(decision.findings),
        lines=tuple(found),
        questions=tuple(ask_line(facts, q, over) for q in questions_of(product, "release")),
        escort=escort[1].name if escort else "",
        escort_here=escort is not None and escort[1].here,
        instructions=facts.last(InstructionsGiven) is not None,
        signed=over is not None and facts.last(ReleaseSigned, over) is not None,
        ready=decision.outcome == "ready",
        leaving=now is Phase.LEAVING,
        dosing_over=over is not None,
    )
