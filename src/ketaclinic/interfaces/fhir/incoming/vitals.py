"""Observations that are vital signs: codes, units, possible values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ketaclinic.interfaces.fhir.incoming import codes
from ketaclinic.interfaces.fhir.incoming.clinical import left_for_status
from ketaclinic.interfaces.fhir.incoming.values import IncomingRow, Unreadable, codings, when

_WORDS = {
    "blood_pressure": "Blood pressure",
    "heart_rate": "Heart rate",
    "respiratory_rate": "Respiratory rate",
    "temperature": "Temperature",
    "height": "Height",
    "weight": "Weight",
    "bmi": "BMI",
    "oxygen_saturation": "Oxygen saturation",
}
NOT_A_VITAL_SIGN = "is not a vital sign"


class _NotTaken(Exception):
    """A measurement that cannot be used; the message is the reason."""


def loinc_codes(resource: Mapping[str, Any], where: str) -> list[str]:
    """Return the LOINC codes of an Observation or component; raises for one whose check digit is wrong."""
    found = [str(c.get("code", "")) for c in codings(resource.get("code")) if c.get("system") == codes.LOINC]
    for code in found:
        codes.check_loinc(code, where)
    return found


def kind_of(loinc: list[str]) -> str | None:
    """Return which vital sign the codes name, or ``None``."""
    if codes.BLOOD_PRESSURE_PANELS & set(loinc):
        return "blood_pressure"
    return next((codes.VITAL_SIGNS[code] for code in loinc if code in codes.VITAL_SIGNS), None)


def read_vital_sign(resource: Mapping[str, Any], source_id: str, kind: str) -> IncomingRow | str:
    """A vital-sign Observation becomes a measurement in our unit, or the reason why it is left."""
    codes.check_code("Observation.status", resource.get("status"), source_id)
    taken_at = when(resource.get("effectiveDateTime") or resource.get("effectiveInstant"))
    if taken_at is None and isinstance(resource.get("effectivePeriod"), Mapping):
        taken_at = when(resource["effectivePeriod"].get("start"))
    reason = left_for_status(resource.get("status")) or ("" if taken_at else "carries no time of measurement")
    if reason:
        return reason
    try:
        value, lower = _pressure(resource, source_id) if kind == "blood_pressure" else (_value(resource, kind), None)
    except _NotTaken as not_taken:
        return str(not_taken)
    unit = codes.UNITS[kind].unit
    shown = f"{value:f}/{lower:f}" if lower is not None else f"{value:f}"
    title = f"{_WORDS[kind]} {shown} {unit}"
    fields = {"kind": kind, "value": value, "value_2": lower, "unit": unit}
    return IncomingRow("VitalSign", "Observation", source_id, taken_at, title, fields)


def _pressure(resource: Mapping[str, Any], where: str) -> tuple[Decimal, Decimal]:
    found: dict[str, Decimal] = {}
    for component in resource.get("component", ()):
        for code in loinc_codes(component, where):
            if code in (codes.SYSTOLIC, codes.DIASTOLIC):
                if code in found:
                    raise Unreadable(f"{where}: the blood pressure names the same value twice")
                found[code] = _value(component, "blood_pressure")
    if set(found) != {codes.SYSTOLIC, codes.DIASTOLIC}:
        raise _NotTaken("a blood pressure without both values")
    if found[codes.DIASTOLIC] >= found[codes.SYSTOLIC]:
        raise _NotTaken("a blood pressure whose lower value is not below the upper one")
    return found[codes.SYSTOLIC], found[codes.DIASTOLIC]


def _value(resource: Mapping[str, Any], kind: str) -> Decimal:
    quantity = resource.get("valueQuantity")
    if not isinstance(quantity, Mapping) or "value" not in quantity:
        raise _NotTaken("carries no number")
    number = quantity["value"]
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise Unreadable("Observation: a value is written as text instead of a number")
    if quantity.get("comparator"):
        raise _NotTaken("is a limit (below or above), not a value")
    rule = codes.UNITS[kind]
    unit = quantity.get("code") if quantity.get("system") in (codes.UCUM, None) else None
    if unit not in rule.accepted:
        raise _NotTaken(
            f"its unit is not one that is converted ({codes.short(unit or quantity.get('unit') or 'none')})"
        )
    factor, offset = rule.accepted[unit]
    converted = Decimal(number) * factor + offset
    if not rule.low <= converted <= rule.high:
        raise _NotTaken(f"outside of what is possible ({rule.low:f} to {rule.high:f} {rule.unit})")
    places = Decimal("1") if kind in ("blood_pressure", "heart_rate", "respiratory_rate") else Decimal("0.1")
    return converted.quantize(places, ROUND_HALF_UP)
