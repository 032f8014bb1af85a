"""Scores and sessions as FHIR resources: QuestionnaireResponse, Observation, Procedure, MedicationAdministration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.interfaces.fhir.incoming.codes import LOINC, UCUM
from ketaclinic.interfaces.fhir.outgoing.clinical import (
    Resource,
    late_note,
    reference,
    resource_id,
    vital_resource,
)
from ketaclinic.treatment.models import Session, SessionEvent
from ketaclinic.treatment.queries import GivenSession
from ketacore.scales import SCALES, Scale

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PRODUCTS: dict[str, tuple[str, str, str]] = {
    "esketamine-nasal": ("2201623", "esketamine nasal spray", "Esketamine nasal spray, supervised session"),
    "ketamine-iv": ("6130", "ketamine", "Ketamine infusion, supervised session"),
}
_VITALS = ("heart_rate", "oxygen_saturation", "respiratory_rate")


def scale_resources(row: ScaleAnswer) -> Iterator[Resource]:
    """Yield the answers, and the total when there is one: half a form has no number here either."""
    scale = SCALES.get(row.instrument)
    if scale is None:
        return
    yield {
        "resourceType": "QuestionnaireResponse",
        "id": resource_id(row),
        "questionnaire": f"http://loinc.org/q/{scale.loinc_panel}" if scale.loinc_panel else None,
        "status": "completed" if row.complete else "in-progress",
        "subject": reference(row.patient),
        "authored": row.at.isoformat(),
        "item": list(_items(scale, row.answers)),
    }
    if row.total is not None:
        yield {
            "resourceType": "Observation",
            "id": f"{resource_id(row)}-total",
            "status": "final",
            "category": [
                {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}
            ],
            "code": {"coding": [{"system": LOINC, "code": scale.loinc_total}], "text": f"{scale.name} total"},
            "subject": reference(row.patient),
            "effectiveDateTime": row.at.isoformat(),
            "valueQuantity": {"value": row.total, "unit": "{score}", "system": UCUM, "code": "{score}"},
            "derivedFrom": [{"reference": f"QuestionnaireResponse/{resource_id(row)}"}],
        }


def _items(scale: Scale, answers: Mapping[str, Any]) -> Iterator[Resource]:
    for item in (*scale.items, *scale.extras):
        value = answers.get(item.key)
        found: Resource = {"linkId": item.loinc or item.key, "text": item.text}
        chosen = next((option for option in item.options if option.value == value), None)
        if chosen is not None:
            coding = {"system": LOINC, "code": chosen.loinc, "display": chosen.text}
            found["answer"] = [{"valueCoding": coding} if chosen.loinc else {"valueInteger": chosen.value}]
        yield found


def session_resources(session: Session, events: list[SessionEvent], given: GivenSession | None) -> Iterator[Resource]:
    """Yield the session, the dose given, and every reading taken in it."""
    code, name, words = PRODUCTS.get(session.product, ("", session.product, session.product))
    last = events[-1].at if events else session.at
    stopped = any(event.kind == "stopped" for event in events)
    closed = stopped or any(event.kind == "discharged" for event in events)
    state = "completed" if closed and given else "not-done" if closed else "in-progress"
    period = {"start": session.at.isoformat(), "end": last.isoformat() if closed else None}
    part_of = {"reference": f"Procedure/{resource_id(session)}"}
    yield {
        "resourceType": "Procedure",
        "id": resource_id(session),
        "status": state,
        "code": {"text": words},
        "subject": reference(session.patient),
        "performedPeriod": {key: value for key, value in period.items() if value},
        **late_note(session),
    }
    if given is not None:
        yield {
            "resourceType": "MedicationAdministration",
            "id": f"{resource_id(session)}-dose",
            "status": "completed" if closed else "in-progress",
            "partOf": [part_of],
            "medicationCodeableConcept": {"text": name, "coding": [{"system": RXNORM, "code": code, "display": name}]},
            "subject": reference(session.patient),
            "effectiveDateTime": given.started_at.isoformat(),
            "dosage": {"dose": {"value": given.dose_mg, "unit": "mg", "system": UCUM, "code": "mg"}},
        }
    for event in events:
        if event.kind == "vitals":
            for resource in _readings(event):
                yield resource | {"partOf": [part_of]} | late_note(event)


def _readings(event: SessionEvent) -> Iterator[Resource]:
    said, at = event.payload, event.at.isoformat()
    key = resource_id(event)
    if said.get("systolic") is not None:
        yield vital_resource(f"{key}-bp", event.patient, at, "blood_pressure", said["systolic"], said.get("diastolic"))
    for kind in _VITALS:
        if said.get(kind) is not None:
            yield vital_resource(f"{key}-{kind.replace('_', '-')}", event.patient, at, kind, said[kind])
    if said.get("temperature_c") is not None:
        yield vital_resource(f"{key}-temperature", event.patient, at, "temperature", said["temperature_c"])
