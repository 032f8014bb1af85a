"""Aftercare from the shell: ``ketacore aftercare < facts.json``.

    {"jurisdiction": "US", "product": "esketamine-nasal", "ended_at": "2026-11-23T12:40:00-05:00",
     "time_zone": "America/New_York", "emergency_contact": "+1 555 0100", "clinic_phone": "", "signed": ["KC-AFT-01"]}

``signed`` names the clinic policies (grade D) that the director has signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ketacore.aftercare.decide import RULES, AftercareFacts, Instructions, Line, instructions
from ketacore.evidence import RULE_PACK, Approval, Grade, Refusal, Setting, SignedPolicies
from ketacore.treatment.rules import RULES as TREATMENT_RULES

_TEXTS = ("jurisdiction", "product", "ended_at", "time_zone", "emergency_contact")
_TOP = {*_TEXTS, "clinic_phone", "signed"}


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the instructions as JSON; raises ``Refusal`` for what cannot be read."""
    unknown = sorted(set(document) - _TOP)
    if unknown:
        raise _refuse(f"unknown field: {unknown[0]}", f"Known fields: {', '.join(sorted(_TOP))}.")
    for name in (*_TEXTS, *(["clinic_phone"] if "clinic_phone" in document else [])):
        if not isinstance(document.get(name), str):
            raise _refuse(f"{name}: expected text", "Correct it.")
    zone = _zone(document["time_zone"])
    ended_at = _moment(document["ended_at"])
    signed = _signed(document.get("signed", []), ended_at)
    setting = Setting(document["jurisdiction"], ended_at.astimezone(zone).date(), document["product"], signed)
    facts = AftercareFacts(
        document["product"], ended_at, zone, document["emergency_contact"], document.get("clinic_phone", "")
    )
    return {**as_json(instructions(facts, setting)), "rule_pack": RULE_PACK, "jurisdiction": setting.jurisdiction}


def as_json(told: Instructions) -> dict[str, Any]:
    """Return the instructions built of JSON types, each line with the rule it rests on."""

    def lines(found: tuple[Line, ...]) -> list[dict[str, str]]:
        return [{"text": line.text, "rule_id": line.rule.rule_id} for line in found]

    return {
        "no_driving_before": told.no_driving.earliest_on.isoformat(),
        "no_driving_until": told.no_driving.words,
        "no_driving_rule_id": told.no_driving.rule.rule_id,
        "until_then": lines(told.until_then),
        "normal": lines(told.normal),
        "watch": lines(told.watch),
        "call": [
            {"name": c.name, "number": c.number, "when": c.when, "rule_id": c.rule.rule_id if c.rule else ""}
            for c in told.call
        ],
        "contact_on": told.contact_on.isoformat() if told.contact_on else None,
        "left_out": list(told.left_out),
    }


def _refuse(because: str, do: str) -> Refusal:
    return Refusal("Reading the facts", [because], do)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise _refuse(f"time_zone: there is no zone {name!r}", "Such as America/New_York.") from error


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _refuse(f"ended_at: expected a time with its zone, got {text!r}", "Such as 2026-11-23T12:40:00-05:00.")
    return found


def _signed(names: Any, at: datetime) -> SignedPolicies:
    policies = {r.rule_id: r for r in (*RULES, *TREATMENT_RULES) if r.grade is Grade.D}
    if not isinstance(names, list) or not all(name in policies for name in names):
        raise _refuse("signed: expected a list of clinic policies", f"Such as {RULES['KC-AFT-01'].rule_id}.")
    return SignedPolicies(tuple(Approval(n, policies[n].rule_version, "facts", at) for n in names))
