"""Problems, medications, allergies, procedures and vital signs as FHIR resources."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from ketaclinic.interfaces.fhir.incoming.codes import DIASTOLIC, LOINC, SYSTOLIC, UCUM, UNITS, VITAL_SIGNS
from ketaclinic.people.models import Patient
from ketaclinic.record.models import ClinicalRow
from ketaclinic.record.presenters import entered_late, is_late
from ketaclinic.screening.models import Allergy, CodedRow, Medication, Problem, Procedure, VitalSign

Resource = dict[str, Any]

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_FIRST_CODE = {kind: code for code, kind in reversed(VITAL_SIGNS.items())}
_UCUM_OF = {kind: next(iter(rule.accepted)) for kind, rule in UNITS.items()}
BLOOD_PRESSURE = "85354-9"
VITAL_CATEGORY = [{"coding": [{"system": f"{_TERMINOLOGY}/observation-category", "code": "vital-signs"}]}]


def reference(patient: Patient) -> Resource:
    """Return the reference every resource of this patient carries."""
    return {"reference": f"Patient/{patient.pk}"}


def resource_id(row: ClinicalRow) -> str:
    """Return the id of a row as a resource."""
    return f"{row._meta.model_name}-{row.pk}"


def concept(row: CodedRow) -> Resource:
    """Return code and words of a row as they came."""
    coding = {"system": row.code_system, "code": row.code, "display": row.display}
    found: Resource = {"text": row.display}
    if row.code and row.code_system:
        found["coding"] = [coding]
    return found


def condition(row: Problem) -> Resource:
    """Return a problem as Condition."""
    refuted = row.status == Problem.Status.REFUTED
    found = {
        "resourceType": "Condition",
        "id": resource_id(row),
        "verificationStatus": _status("condition-ver-status", "refuted" if refuted else "confirmed"),
        "category": [{"coding": [{"system": f"{_TERMINOLOGY}/condition-category", "code": "problem-list-item"}]}],
        "code": concept(row),
        "subject": reference(row.patient),
        "onsetDateTime": _day(row.onset_on),
        "abatementDateTime": _day(row.abated_on),
        "recordedDate": row.at.isoformat(),
    }
    if not refuted and row.status != Problem.Status.UNKNOWN:
        found["clinicalStatus"] = _status("condition-clinical", row.status)
    return found


def medication_statement(row: Medication) -> Resource:
    """Return a medication as MedicationStatement."""
    period = {"start": _day(row.started_on), "end": _day(row.ended_on)}
    return {
        "resourceType": "MedicationStatement",
        "id": resource_id(row),
        "status": row.status,
        "medicationCodeableConcept": concept(row),
        "subject": reference(row.patient),
        "effectivePeriod": {name: value for name, value in period.items() if value} or None,
        "dateAsserted": row.recorded_at.isoformat(),
        "dosage": [{"text": row.dose_text}] if row.dose_text else None,
    }


def allergy_intolerance(row: Allergy) -> Resource:
    """Return an allergy as AllergyIntolerance."""
    refuted = row.status == Problem.Status.REFUTED
    active = {"active": "active", "inactive": "inactive", "resolved": "resolved"}.get(row.status)
    found = {
        "resourceType": "AllergyIntolerance",
        "id": resource_id(row),
        "verificationStatus": _status("allergyintolerance-verification", "refuted" if refuted else "confirmed"),
        "code": concept(row),
        "patient": reference(row.patient),
        "recordedDate": row.at.isoformat(),
        "criticality": row.criticality or None,
    }
    if active and not refuted:
        found["clinicalStatus"] = _status("allergyintolerance-clinical", active)
    return found


def procedure(row: Procedure) -> Resource:
    """Return a procedure."""
    return {
        "resourceType": "Procedure",
        "id": resource_id(row),
        "status": "completed",
        "code": concept(row),
        "subject": reference(row.patient),
        "performedDateTime": _day(row.performed_on),
    }


def vital_observation(row: VitalSign) -> Resource:
    """Return a measurement as Observation."""
    return vital_resource(resource_id(row), row.patient, row.at.isoformat(), row.kind, row.value, row.value_2)


def vital_resource(
    key: str, patient: Patient, at: str, kind: str, value: Decimal | int | float, second: Decimal | int | None = None
) -> Resource:
    """Return one vital sign as Observation; a blood pressure has its two values as components."""
    found: Resource = {
        "resourceType": "Observation",
        "id": key,
        "status": "final",
        "category": VITAL_CATEGORY,
        "subject": reference(patient),
        "effectiveDateTime": at,
    }
    if kind != "blood_pressure":
        return found | {"code": _loinc(_FIRST_CODE[kind]), "valueQuantity": _quantity(kind, value)}
    components = [(SYSTOLIC, value), (DIASTOLIC, second)]
    return found | {
        "code": _loinc(BLOOD_PRESSURE),
        "component": [
            {"code": _loinc(code), "valueQuantity": _quantity(kind, number)}
            for code, number in components
            if number is not None
        ],
    }


def late_note(row: ClinicalRow) -> Resource:
    """Return the note that a row was written down after the fact, by whom and when; empty for any other."""
    if not is_late(row):
        return {}
    with timezone.override(row.clinic.zone):
        said = entered_late(row)
    written = {"authorString": row.recorded_by.display_name, "time": row.recorded_at.isoformat()}
    return {"note": [{**written, "text": said}]}


def _quantity(kind: str, value: Decimal | int | float) -> Resource:
    number = Decimal(str(value)).normalize()
    return {
        "value": int(number) if number == number.to_integral_value() else float(number),
        "unit": UNITS[kind].unit,
        "system": UCUM,
        "code": _UCUM_OF[kind],
    }


def _loinc(code: str) -> Resource:
    return {"coding": [{"system": LOINC, "code": code}]}


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{_TERMINOLOGY}/{system}", "code": code}]}


def _day(day: Any) -> str | None:
    return day.isoformat() if day else None
