"""Conditions, medications, allergies and procedures: one function per resource type, resource in, row out.

Each returns an ``IncomingRow``, or the reason why the resource is left. Codes outside FHIR's own value sets raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ketaclinic.interfaces.fhir.incoming import codes
from ketaclinic.interfaces.fhir.incoming.values import IncomingRow, When, clean, first_code, named, when

Resource = Mapping[str, Any]
Taken = IncomingRow | str

_STRENGTH = re.compile(r"\s*\d[\d.,]*.*$")
_PACK_DURATION = re.compile(r"^\d+\s+(hr|actuat|ml|day)\s+", re.IGNORECASE)
_BRAND = re.compile(r"\s*\[[^\]]*\]")


def left_for_status(status: str | None) -> str | None:
    """Return why a status keeps a resource out, or ``None``."""
    return f"its status is {status}" if status in codes.LEFT_STATUSES else None


def read_condition(resource: Resource, source_id: str) -> Taken:
    """A Condition becomes a problem."""
    clinical, verified = first_code(resource.get("clinicalStatus")), first_code(resource.get("verificationStatus"))
    codes.check_code("Condition.clinicalStatus", clinical, source_id)
    codes.check_code("Condition.verificationStatus", verified, source_id)
    system, code, words = named(resource.get("code"))
    reason = left_for_status(verified) or ("" if words else "carries neither a code nor a name")
    if reason:
        return reason
    onset = when(resource.get("onsetDateTime")) or _start(resource.get("onsetPeriod"))
    abated = when(resource.get("abatementDateTime")) or _end(resource.get("abatementPeriod"))
    status = clinical or "unknown"
    fields = {
        "code_system": system,
        "code": code,
        "display": words if verified in (None, "confirmed") else f"{words} ({verified})",
        "onset_on": onset.on if onset else None,
        "abated_on": abated.on if abated else None,
        "status": status,
    }
    happened = onset or when(resource.get("recordedDate"))
    return IncomingRow("Problem", "Condition", source_id, happened, f"Problem: {fields['display']} ({status})", fields)


def read_medication(resource: Resource, source_id: str) -> Taken:
    """A MedicationRequest or MedicationStatement becomes a medication with its period."""
    kind, status = resource["resourceType"], resource.get("status")
    codes.check_code(f"{kind}.status", status, source_id)
    if kind == "MedicationRequest":
        codes.check_code("MedicationRequest.intent", resource.get("intent"), source_id)
    system, code, words = named(resource.get("medicationCodeableConcept") or _contained_code(resource))
    reason = left_for_status(status) or ("" if words else "names no medication that can be read here")
    if reason:
        return reason
    start, end = _medication_period(resource)
    fields = {
        "code_system": system,
        "code": code,
        "display": words,
        "ingredient": ingredient_of(words),
        "dose_text": _dose_text(resource),
        "status": status or "unknown",
        "started_on": start.on if start else None,
        "ended_on": end.on if end else None,
    }
    return IncomingRow("Medication", kind, source_id, start, f"Medication: {words} ({fields['status']})", fields)


def read_allergy(resource: Resource, source_id: str) -> Taken:
    """An AllergyIntolerance becomes an allergy."""
    clinical, verified = first_code(resource.get("clinicalStatus")), first_code(resource.get("verificationStatus"))
    codes.check_code("AllergyIntolerance.clinicalStatus", clinical, source_id)
    codes.check_code("AllergyIntolerance.verificationStatus", verified, source_id)
    codes.check_code("AllergyIntolerance.criticality", resource.get("criticality"), source_id)
    system, code, words = named(resource.get("code"))
    reason = left_for_status(verified) or ("" if words else "carries neither a code nor a name")
    if reason:
        return reason
    fields = {
        "code_system": system,
        "code": code,
        "display": words,
        "criticality": resource.get("criticality") or "",
        "status": clinical or "unknown",
    }
    happened = when(resource.get("onsetDateTime")) or when(resource.get("recordedDate"))
    return IncomingRow("Allergy", "AllergyIntolerance", source_id, happened, f"Allergy: {words}", fields)


def read_procedure(resource: Resource, source_id: str) -> Taken:
    """A Procedure is kept unless it was not done, or is paperwork."""
    status = resource.get("status")
    codes.check_code("Procedure.status", status, source_id)
    system, code, words = named(resource.get("code"))
    reason = left_for_status(status) or ("" if words else "carries neither a code nor a name")
    if not reason and any(phrase in words.lower() for phrase in codes.PAPERWORK):
        reason = "is paperwork, not treatment"
    if reason:
        return reason
    done = when(resource.get("performedDateTime")) or _start(resource.get("performedPeriod"))
    fields = {
        "code_system": system,
        "code": code,
        "display": words,
        "performed_on": done.on if done else None,
    }
    return IncomingRow("Procedure", "Procedure", source_id, done, f"Procedure: {words}", fields)


def ingredient_of(words: str) -> str:
    """Return the ingredients a drug name tells, in lower case, joined by " / "; blank when it names none.

    The name counts up to its strength, without brand and salt; a pack named after its brand tells no ingredient.

    >>> ingredient_of("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet")
    'amoxicillin / clavulanate'
    """
    if words.lower().endswith(" pack"):
        return ""
    return " / ".join(filter(None, (_one_ingredient(part) for part in words.split(" / "))))[:200]


def _one_ingredient(part: str) -> str:
    name = _STRENGTH.sub("", _PACK_DURATION.sub("", _BRAND.sub("", part).strip()))
    spoken = name.lower().split()
    while len(spoken) > 1 and spoken[-1] in codes.SALTS:
        spoken.pop()
    return " ".join(spoken)


def _medication_period(resource: Resource) -> tuple[When | None, When | None]:
    if resource["resourceType"] == "MedicationStatement":
        period = resource.get("effectivePeriod")
        return when(resource.get("effectiveDateTime")) or _start(period), _end(period)
    validity = (resource.get("dispenseRequest") or {}).get("validityPeriod")
    return _start(validity) or when(resource.get("authoredOn")), _end(validity)


def _contained_code(resource: Resource) -> object:
    wanted = str((resource.get("medicationReference") or {}).get("reference", ""))
    for inside in resource.get("contained", ()):
        if wanted == f"#{inside.get('id')}" and inside.get("resourceType") == "Medication":
            return inside.get("code")
    return None


def _dose_text(resource: Resource) -> str:
    dosages = resource.get("dosageInstruction") or resource.get("dosage") or []
    return clean("; ".join(str(dosage.get("text", "")) for dosage in dosages if dosage.get("text")), 200)


def _start(period: object) -> When | None:
    return when(period.get("start")) if isinstance(period, Mapping) else None


def _end(period: object) -> When | None:
    return when(period.get("end")) if isinstance(period, Mapping) else None


READERS: dict[str, Callable[[Resource, str], Taken]] = {
    "Condition": read_condition,
    "MedicationRequest": read_medication,
    "MedicationStatement": read_medication,
    "AllergyIntolerance": read_allergy,
    "Procedure": read_procedure,
}
