"""Screening from the shell: ``ketacore screening < facts.json``.

The document holds the setting and the facts::

    {"jurisdiction": "US", "on": "2026-11-23", "product": "esketamine-nasal", "signed": ["DEC-15"],
     "facts": {"age_years": 45, "aneurysmal_disease": false, "pregnant": null, "medicines": ["Lorazepam 1 mg"]}}

A fact that is left out was not asked, ``null`` was asked and not known. Instead of a bare value a fact may be
``{"value": ..., "source": "pharmacy", "at": "2026-11-04T10:00:00Z"}``; a yes-or-no fact may be a list of such reports,
of which the more cautious decides. ``signed`` names the clinic policies (grade D) that the director has signed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from ketacore.evidence import Approval, Fact, Grade, Refusal, Setting, SignedPolicies, decision_as_json, to_jsonable
from ketacore.screening.decide import assess_candidacy, what_treating_needs
from ketacore.screening.facts import (
    FACT_NAMES,
    PRODUCTS,
    Adherence,
    CandidateFacts,
    Medicine,
    Reason,
    Trial,
    TrialOutcome,
    cautious,
)
from ketacore.screening.questions import QUESTIONS
from ketacore.screening.rules import RULES
from ketacore.screening.trials import assess_trials
from ketacore.units import BloodPressure, ImpossibleValue

T = TypeVar("T")
Read = Callable[[str, Any], T]

_TOP = {"jurisdiction", "on", "product", "signed", "facts"}
_MOST = 200
"""More medicines or trials than any person has."""


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decision on one person as JSON, with the trials counted and what treating would need.

    Raises ``Refusal`` for an unknown field or a value of the wrong type: nothing is guessed.
    """
    _refuse_unknown(document, _TOP, "the document")
    setting = _setting(document)
    facts = _facts(_object("facts", document.get("facts", {})))
    decision = assess_candidacy(facts, setting)
    needs = what_treating_needs(decision, facts)
    trials = assess_trials(facts.trials.value or (), setting)
    return {
        **decision_as_json(decision),
        "trials": to_jsonable(trials),
        "treating_needs": {
            "unasked": list(needs.unasked),
            "barred": [f.rule.rule_id for f in needs.barred],
            "reasons": [f.rule.rule_id for f in needs.reasons],
            "second_signature": [f.rule.rule_id for f in needs.second_signature],
        },
    }


def _refuse(because: str, do: str) -> Refusal:
    return Refusal("Reading the facts", [because], do)


def _refuse_unknown(given: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise _refuse(f"unknown field in {where}: {unknown[0]}", f"Known fields: {', '.join(sorted(known))}.")


def _setting(document: Mapping[str, Any]) -> Setting:
    for name in ("jurisdiction", "on", "product"):
        if name not in document:
            raise _refuse(f"{name} is missing", f"Give {name}; there is no default.")
    product = _text("product", document["product"])
    if product not in PRODUCTS:
        raise _refuse(f"product {product} is not known", f"Use one of: {', '.join(PRODUCTS)}.")
    on = _day("on", document["on"])
    return Setting(
        _text("jurisdiction", document["jurisdiction"]), on, product, _signed(document.get("signed", []), on)
    )


def _signed(given: Any, on: date) -> SignedPolicies:
    approvals = []
    for rule_id in _list("signed", given):
        rule = RULES.rules.get(_text("signed", rule_id))
        if rule is None or rule.grade is not Grade.D:
            raise _refuse(f"signed: {rule_id} is not a clinic policy", "Name rules of grade D only.")
        at = datetime(on.year, on.month, on.day, tzinfo=UTC)
        approvals.append(Approval(rule.rule_id, rule.rule_version, "medical director", at))
    return SignedPolicies(tuple(approvals))


def _facts(given: Mapping[str, Any]) -> CandidateFacts:
    _refuse_unknown(given, set(FACT_NAMES), "facts")
    return CandidateFacts(**{name: _fact(name, value) for name, value in given.items()})


def _fact(name: str, given: Any) -> Fact[Any]:
    kind = QUESTIONS[name].kind
    if kind == "yes_no" and isinstance(given, list):
        return cautious(_report(name, kind, report) for report in given)
    return _report(name, kind, given)


def _report(name: str, kind: str, given: Any) -> Fact[Any]:
    source, at = "", None
    if isinstance(given, Mapping) and "value" in given:
        _refuse_unknown(given, {"value", "source", "at"}, name)
        source = _text(name, given.get("source", ""))
        at = _moment(name, given["at"]) if "at" in given else None
        given = given["value"]
    if given is None:
        return Fact.not_known(source, at)
    return Fact.of(_READ[kind](name, given), source, at)


def _object(name: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise _refuse(f"{name} must be an object", "Write {…}.")
    return given


def _list(name: str, given: Any) -> list[Any]:
    if not isinstance(given, list) or len(given) > _MOST:
        raise _refuse(f"{name} must be a list of at most {_MOST}", "Write […].")
    return given


def _text(name: str, given: Any) -> str:
    if not isinstance(given, str) or len(given) > 500:
        raise _refuse(f"{name} must be text of at most 500 characters", 'Write "…".')
    return given


def _yes_or_no(name: str, given: Any) -> bool:
    if not isinstance(given, bool):
        raise _refuse(f"{name} must be true, false or null", "Leave it out when nobody asked.")
    return given


def _number(name: str, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1_000_000:
        raise _refuse(f"{name} must be a number that is not negative", "Write a number without unit.")
    return given


def _whole(name: str, given: Any) -> int:
    number = _number(name, given)
    if number != int(number):
        raise _refuse(f"{name} must be a whole number", "Write a whole number without unit.")
    return int(number)


def _age(name: str, given: Any) -> int:
    age = _whole(name, given)
    if age > 130:
        raise _refuse(f"{name} {age} is not the age of a living person", "Give the age in completed years.")
    return age


def _day(name: str, given: Any) -> date:
    try:
        return date.fromisoformat(_text(name, given))
    except ValueError:
        raise _refuse(f"{name} must be a day", "Write it as 2026-11-23.") from None


def _moment(name: str, given: Any) -> datetime:
    try:
        at = datetime.fromisoformat(_text(name, given))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _refuse(f"{name}: at must be a moment with a time zone", "Write it as 2026-11-23T10:00:00-05:00.")
    return at


def _choice(name: str, given: Any) -> str:
    choices = QUESTIONS[name].choices
    if _text(name, given) not in choices:
        raise _refuse(f"{name}: {given} is not a choice", f"Use one of: {', '.join(choices)}.")
    return str(given)


def _pressure(name: str, given: Any) -> BloodPressure:
    pair = _list(name, given)
    if len(pair) != 2:
        raise _refuse(f"{name} must be two numbers", "Write [128, 82].")
    try:
        return BloodPressure(_whole(name, pair[0]), _whole(name, pair[1]))
    except ImpossibleValue as impossible:
        raise _refuse(str(impossible), "Check the two numbers and the unit.") from None


def _medicines(name: str, given: Any) -> tuple[Medicine, ...]:
    return tuple(_medicine(entry) for entry in _list(name, given))


def _medicine(given: Any) -> Medicine:
    if isinstance(given, str):
        return Medicine(_text("medicines", given))
    entry = _object("a medicine", given)
    _refuse_unknown(entry, {"name", "ingredient", "source"}, "medicines")
    if "name" not in entry:
        raise _refuse("a medicine has no name", "Give its name.")
    return Medicine(**{key: _text(f"medicines: {key}", value) for key, value in entry.items()})


_TRIAL: dict[str, Callable[[str, Any], Any]] = {
    "drug": _text,
    "max_daily_dose_mg": _number,
    "days": _whole,
    "days_at_dose": _whole,
    "outcome": lambda name, given: _word(name, given, TrialOutcome),
    "reason_stopped": lambda name, given: _word(name, given, Reason),
    "adherence": lambda name, given: _word(name, given, Adherence),
    "current_episode": _yes_or_no,
    "source": _text,
}


def _word(name: str, given: Any, words: Callable[[str], T]) -> T:
    try:
        return words(_text(name, given))
    except ValueError:
        raise _refuse(f"{name}: {given} is not known", "See the field inventory of antidepressant trials.") from None


def _trials(name: str, given: Any) -> tuple[Trial, ...]:
    return tuple(_trial(_object("a trial", entry)) for entry in _list(name, given))


def _trial(entry: Mapping[str, Any]) -> Trial:
    _refuse_unknown(entry, set(_TRIAL), "trials")
    if "drug" not in entry:
        raise _refuse("a trial has no drug", "Give its name.")
    return Trial(**{key: _TRIAL[key](f"trials: {key}", value) for key, value in entry.items() if value is not None})


_READ: dict[str, Callable[[str, Any], Any]] = {
    "yes_no": _yes_or_no,
    "choice": _choice,
    "date": _day,
    "number": _age,
    "measurement": _pressure,
    "medicines": _medicines,
    "trials": _trials,
}
