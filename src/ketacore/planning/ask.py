"""Planning from the shell: ``ketacore planning < facts.json``.

``question`` is one of ``dose`` (the default), ``weight``, ``course`` and ``series``::

    {"jurisdiction": "US", "on": "2026-11-24", "protocol": "esketamine-trd-us", "signed": ["DEC-08"],
     "question": "dose", "facts": {"first_session": true, "phase": "induction", "dose_mg": 56}}

``weight`` reads dose_mg_per_kg and weight_kg, measured_on, previous_kg, confirmed; ``course`` reads phase,
first_given_on, last_given_on, sessions_given, sessions_missed, worse, improvement_percent, evaluated_on; ``series``
reads first_on and may read weekdays (0 is Monday), weeks, interval_weeks, closed_on, closed_weekdays.

A fact that is left out was not asked, ``null`` was asked and not known. ``signed`` names the clinic policies (grade D)
in force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ketacore.evidence import Setting, decision_as_json
from ketacore.evidence.asking import (
    a_count,
    a_day,
    a_fact,
    a_list,
    a_number,
    a_setting,
    a_thing,
    a_word,
    refusal,
    refuse_unknown,
    yes_or_no,
)
from ketacore.planning.decide import assess_course, assess_dose, check_protocol, dose_for, unsigned_needs
from ketacore.planning.facts import CourseFacts, DoseFacts, WeightFacts
from ketacore.planning.protocols import PROTOCOLS, Protocol
from ketacore.planning.rules import RULES
from ketacore.planning.series import plan_series

_TOP = ("jurisdiction", "on", "protocol", "signed", "question", "facts")
_MOST_WEEKS = 520


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to one planning question as JSON; raises ``Refusal`` for what cannot be read."""
    refuse_unknown(document, _TOP, "the document")
    protocol = _one_of("protocol", document.get("protocol"), PROTOCOLS)
    asked = _one_of("question", document.get("question", "dose"), _QUESTIONS)
    setting = replace(a_setting(document, RULES), product=protocol.product)
    answered = asked(protocol, a_thing("facts", document.get("facts", {})), setting)
    return {**answered, "unsigned_needs": [rule.rule_id for rule in unsigned_needs(protocol, setting)]}


def _one_of(name: str, given: Any, known: Mapping[str, Any]) -> Any:
    if a_word(name, given) not in known:
        raise refusal(f"{name} {given} is not known", f"Use one of: {', '.join(known)}.")
    return known[given]


def _dose(protocol: Protocol, given: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    numbers = ("dose_mg", "dose_mg_per_kg", "infusion_min", "previous_dose_mg", "interval_weeks")
    refuse_unknown(given, ("first_session", "phase", *numbers), "facts")
    facts = DoseFacts(
        first_session=a_fact("first_session", given, yes_or_no),
        phase=a_fact("phase", given, _phase_in(protocol)),
        **{name: a_fact(name, given, _amount) for name in numbers},
    )
    return decision_as_json(assess_dose(protocol, facts, setting))


def _weight(protocol: Protocol, given: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    refuse_unknown(given, ("dose_mg_per_kg", "weight_kg", "measured_on", "previous_kg", "confirmed"), "facts")
    facts = WeightFacts(
        weight_kg=a_fact("weight_kg", given, _amount),
        measured_on=a_fact("measured_on", given, a_day),
        previous_kg=a_fact("previous_kg", given, _amount),
        confirmed=yes_or_no("confirmed", given.get("confirmed", False)),
    )
    per_kg = _amount("dose_mg_per_kg", given.get("dose_mg_per_kg", protocol.first_dose))
    found = dose_for(protocol, per_kg, facts, setting)
    return {**decision_as_json(found.decision), "dose_mg": found.dose.value if found.dose else None}


def _course(protocol: Protocol, given: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    readers: dict[str, Callable[[str, Any], Any]] = {
        "phase": _phase_in(protocol),
        "first_given_on": a_day,
        "last_given_on": a_day,
        "sessions_given": a_count,
        "sessions_missed": a_count,
        "worse": yes_or_no,
        "improvement_percent": a_number,
        "evaluated_on": a_day,
    }
    refuse_unknown(given, readers, "facts")
    facts = CourseFacts(**{name: a_fact(name, given, read) for name, read in readers.items()})
    return decision_as_json(assess_course(facts, setting))


def _series(protocol: Protocol, given: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    refuse_unknown(given, ("first_on", "weekdays", "weeks", "interval_weeks", "closed_on", "closed_weekdays"), "facts")
    check_protocol(protocol, setting)
    found = plan_series(
        protocol,
        a_day("first_on", given.get("first_on")),
        weekdays=_weekdays("weekdays", given),
        weeks=_some_weeks("weeks", given),
        interval_weeks=_some_weeks("interval_weeks", given),
        closed_on=[a_day("closed_on", day) for day in a_list("closed_on", given.get("closed_on", []))],
        closed_weekdays=_weekdays("closed_weekdays", given),
    )
    sessions = [
        {"number": s.number, "on": s.on.isoformat(), "week": s.week, "phase": s.phase, "rule": s.rule_id}
        for s in found.sessions
    ]
    return {"question": "series", "sessions": sessions, "left_out": [day.isoformat() for day in found.left_out]}


def _phase_in(protocol: Protocol) -> Callable[[str, Any], str]:
    known = {phase.phase_id: phase.phase_id for phase in protocol.phases}
    return lambda name, given: str(_one_of(name, given, known))


def _amount(name: str, given: Any) -> float:
    number = a_number(name, given)
    if number <= 0:
        raise refusal(f"{name} must be more than 0", "Write a number without unit.")
    return number


def _some_weeks(name: str, given: Mapping[str, Any]) -> int | None:
    if name not in given:
        return None
    weeks = a_count(name, given[name])
    if not 1 <= weeks <= _MOST_WEEKS:
        raise refusal(f"{name} must be from 1 to {_MOST_WEEKS}", "Write a whole number of weeks.")
    return weeks


def _weekdays(name: str, given: Mapping[str, Any]) -> tuple[int, ...]:
    days = tuple(a_count(name, day) for day in a_list(name, given.get(name, [])))
    if any(day > 6 for day in days):
        raise refusal(f"{name} must be from 0 (Monday) to 6", "Write [0, 3].")
    return days


_QUESTIONS: dict[str, Callable[[Protocol, Mapping[str, Any], Setting], dict[str, Any]]] = {
    "dose": _dose,
    "weight": _weight,
    "course": _course,
    "series": _series,
}
