"""The tables of ``data/codes.toml``, read once, with the checks that use them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import Any

from ketaclinic.interfaces.fhir.incoming.values import Unreadable

_TABLES: dict[str, Any] = tomllib.loads(
    (resources.files("ketaclinic.interfaces.fhir") / "data" / "codes.toml").read_text(encoding="utf-8")
)

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"

VITAL_SIGNS: dict[str, str] = {code: entry["kind"] for code, entry in _TABLES["vital_signs"].items()}
BLOOD_PRESSURE_PANELS = frozenset(_TABLES["blood_pressure"]["panels"])
SYSTOLIC: str = _TABLES["blood_pressure"]["systolic"]
DIASTOLIC: str = _TABLES["blood_pressure"]["diastolic"]
BUNDLE_TYPES = tuple(_TABLES["accepted"]["bundle_types"])
LEFT_STATUSES = frozenset(_TABLES["accepted"]["left_statuses"])
LEFT_IDENTIFIER_TYPES = frozenset(_TABLES["identifiers"]["left_types"])
LEFT_IDENTIFIER_SYSTEMS = frozenset(_TABLES["identifiers"]["left_systems"])
SALTS = frozenset(_TABLES["medications"]["salts"])
PAPERWORK = tuple(_TABLES["procedures"]["paperwork"])

_VALUE_SETS = {name: frozenset(codes) for name, codes in _TABLES["value_sets"].items()}
_NUMERIC_LOINC = re.compile(r"[0-9]{1,7}-[0-9]\Z")


@dataclass(frozen=True, slots=True)
class UnitRule:
    """How one kind of measurement is stored: our unit, its possible range, and the UCUM units converted to it."""

    unit: str
    low: Decimal
    high: Decimal
    accepted: dict[str, tuple[Decimal, Decimal]]


UNITS = {
    kind: UnitRule(
        rule["unit"],
        Decimal(rule["low"]),
        Decimal(rule["high"]),
        {code: (Decimal(factor), Decimal(offset)) for code, (factor, offset) in rule["accepted"].items()},
    )
    for kind, rule in _TABLES["units"].items()
}


def check_code(place: str, code: object, where: str) -> None:
    """Raise ``Unreadable`` unless ``code`` belongs to the value set of ``place`` (``Observation.status``)."""
    if code is not None and (not isinstance(code, str) or code not in _VALUE_SETS[place]):
        raise Unreadable(f"{where}: {place} has a code that FHIR does not know ({short(code)})")


def check_loinc(code: str, where: str) -> None:
    """Raise ``Unreadable`` for a numeric LOINC code whose check digit is wrong."""
    if _NUMERIC_LOINC.match(code) and not loinc_check_digit_ok(code):
        raise Unreadable(f"{where}: {code} is not a LOINC code (its check digit is wrong)")


def loinc_check_digit_ok(code: str) -> bool:
    """Return whether the last digit of a numeric LOINC code is its mod-10 check digit."""
    body, digit = code.split("-")
    total = 0
    for position, character in enumerate(reversed(body)):
        number = int(character) * (2 if position % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return (10 - total % 10) % 10 == int(digit)


def short(value: object) -> str:
    """Return a value from outside as a short, printable piece of one line."""
    text = "".join(c if c.isprintable() else "?" for c in str(value)[:41])
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"
