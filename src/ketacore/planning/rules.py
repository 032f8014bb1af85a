"""The rule records of planning and their predicates, one small function each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TypeVar

from ketacore.evidence import Fact, Predicate, Rule, RuleSet, Truth, load_rules, no, unknown, yes
from ketacore.planning.facts import CourseFacts, DoseFacts, WeightFacts

RULES: RuleSet = load_rules("planning")

T = TypeVar("T")


def _first_day(facts: DoseFacts, rule: Rule) -> Truth:
    first, dose = facts.first_session.value, facts.dose_mg.value
    if first is False:
        return no()
    if first is None or dose is None:
        return unknown(*_names(facts.first_session, "first_session"), *_names(facts.dose_mg, "dose_mg"))
    due = rule.number("first_dose_mg")
    return yes(f"{dose:g} mg is planned for day 1; day 1 is {due:g} mg") if dose != due else no(f"{due:g} mg on day 1")


def _phase_dose(facts: DoseFacts, rule: Rule) -> Truth:
    phase, dose, first = facts.phase.value, facts.dose_mg.value, facts.first_session.value
    if (phase is not None and phase not in rule.phase) or first is True:
        return no()
    if phase is None or dose is None or first is None:
        return unknown(
            *_names(facts.phase, "phase"),
            *_names(facts.dose_mg, "dose_mg"),
            *_names(facts.first_session, "first_session"),
        )
    allowed = (rule.number("low_dose_mg"), rule.number("high_dose_mg"))
    told = " or ".join(f"{mg:g}" for mg in allowed)
    if dose in allowed:
        return no(f"{dose:g} mg is one of {told} mg")
    return yes(f"{dose:g} mg is planned; in this phase it is {told} mg")


def _steps_and_maximum(facts: DoseFacts, rule: Rule) -> Truth:
    dose, previous = facts.dose_mg.value, facts.previous_dose_mg.value
    step, most = rule.number("step_mg"), rule.number("max_dose_mg")
    if dose is None:
        return unknown("dose_mg")
    if dose > most:
        return yes(f"{dose:g} mg is above the maximum of {most:g} mg in a session")
    if dose <= 0 or dose % step:
        return yes(f"{dose:g} mg is not a whole number of {step:g}-mg devices")
    if facts.first_session.value is True:
        return no(f"{dose:g} mg in whole devices, at most {most:g} mg")
    if previous is None:
        return unknown("previous_dose_mg")
    if abs(dose - previous) > step:
        return yes(f"from {previous:g} to {dose:g} mg is more than one step of {step:g} mg")
    return no(f"from {previous:g} to {dose:g} mg is at most one step of {step:g} mg")


def _long_interval(facts: DoseFacts, rule: Rule) -> Truth:
    phase, weeks = facts.phase.value, facts.interval_weeks.value
    if phase is not None and phase not in rule.phase:
        return no()
    if weeks is None:
        return unknown("interval_weeks")
    longest = rule.number("longest_interval_weeks")
    if weeks > longest:
        return yes(f"every {weeks:g} weeks is planned; the label ends at every {longest:g} weeks")
    return no(f"every {weeks:g} weeks is within the label")


def _departs_from_reference(facts: DoseFacts, rule: Rule) -> Truth:
    dose, minutes = facts.dose_mg_per_kg.value, facts.infusion_min.value
    if dose is None or minutes is None:
        return unknown(*_names(facts.dose_mg_per_kg, "dose_mg_per_kg"), *_names(facts.infusion_min, "infusion_min"))
    reference = RULES["IVK-DOS-01"]
    due, due_min = reference.number("dose_mg_per_kg"), reference.number("infusion_min")
    if (dose, minutes) == (due, due_min):
        return no(f"{due:g} mg/kg over {due_min:g} minutes is the reference")
    return yes(
        f"{dose:g} mg/kg over {minutes:g} minutes departs from the reference of {due:g} mg/kg over {due_min:g} minutes"
    )


def _outside_described(facts: DoseFacts, rule: Rule) -> Truth:
    dose, minutes = facts.dose_mg_per_kg.value, facts.infusion_min.value
    if dose is None or minutes is None:
        return unknown(*_names(facts.dose_mg_per_kg, "dose_mg_per_kg"), *_names(facts.infusion_min, "infusion_min"))
    described = RULES["IVK-DOS-01"]
    low, high = described.number("lowest_described_mg_per_kg"), described.number("highest_described_mg_per_kg")
    if not low <= dose <= high:
        return yes(f"{dose:g} mg/kg lies outside the described range of {low:g} to {high:g} mg/kg (IVK-DOS-01)")
    short, long = described.number("shortest_studied_min"), described.number("longest_studied_min")
    if not short <= minutes <= long:
        return yes(f"{minutes:g} minutes lie outside the studied {short:g} to {long:g} minutes (IVK-DOS-01)")
    return no(f"{dose:g} mg/kg over {minutes:g} minutes lies inside the described range")


def _ceiling(facts: DoseFacts, rule: Rule) -> Truth:
    dose, minutes = facts.dose_mg_per_kg.value, facts.infusion_min.value
    if dose is None or minutes is None:
        return unknown(*_names(facts.dose_mg_per_kg, "dose_mg_per_kg"), *_names(facts.infusion_min, "infusion_min"))
    most, fastest = rule.number("max_mg_per_kg"), rule.number("max_mg_per_kg_per_min")
    if dose > most:
        return yes(f"{dose:g} mg/kg is above the clinic's ceiling of {most:g} mg/kg")
    if dose > fastest * minutes:
        return yes(f"{dose:g} mg/kg over {minutes:g} minutes is faster than {fastest:g} mg/kg per minute")
    return no(f"{dose:g} mg/kg over {minutes:g} minutes is below the clinic's ceiling")


def _low_dose_rate(facts: DoseFacts, rule: Rule) -> Truth:
    dose, minutes = facts.dose_mg_per_kg.value, facts.infusion_min.value
    if dose is None or minutes is None:
        return unknown(*_names(facts.dose_mg_per_kg, "dose_mg_per_kg"), *_names(facts.infusion_min, "infusion_min"))
    per_hour, most = dose * 60 / minutes, rule.number("max_mg_per_kg_per_hour")
    told = f"{dose:g} mg/kg over {minutes:g} minutes is {per_hour:.2f} mg/kg per hour"
    return yes(f"{told}, above {most:g}") if per_hour > most else no(told)


def _weight_in_doubt(facts: WeightFacts, rule: Rule, on: date) -> Truth:
    weight, measured_on, before = facts.weight_kg.value, facts.measured_on.value, facts.previous_kg.value
    if weight is None or measured_on is None:
        return unknown(*_names(facts.weight_kg, "weight_kg"), *_names(facts.measured_on, "measured_on"))
    low, high = rule.number("lowest_kg"), rule.number("highest_kg")
    if not low <= weight <= high:
        return yes(f"{weight:g} kg lies outside {low:g} to {high:g} kg")
    age, oldest = (on - measured_on).days, rule.number("max_age_days")
    if age < 0:
        return yes(f"the weight is dated {-age} days after the day it is used")
    if age > oldest:
        return yes(f"the weight is {age} days old; at most {oldest:g} days")
    if before is None:
        return unknown("previous_kg")
    change, most = abs(weight - before) / before * 100, rule.number("max_change_percent")
    if change > most:
        return yes(f"the weight changed by {change:.1f} percent from {before:g} kg; at most {most:g} percent")
    return no(f"{weight:g} kg, {age} days old, changed by {change:.1f} percent")


def _names(fact: Fact[T], name: str) -> tuple[str, ...]:
    return () if fact.known else (name,)


DOSE_PREDICATES: Mapping[str, Predicate[DoseFacts]] = {
    "SPR-DOS-01": _first_day,
    "SPR-DOS-02": _phase_dose,
    "SPR-DOS-03": _phase_dose,
    "SPR-DOS-04": _phase_dose,
    "SPR-DOS-06": _steps_and_maximum,
    "SPR-DOS-12": _long_interval,
    "KC-PRO-IV-01": _departs_from_reference,
    "KC-PRO-IV-02": _outside_described,
    "IVK-DOS-03": _ceiling,
    "IVK-DOS-15": _low_dose_rate,
}


def weight_predicates(on: date) -> Mapping[str, Predicate[WeightFacts]]:
    """Return the predicates over a weight that is used on ``on``."""
    return {"DEC-09": lambda facts, rule: _weight_in_doubt(facts, rule, on)}


def course_predicates(on: date) -> Mapping[str, Predicate[CourseFacts]]:
    """Return the predicates over a course looked at on ``on``."""
    return {
        "SPR-DOS-02-EVAL": lambda facts, rule: _evaluation_due(facts, rule, on),
        "DEC-07": lambda facts, rule: _few_sessions(facts, rule, on),
        "SPR-DOS-08": _missed_in_phase,
        "SPR-DOS-09": _missed_and_worse,
        "SPR-DOS-10": lambda facts, rule: _lapse(facts, rule, on),
        "DEC-08": lambda facts, rule: _lapse(facts, rule, on),
        "IVK-DOS-05": _infusion_review,
        "IVK-DOS-08": lambda facts, rule: _justify_again(facts, rule, on),
    }


def _evaluation_due(facts: CourseFacts, rule: Rule, on: date) -> Truth:
    first = facts.first_given_on.value
    if first is None:
        return unknown("first_given_on")
    due_day = int(rule.number("evaluation_week")) * 7
    day = (on - first).days + 1
    if day < due_day:
        return no(f"day {day} of the course; the benefit is evaluated on day {due_day}")
    evaluated = facts.evaluated_on.value
    if evaluated is None:
        return yes(f"day {day} of the course; the benefit was to be evaluated on day {due_day} and nobody has")
    # An evaluation in the last week of the induction counts as the one at its end.
    if (evaluated - first).days + 1 > due_day - 7:
        return no(f"evaluated on {evaluated.isoformat()}")
    return yes(f"the last evaluation, on {evaluated.isoformat()}, came before the last week of the induction")


def _few_sessions(facts: CourseFacts, rule: Rule, on: date) -> Truth:
    first, given = facts.first_given_on.value, facts.sessions_given.value
    if first is None or given is None:
        return unknown(*_names(facts.first_given_on, "first_given_on"), *_names(facts.sessions_given, "sessions_given"))
    day, due, least = (on - first).days + 1, rule.number("evaluation_day"), rule.number("min_induction_sessions")
    if day < due:
        return no(f"day {day} of the course")
    if given < least:
        return yes(f"{given} sessions given by day {day}; fewer than {least:g} by day {due:g}")
    return no(f"{given} sessions given")


def _missed_in_phase(facts: CourseFacts, rule: Rule) -> Truth:
    phase, missed = facts.phase.value, facts.sessions_missed.value
    if phase is not None and phase not in rule.phase:
        return no()
    if phase is None or missed is None:
        return unknown(*_names(facts.phase, "phase"), *_names(facts.sessions_missed, "sessions_missed"))
    return yes(f"sessions missed in this phase: {missed}") if missed else no("no session missed")


def _missed_and_worse(facts: CourseFacts, rule: Rule) -> Truth:
    missed = _missed_in_phase(facts, rule)
    if missed.value is not True:
        return missed
    if facts.worse.value is None:
        return unknown("worse")
    return yes(*missed.because, "worse by clinical judgement") if facts.worse.value else no("missed, and not worse")


def _lapse(facts: CourseFacts, rule: Rule, on: date) -> Truth:
    last = facts.last_given_on.value
    if last is None:
        return unknown("last_given_on")
    days, most = (on - last).days, rule.number("lapse_days")
    told = f"{days} days since the last session given"
    return yes(f"{told}; more than {most:g}") if days > most else no(told)


def _infusion_review(facts: CourseFacts, rule: Rule) -> Truth:
    given, better, evaluated = (
        facts.sessions_given.value,
        facts.improvement_percent.value,
        facts.evaluated_on.known,
    )
    if given is None:
        return unknown("sessions_given")
    least = rule.number("min_improvement_percent")
    if given >= rule.number("stop_at_infusion"):
        if better is None:
            return unknown("improvement_percent")
        told = f"{given} infusions given, {better:g} percent better"
        return yes(f"{told}; less than {least:g} percent: stop") if better < least else no(told)
    if given >= rule.number("review_from_infusion") and not evaluated:
        by = rule.number("review_by_infusion")
        return yes(f"{given} infusions given and the benefit is not reviewed; due by infusion {by:g}")
    return no(f"{given} infusions given")


def _justify_again(facts: CourseFacts, rule: Rule, on: date) -> Truth:
    since = facts.evaluated_on.value or facts.first_given_on.value
    if since is None:
        return unknown("first_given_on")
    months = (on.year - since.year) * 12 + on.month - since.month - (on.day < since.day)
    told = f"{months} months since {since.isoformat()}"
    return yes(f"{told}; benefit and risk are due") if months >= rule.number("review_months") else no(told)
