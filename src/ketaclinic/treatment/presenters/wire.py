"""What the session screen's forms send, read into typed entries. What cannot be read is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from datetime import datetime
from functools import partial
from types import UnionType
from typing import Any, get_args, get_type_hints

from django.utils.dateparse import parse_datetime

from ketaclinic.access.seal import seal_for
from ketaclinic.people.models import Staff
from ketacore.evidence import Refusal
from ketacore.treatment.events import PAYLOADS, EventKind
from ketacore.units import BloodPressure, ImpossibleValue, Percent, Rate

_VITALS = ("systolic", "diastolic", "heart_rate", "oxygen_saturation", "respiratory_rate")
_LABELS = {
    "systolic": "upper blood pressure",
    "diastolic": "lower blood pressure",
    "oxygen_saturation": "SpO₂",
    "moaas": "MOAA/S",
    "expires_on": "expiry",
    "rate_mg_per_min": "rate",
    "planned_min": "planned minutes",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing somebody entered: its kind, its payload as JSON types, the key its device drew, when it was tapped."""

    kind: str
    payload: dict[str, Any]
    entry_key: str
    at: datetime | None = None


def seal_of(staff: Staff) -> str:
    """Return the key under which a tablet keeps what this person could not send."""
    return seal_for("tablet", staff.pk)


def entries_from(post: Mapping[str, str]) -> tuple[Entry, ...]:
    """Return the entries of one form. ``kind=pad`` is the vitals pad and holds up to four of them.

    Raises ``Refusal`` naming the fields that cannot be read.
    """
    key, at = _key(post), _tapped_at(post)
    if post.get("kind") == "pad":
        return _pad(post, key, at)
    kind = post.get("kind", "")
    return (Entry(kind, payload_from(kind, post), key, at),)


def payload_from(kind: str, post: Mapping[str, str]) -> dict[str, Any]:
    """Return the payload of one kind of event from the fields of a form."""
    if kind not in PAYLOADS:
        raise Refusal("Recording", [f"“{kind}” is not something that can be recorded"], "Open the page again.")
    model = PAYLOADS[EventKind(kind)]
    hints = get_type_hints(model)
    payload: dict[str, Any] = {}
    wrong: list[str] = []
    for field in fields(model):
        try:
            found, value = _value(field, hints[field.name], post)
        except ValueError:
            wrong.append(f"{_label(field.name)}: “{post.get(field.name, '')}” cannot be read")
            continue
        if found:
            payload[field.name] = value
        elif field.default is MISSING:
            wrong.append(f"{_label(field.name)}: not filled in")
    if wrong:
        raise Refusal("Saving this entry", wrong, "What you typed is kept. Correct it and save again.")
    return payload


def _pad(post: Mapping[str, str], key: str, at: datetime | None) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    if any(post.get(name, "").strip() for name in _VITALS):
        vitals = payload_from("vitals", post)
        impossible = _impossible(vitals)
        if impossible:
            raise Refusal("Saving vital signs", impossible, "Measure or type them again; the others are kept here.")
        entries.append(Entry("vitals", vitals, f"{key}-v", at))
    if post.get("moaas", ""):
        entries.append(Entry("sedation", payload_from("sedation", post), f"{key}-s", at))
    if post.get("level", ""):
        entries.append(Entry("dissociation", payload_from("dissociation", post), f"{key}-d", at))
    if post.get("nausea", ""):
        present = post["nausea"] == "yes"
        entries.append(Entry("symptom", {"symptom": "nausea", "present": present}, f"{key}-n", at))
    if not entries:
        raise Refusal("Saving vital signs", ["nothing was measured"], "Enter at least one value.")
    return tuple(entries)


def _impossible(vitals: Mapping[str, Any]) -> list[str]:
    """Return every reading of the pad that no living person has; the event itself stops at the first."""
    upper, lower = vitals.get("systolic"), vitals.get("diastolic")
    checks: list[tuple[str, Callable[[], object]]] = []
    if upper is not None and lower is not None:
        checks.append(("", lambda: BloodPressure(upper, lower)))
    found = ["blood pressure: both numbers are needed"] if (upper is None) != (lower is None) else []
    for name, quantity in (("heart_rate", Rate), ("respiratory_rate", Rate), ("oxygen_saturation", Percent)):
        value = vitals.get(name)
        if value is not None:
            checks.append((f"{_label(name)}: ", partial(quantity, value)))
    for prefix, check in checks:
        try:
            check()
        except ImpossibleValue as error:
            found.append(f"{prefix}{error}")
    return found


def _value(field: Field[Any], hint: Any, post: Mapping[str, str]) -> tuple[bool, Any]:
    """Return whether the form holds the field, and its value as JSON types."""
    if isinstance(hint, UnionType):
        hint = next(t for t in get_args(hint) if t is not type(None))
    raw = post.get(field.name, "").strip()
    if hint is bool:
        stated = field.name in post
        return stated or field.default is MISSING, raw.lower() in ("on", "true", "yes", "1")
    if raw == "":
        return False, None
    if hint is int:
        return True, int(raw)
    if hint is float:
        return True, float(raw.replace(",", "."))
    return True, raw


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " "))


def _key(post: Mapping[str, str]) -> str:
    key = post.get("entry_key", "").strip()
    if not key or len(key) > 60:
        raise Refusal("Saving this entry", ["the entry carries no key"], "Open the page again and repeat the entry.")
    return key


def _tapped_at(post: Mapping[str, str]) -> datetime | None:
    try:
        moment = parse_datetime(post.get("at", ""))
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
