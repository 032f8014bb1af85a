"""Treatment from the shell: ``ketacore treatment < facts.json``.

The document holds the setting, the moment, the facts and the events of one session::

    {"jurisdiction": "US", "product": "esketamine-nasal", "at": "2026-11-23T12:10:00-05:00",
     "signed": ["DEC-10", "DEC-11", "DEC-13", "SPR-MON-07-D", "SPR-MON-08", "SPR-MON-08-END"],
     "facts": {"dose_mg": 56, "consent_valid": true, "plan_active": true, "rems_enrolled": null},
     "events": [{"at": "2026-11-23T09:41:00-05:00", "kind": "arrived", "by": "S. Imani", "by_role": "nurse"},
                {"at": "2026-11-23T09:52:00-05:00", "kind": "vitals", "systolic": 128, "diastolic": 80}]}

A fact that is left out was not asked, ``null`` was asked and not known. Events hold the fields of their kind beside
``at``, ``kind``, ``key``, ``by`` and ``by_role``. ``signed`` names the clinic policies (grade D) that the director has
signed. The answer has the phase, both gates, what is due, the alerts and the dose given so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ketacore.evidence import (
    Approval,
    Fact,
    Grade,
    Refusal,
    Setting,
    SignedPolicies,
    decision_as_json,
    rule_as_json,
    to_jsonable,
)
from ketacore.treatment.alerts import AlertReport, alerts
from ketacore.treatment.decide import dose_complete, dose_given_mg, may_start, ready_for_discharge, rems_minutes
from ketacore.treatment.due import checks
from ketacore.treatment.events import Event, read_payload
from ketacore.treatment.facts import INFUSION, NASAL, SessionFacts, in_order
from ketacore.treatment.phases import leave_not_before, phase
from ketacore.treatment.rules import RULES

_TOP = {"jurisdiction", "product", "at", "signed", "facts", "events"}
_NUMBERS = ("dose_mg", "infusion_min")
_TRUTHS = (
    "consent_valid",
    "plan_active",
    "candidate",
    "dose_allowed",
    "day_allowed",
    "weight_usable",
    "rems_enrolled",
    "setting_certified",
)
_OF_EVERY_EVENT = ("at", "kind", "key", "by", "by_role")
_MOST_EVENTS = 2_000


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the core says about one session at ``at``, as JSON; raises ``Refusal`` for what cannot be read."""
    _refuse_unknown(document, _TOP, "the document")
    at = _moment(document.get("at"), "at")
    setting = _setting(document, at)
    facts = _facts(setting.product, document, at)
    return {
        "phase": phase(facts, at).value,
        "start": decision_as_json(may_start(facts, setting)),
        "release": decision_as_json(ready_for_discharge(facts, at, setting)),
        "leave_not_before": to_jsonable(leave_not_before(facts)),
        "due": [
            {
                "what": due.what.value,
                "title": due.title,
                "due_at": due.due_at.isoformat(),
                "state": due.state(at).value,
                "late": due.late,
                "rule_id": due.rule.rule_id,
            }
            for due in checks(facts, at, setting)
        ],
        "alerts": _alerts(alerts(facts, at, setting)),
        "dose_given_mg": dose_given_mg(facts, at),
        "dose_complete": dose_complete(facts, at),
        "rems_minutes": rems_minutes(facts, at),
    }


def _alerts(report: AlertReport) -> dict[str, Any]:
    return {
        "raised": [{**to_jsonable(alert), "rule": rule_as_json(alert.rule)} for alert in report.raised],
        "not_evaluated": [
            {**rule_as_json(f.rule), "because": list(f.because)} for f in report.not_evaluated
        ],
    }  # fmt: skip


def _refuse(because: str, do: str) -> Refusal:
    return Refusal("Reading the facts", [because], do)


def _refuse_unknown(given: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise _refuse(f"unknown field in {where}: {unknown[0]}", f"Known fields: {', '.join(sorted(known))}.")


def _setting(document: Mapping[str, Any], at: datetime) -> Setting:
    place, product = document.get("jurisdiction"), document.get("product")
    if not isinstance(place, str) or not place:
        raise _refuse("jurisdiction: missing", "Say where the clinic is, such as US or US-PA.")
    if product not in (NASAL, INFUSION):
        raise _refuse(f"product: {product!r} is not known", f"Use {NASAL} or {INFUSION}.")
    return Setting(place, at.date(), str(product), SignedPolicies(_signed(document.get("signed", []), at)))


def _signed(names: Any, at: datetime) -> tuple[Approval, ...]:
    if not isinstance(names, list):
        raise _refuse("signed: expected a list of rule ids", "Name the clinic policies that are signed.")
    policies = {rule.rule_id: rule for rule in RULES if rule.grade is Grade.D}
    for name in names:
        if name not in policies:
            raise _refuse(f"signed: {name!r} is not a clinic policy of this room", "Name rules of grade D.")
    return tuple(Approval(name, policies[name].rule_version, "facts", at) for name in names)


def _facts(product: str, document: Mapping[str, Any], at: datetime) -> SessionFacts:
    given = document.get("facts", {})
    if not isinstance(given, Mapping):
        raise _refuse("facts: expected an object", "Give facts by name.")
    _refuse_unknown(given, {*_NUMBERS, *_TRUTHS}, "facts")
    known: dict[str, Any] = {name: _number(name, given[name]) for name in _NUMBERS if name in given}
    known |= {name: _truth(name, given[name]) for name in _TRUTHS if name in given}
    events = [e for e in _events(document.get("events", [])) if e.at <= at]
    return SessionFacts(product=product, events=in_order(tuple(events)), **known)


def _number(name: str, value: Any) -> Fact[float]:
    if value is None:
        return Fact.not_known()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10_000:
        raise _refuse(f"{name}: expected a number above 0, got {value!r}", "Correct it, or leave it out.")
    return Fact.of(float(value))


def _truth(name: str, value: Any) -> Fact[bool]:
    if value is None:
        return Fact.not_known()
    if not isinstance(value, bool):
        raise _refuse(f"{name}: expected true, false or null, got {value!r}", "Correct it, or leave it out.")
    return Fact.of(value)


def _events(given: Any) -> list[Event]:
    if not isinstance(given, list) or not all(isinstance(e, Mapping) for e in given):
        raise _refuse("events: expected a list of objects", "Give each event with at and kind.")
    if len(given) > _MOST_EVENTS:
        raise _refuse(f"events: more than {_MOST_EVENTS}", "Give the events of one session.")
    return [_event(number, record) for number, record in enumerate(given, start=1)]


def _event(number: int, record: Mapping[str, Any]) -> Event:
    words = {name: record.get(name, "") for name in ("key", "by", "by_role")}
    for name, value in words.items():
        if not isinstance(value, str):
            raise _refuse(f"event {number}: {name} is not text", "Correct it, or leave it out.")
    return Event(
        at=_moment(record.get("at"), f"event {number}: at"),
        what=read_payload(
            str(record.get("kind", "")), {k: v for k, v in record.items() if k not in _OF_EVERY_EVENT}
        ),
        key=words["key"] or f"event-{number}",
        by=words["by"],
        by_role=words["by_role"],
    )  # fmt: skip


def _moment(value: Any, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _refuse(f"{name}: expected a time with its zone, got {value!r}", "Such as 2026-11-23T12:10:00-05:00.")
    return found
