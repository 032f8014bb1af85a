"""The Patient resource."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ketaclinic.interfaces.fhir.incoming import codes
from ketaclinic.interfaces.fhir.incoming.values import IncomingPatient, Left, Unreadable, clean, when

_LANGUAGES = ("en", "es")


def read_patient(resource: Mapping[str, Any], full_url: str, left: list[Left]) -> IncomingPatient:
    """Return the person of a bundle; what is left of the resource is added to ``left``."""
    where = "Patient"
    codes.check_code("Patient.gender", resource.get("gender"), where)
    given, family = _name(resource)
    identifiers = _identifiers(resource, full_url, left)
    died = when(resource.get("deceasedDateTime"))
    return IncomingPatient(
        source=identifiers[0][0],
        key=identifiers[0][1],
        identifiers=identifiers,
        given_name=given,
        family_name=family,
        birth_date=_birth_date(resource),
        sex=resource.get("gender") or "unknown",
        phone=_telecom(resource, "phone")[:30],
        email=_email(resource, left),
        language=_language(resource),
        deceased=died is not None or resource.get("deceasedBoolean") is True,
        deceased_on=died.on if died else None,
        synthetic=_synthetic(resource),
    )


def _name(resource: Mapping[str, Any]) -> tuple[str, str]:
    names = [name for name in resource.get("name", ()) if name.get("use") != "old"]
    chosen = next((name for name in names if name.get("use") == "official"), names[0] if names else {})
    family = clean(chosen.get("family", ""), 80)
    given = clean(" ".join(chosen.get("given", ())), 80)
    if not family and not given:
        family = clean(chosen.get("text", ""), 80)
    if not family and not given:
        raise Unreadable("Patient: carries no name")
    return given, family


def _birth_date(resource: Mapping[str, Any]) -> date:
    written = resource.get("birthDate", "")
    if len(written) != 10:
        raise Unreadable("Patient: birthDate must be a whole day (year, month and day)")
    return date.fromisoformat(written)


def _identifiers(resource: Mapping[str, Any], full_url: str, left: list[Left]) -> tuple[tuple[str, str], ...]:
    kept: dict[tuple[str, str], None] = {}
    for identifier in resource.get("identifier", ()):
        system, value = identifier.get("system", ""), identifier.get("value", "")
        types = {str(c.get("code")) for c in (identifier.get("type") or {}).get("coding", ())}
        government = types & codes.LEFT_IDENTIFIER_TYPES or system in codes.LEFT_IDENTIFIER_SYSTEMS
        if government or "passport" in system.lower():
            left.append(Left("Patient identifier", "government numbers are not kept (social security, passport …)"))
        elif not system or not value or identifier.get("use") == "old":
            left.append(Left("Patient identifier", "carries no system, no value, or is marked as old"))
        elif len(system) > 200 or len(value) > 200 or not (system + value).isprintable():
            raise Unreadable("Patient: an identifier is longer than 200 characters or cannot be printed")
        else:
            kept[system, value] = None
    if not kept and full_url.startswith(("https://", "http://")) and "/Patient/" in full_url:
        base, _, key = full_url.rpartition("/Patient/")
        kept[base[:200], key[:200]] = None
    if not kept:
        raise Unreadable("Patient: carries no identifier by which the same person could be found again")
    return tuple(kept)


def _telecom(resource: Mapping[str, Any], system: str) -> str:
    found = (t for t in resource.get("telecom", ()) if t.get("system") == system and t.get("use") != "old")
    return clean(next((str(t.get("value", "")) for t in found), ""), 254)


def _email(resource: Mapping[str, Any], left: list[Left]) -> str:
    address = _telecom(resource, "email")
    if address and (address.count("@") != 1 or " " in address):
        left.append(Left("Patient e-mail", "is not an e-mail address"))
        return ""
    return address


def _language(resource: Mapping[str, Any]) -> str:
    spoken = resource.get("communication", ())
    first = sorted(spoken, key=lambda c: c.get("preferred") is not True)
    tags = [str(c.get("code", "")) for entry in first for c in (entry.get("language") or {}).get("coding", ())]
    return next((tag[:2] for tag in tags if tag[:2] in _LANGUAGES), "en")


def _synthetic(resource: Mapping[str, Any]) -> bool:
    meta = resource.get("meta") or {}
    marks = [str(c.get("code", "")).lower() for c in (*meta.get("tag", ()), *meta.get("security", ()))]
    return any(mark.startswith("synthea") or mark in ("htest", "synthetic") for mark in marks)
