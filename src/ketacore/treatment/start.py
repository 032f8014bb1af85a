"""The start gate: one predicate per rule. Yes means the rule holds the session back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ketacore.evidence import Fact, Known, Predicate, Rule, Truth, any_of, no, present, unknown, yes
from ketacore.treatment.course import Pressure, baseline_pressure, first_dose_at, pressures
from ketacore.treatment.events import AnswerGiven, PrescriberDecision, Reply, Ruling
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.questions import QUESTIONS, answered


def decided(facts: SessionFacts, rule: Rule, since: datetime | None) -> Truth | None:
    """Return what the prescriber decided about a stop at or after ``since``; a newer measurement asks again."""
    found = [(e, d) for e, d in facts.of(PrescriberDecision, since) if d.about == rule.rule_id]
    if not found:
        return None
    event, decision = found[-1]
    if decision.ruling is Ruling.GO_AHEAD:
        return no(f"{event.by} decided to go ahead: {decision.reason}")
    return yes(f"{event.by} holds the dose: {decision.reason}")


def _must(name: str, fact: Fact[bool], otherwise: str) -> Truth:
    """Return a stop unless the fact is known to be true; ``otherwise`` says what is wrong when it is false."""
    if fact.value is None:
        return unknown(name)
    return no(fact.source) if fact.value else yes(f"{otherwise} ({fact.source})" if fact.source else otherwise)


def closed_by(facts: SessionFacts, question: str, since: datetime | None = None) -> Truth:
    """Return whether the answer to one question keeps its gate closed; unasked and not known are unknown."""
    asked = QUESTIONS[question]
    told = present(asked.text, answered(facts, question, since), f"{asked.text} yes")
    if asked.opens is Reply.NO:
        return told
    return Truth(not told.value, () if told.value else (f"{asked.text} no",)) if told.value is not None else told


def _consent(facts: SessionFacts, rule: Rule) -> Truth:
    return _must("consent", facts.consent_valid, "no valid consent for this route")


def _plan(facts: SessionFacts, rule: Rule) -> Truth:
    return _must("signed plan", facts.plan_active, "no signed plan stands")


def _candidate(facts: SessionFacts, rule: Rule) -> Truth:
    return _must("decision to treat", facts.candidate, "the prescriber has not decided to treat")


def _dose(facts: SessionFacts, rule: Rule) -> Truth:
    set_today = no() if facts.dose_mg.known else unknown("dose of today")
    return any_of((set_today, _must("dose allowed by the protocol", facts.dose_allowed, "not a dose of the protocol")))


def _weight(facts: SessionFacts, rule: Rule) -> Truth:
    return _must("usable weight", facts.weight_usable, "the weight must be measured again or confirmed")


def _day(facts: SessionFacts, rule: Rule) -> Truth:
    told = _must("days of the sessions given", facts.day_allowed, "by the protocol there is no session today")
    return (decided(facts, rule, None) or told) if told.value else told


def _pressure_before(facts: SessionFacts, rule: Rule) -> Truth:
    last = baseline_pressure(facts)
    if last is None:
        return unknown("blood pressure before the dose")
    high = last.value.systolic > rule.number("systolic_above_mmhg") or last.value.diastolic > rule.number(
        "diastolic_above_mmhg"
    )
    if not high:
        return no(f"{last.value} mmHg")
    return decided(facts, rule, last.at) or yes(f"{last.value} mmHg, and the prescriber has not decided")


def _pressure_rechecked(facts: SessionFacts, rule: Rule) -> Truth:
    start = first_dose_at(facts)
    before = [p for p in pressures(facts) if start is None or p.at <= start]
    if not before:
        return unknown("blood pressure before the dose")
    waiting: Pressure | None = None
    rechecks = 0
    for reading in before:
        if _at_least(reading, rule):
            waiting, rechecks = reading, 0
        elif waiting is not None and reading.at - waiting.at >= timedelta(minutes=rule.number("recheck_after_min")):
            waiting, rechecks = reading, rechecks + 1
    needed = int(rule.number("rechecks"))
    if waiting is None or rechecks >= needed:
        return no(f"{before[-1].value} mmHg")
    return yes(f"{rechecks} of {needed} later readings below the limit, each 10 minutes after the one before")


def _at_least(reading: Pressure, rule: Rule) -> bool:
    return reading.value.systolic >= rule.number("systolic_from_mmhg") or reading.value.diastolic >= rule.number(
        "diastolic_from_mmhg"
    )


def _asked(*questions: str) -> Predicate[SessionFacts]:
    """Return a predicate over answers; where the rule allows it, a later decision passes it once all were asked."""

    def predicate(facts: SessionFacts, rule: Rule) -> Truth:
        told = any_of(closed_by(facts, question) for question in questions)
        if told.value is False or not rule.override.roles:
            return told
        if any(answered(facts, question).state is Known.NOT_ASKED for question in questions):
            return told
        newest = max(e.at for e, answer in facts.of(AnswerGiven) if answer.question in questions)
        return decided(facts, rule, newest) or told

    return predicate


def _rems(facts: SessionFacts, rule: Rule) -> Truth:
    return any_of(
        (
            _must("REMS enrolment of the patient", facts.rems_enrolled, "the patient is not enrolled in the REMS"),
            _must("REMS certification of the setting", facts.setting_certified, "the setting is not certified today"),
        )
    )


START: Mapping[str, Predicate[SessionFacts]] = {
    "KC-GATE-01": _consent,
    "KC-GATE-02": _plan,
    "KC-GATE-03": _candidate,
    "KC-GATE-04": _dose,
    "KC-GATE-05": _weight,
    "KC-GATE-06": _day,
    "SPR-PRE-01-DOSE": _pressure_before,
    "SPR-PRE-02-DOSE": _asked("raised_pressure_risk"),
    "SPR-PRE-03": _asked("ate_within_2h", "drank_within_30min"),
    "SPR-PRE-04": _asked("nasal_spray_within_1h"),
    "SPR-PRE-05": _asked("ride_arranged"),
    "SPR-PRE-06": _rems,
    "REMS-04": _asked("enrolment_checked"),
    "REMS-02": _asked("prescriber_on_site", "staff_and_oximeter"),
    "DEC-06-DOSE": _pressure_before,
    "IVK-SITE-02": _asked("airway_ready"),
    "IVK-MON-04-PRE-SOFT": _pressure_before,
    "IVK-MON-04-PRE-HARD": _pressure_rechecked,
}
"""The rules of the start gate."""
