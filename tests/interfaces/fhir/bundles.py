"""Small FHIR bundles for tests, all synthetic."""

from __future__ import annotations

import copy
import json
from typing import Any

Resource = dict[str, Any]

PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "urn:test:ehr", "value": "4711"}],
    "name": [{"use": "official", "family": "Zeisigvogel", "given": ["Zeisina"]}],
    "gender": "female",
    "birthDate": "1984-03-14",
    "meta": {"tag": [{"code": "synthea-5-2019"}]},
}
SUBJECT = {"reference": "urn:uuid:p1"}
CONDITION: Resource = {
    "resourceType": "Condition",
    "id": "c1",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "verificationStatus": {"coding": [{"code": "confirmed"}]},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "370143000"}], "text": "Major depression"},
    "subject": SUBJECT,
    "onsetDateTime": "2019-05-02",
}
MEDICATION: Resource = {
    "resourceType": "MedicationStatement",
    "id": "m1",
    "status": "active",
    "medicationCodeableConcept": {"text": "Sertraline hydrochloride 50 MG Oral Tablet"},
    "subject": SUBJECT,
    "effectivePeriod": {"start": "2024-01-02", "end": "2024-06-01"},
    "dosage": [{"text": "one in the morning"}],
}
ALLERGY: Resource = {
    "resourceType": "AllergyIntolerance",
    "id": "a1",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "criticality": "high",
    "code": {"text": "Penicillin"},
    "patient": SUBJECT,
    "recordedDate": "2020-01-01",
}
PRESSURE: Resource = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "subject": SUBJECT,
    "effectiveDateTime": "2026-10-01T09:00:00-04:00",
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "valueQuantity": {"value": 128, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        },
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]},
            "valueQuantity": {"value": 81.6, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        },
    ],
}
PROCEDURE: Resource = {
    "resourceType": "Procedure",
    "id": "pr1",
    "status": "completed",
    "code": {"text": "Electroconvulsive therapy"},
    "subject": SUBJECT,
    "performedDateTime": "2021-02-03",
}
ALL = (CONDITION, MEDICATION, ALLERGY, PRESSURE, PROCEDURE)


def changed(resource: Resource, **fields: Any) -> Resource:
    """Return a copy with other fields; ``None`` removes one."""
    made = copy.deepcopy(resource) | fields
    return {name: value for name, value in made.items() if value is not None}


def measured(code: str, value: object, unit: str | None, **fields: Any) -> Resource:
    """Return a simple vital-sign Observation."""
    quantity = {"value": value, "system": "http://unitsofmeasure.org", "code": unit}
    return changed(
        PRESSURE,
        id=f"o-{code}",
        component=None,
        code={"coding": [{"system": "http://loinc.org", "code": code}]},
        valueQuantity={name: v for name, v in quantity.items() if v is not None},
        **fields,
    )


def bundle(*resources: Resource, patient: Resource | None = PATIENT, **fields: Any) -> Resource:
    """Return a transaction bundle about ``patient``."""
    people = [patient] if patient is not None else []
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{resource.get('id', '')}",
                "resource": resource,
                "request": {"method": "POST", "url": resource.get("resourceType", "")},
            }
            for resource in (*people, *resources)
        ],
    } | fields


def as_bytes(document: object) -> bytes:
    """Return a JSON file."""
    return json.dumps(document).encode()
