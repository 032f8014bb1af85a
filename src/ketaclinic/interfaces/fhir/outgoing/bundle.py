"""One patient's whole record as one bundle, checked by the FHIR library before it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any

from ketaclinic.interfaces.fhir.outgoing.clinical import (
    Resource,
    allergy_intolerance,
    condition,
    medication_statement,
    procedure,
    vital_observation,
)
from ketaclinic.interfaces.fhir.outgoing.pathway import scale_resources, session_resources
from ketaclinic.people.models import Patient
from ketaclinic.treatment.models import SessionEvent
from ketaclinic.treatment.queries import given_sessions, sessions_of


def record_bundle(patient: Patient, *, system: str, at: datetime) -> Resource:
    """Return the record of a patient as it stands at ``at``; ``system`` names our record numbers.

    Raises ``ValueError`` if a resource is not valid FHIR R4: nothing invalid leaves.
    """
    resources = [_without_gaps(resource) for resource in _resources(patient, system, at)]
    for resource in resources:
        _model(resource["resourceType"]).model_validate(resource)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": at.isoformat(),
        "entry": [
            {"fullUrl": f"urn:ketaclinic:{resource['resourceType']}/{resource['id']}", "resource": resource}
            for resource in resources
        ],
    }


def bundle_as_bytes(bundle: Resource) -> bytes:
    """Return the bundle as a JSON file."""
    return json.dumps(bundle, ensure_ascii=False, indent=1).encode() + b"\n"


def _resources(patient: Patient, system: str, at: datetime) -> Iterator[Resource]:
    yield _person(patient, system)
    for related, make in (
        (patient.problems, condition),
        (patient.medications, medication_statement),
        (patient.allergys, allergy_intolerance),
        (patient.procedures, procedure),
        (patient.vitalsigns, vital_observation),
    ):
        for row in related.current().filter(at__lte=at).order_by("at", "pk"):
            yield make(row)
    for answer in patient.scaleanswers.current().filter(at__lte=at).order_by("at", "pk"):
        yield from scale_resources(answer)
    yield from _sessions(patient, at)


def _sessions(patient: Patient, at: datetime) -> Iterator[Resource]:
    given = {g.session_id: g for g in given_sessions(patient, at)}
    events: dict[int, list[SessionEvent]] = {}
    for event in patient.sessionevents.standing().filter(at__lte=at).order_by("at", "pk"):
        events.setdefault(event.session_id, []).append(event)
    for session in reversed(sessions_of(patient, at)):
        yield from session_resources(session, events.get(session.pk, []), given.get(session.pk))


def _person(patient: Patient, system: str) -> Resource:
    others = [{"system": i.system, "value": i.value} for i in patient.identifiers.order_by("pk")]
    telecom = [("phone", patient.phone), ("email", patient.email)]
    found: Resource = {
        "resourceType": "Patient",
        "id": str(patient.pk),
        "identifier": [{"system": system, "value": patient.record_number}, *others],
        "name": [{"use": "official", "family": patient.family_name, "given": [patient.given_name]}],
        "telecom": [{"system": kind, "value": value} for kind, value in telecom if value],
        "gender": patient.sex,
        "birthDate": patient.birth_date.isoformat(),
        "deceasedDateTime": patient.deceased_on.isoformat() if patient.deceased_on else None,
        "communication": [
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": patient.language}]}, "preferred": True}
        ],
    }
    if patient.synthetic:
        found["meta"] = {
            "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]
        }
    if not patient.given_name:
        del found["name"][0]["given"]
    return found


def _without_gaps(value: Any) -> Any:
    """Return a resource without empty fields: FHIR has no null."""
    if isinstance(value, dict):
        kept = {name: _without_gaps(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in (None, [], {}, "")}
    if isinstance(value, list):
        return [_without_gaps(inner) for inner in value]
    return value


@cache
def _model(resource_type: str) -> Any:
    module = import_module(f"fhir.resources.R4B.{resource_type.lower()}")
    return getattr(module, resource_type)
