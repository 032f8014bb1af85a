"""Our record as FHIR: complete, valid, and readable by another clinic of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from ketaclinic.audit.models import AuditEntry
from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.interfaces.fhir.actions import export_patient, import_bundle
from ketaclinic.interfaces.fhir.finding import MODELS
from ketaclinic.interfaces.fhir.outgoing import bundle_as_bytes
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.planning.models import Plan
from ketaclinic.treatment.models import Session, SessionEvent
from ketacore.evidence import Refusal
from ketacore.scales import SCALES
from tests.interfaces.fhir.bundles import ALL, as_bytes, bundle, measured
from tests.support.people import NOON, make_clinic, make_staff

VITALS = (measured("29463-7", 81.2, "kg"), measured("8867-4", 70, "/min"), measured("8310-5", 36.9, "Cel"))


@pytest.fixture
def imported(prescriber: Staff) -> Patient:
    report = import_bundle(as_bytes(bundle(*ALL, *VITALS)), by=prescriber, at=NOON)
    return Patient.objects.get(pk=report.patient_id)


def resources(patient: Patient, by: Staff, kind: str) -> list[dict[str, Any]]:
    exported = export_patient(patient=patient, by=by, at=NOON)
    return [e["resource"] for e in exported["entry"] if e["resource"]["resourceType"] == kind]


def values(patient: Patient) -> list[tuple[Any, ...]]:
    own = ("code_system", "code", "display", "status", "onset_on", "started_on", "ended_on", "kind", "value", "value_2")
    rows = [row for model in MODELS.values() for row in model.objects.filter(patient=patient).current()]
    return sorted((type(r).__name__, r.at, *(str(getattr(r, name, "")) for name in own)) for r in rows)


def test_round_trip_into_another_clinic(imported: Patient, prescriber: Staff) -> None:
    elsewhere = make_staff(make_clinic(name="Other"), Role.PRESCRIBER)
    data = bundle_as_bytes(export_patient(patient=imported, by=prescriber, at=NOON))
    report = import_bundle(data, by=elsewhere, at=NOON)
    arrived = Patient.objects.get(pk=report.patient_id)
    assert values(arrived) == values(imported)
    assert (arrived.birth_date, arrived.sex, arrived.synthetic) == (imported.birth_date, imported.sex, True)
    again = import_bundle(data, by=elsewhere, at=NOON)
    assert not again.changed and not report.left


def test_every_resource_is_about_this_patient(imported: Patient, prescriber: Staff) -> None:
    exported = export_patient(patient=imported, by=prescriber, at=NOON)
    for entry in exported["entry"][1:]:
        about = entry["resource"].get("subject") or entry["resource"]["patient"]
        assert about == {"reference": f"Patient/{imported.pk}"}


def test_scores_go_out_with_answers_and_total(imported: Patient, prescriber: Staff) -> None:
    scale = SCALES["phq9"]
    answers = {item.key: 2 for item in scale.items}
    for number, (given, total) in enumerate(((answers, 18), ({scale.items[0].key: 1}, None))):
        ScaleAnswer.objects.create(
            clinic=imported.clinic,
            patient=imported,
            at=NOON,
            recorded_at=NOON,
            recorded_by=prescriber,
            instrument="phq9",
            version=1,
            answers=given,
            total=total,
            complete=total is not None,
            entry_key=f"k{number}",
        )
    whole, half = resources(imported, prescriber, "QuestionnaireResponse")
    assert whole["status"] == "completed" and half["status"] == "in-progress"
    assert whole["item"][0]["answer"] == [
        {
            "valueCoding": {
                "system": "http://loinc.org",
                "code": "LA6570-1",
                "display": scale.items[0].options[2].text,
            }
        }
    ]
    totals = [o for o in resources(imported, prescriber, "Observation") if "derivedFrom" in o]
    assert [o["valueQuantity"]["value"] for o in totals] == [18]


def test_a_session_goes_out_with_dose_and_readings(imported: Patient, prescriber: Staff) -> None:
    common = {
        "clinic": imported.clinic,
        "patient": imported,
        "at": NOON,
        "recorded_at": NOON,
        "recorded_by": prescriber,
    }
    plan = Plan.objects.create(
        **common,
        protocol_id="esketamine-trd-us",
        protocol_version=1,
        product="esketamine-nasal",
        dose_mg=56,
        starts_on=NOON.date(),
        signed_by=prescriber,
    )
    session = Session.objects.create(
        **common, plan=plan, product="esketamine-nasal", chair=1, dose_mg=56, entry_key="s"
    )
    device = {
        "lot": "L1",
        "expires_on": "2027-01-01",
        "two_green_dots_before": True,
        "not_primed": True,
        "no_green_dots_after": True,
    }
    said = [
        ("device", {"number": 1, **device}),
        ("device", {"number": 2, **device}),
        (
            "vitals",
            {"systolic": 141, "diastolic": 88, "heart_rate": 80, "oxygen_saturation": 97, "temperature_c": 36.8},
        ),
        ("discharged", {"escort": ""}),
    ]
    for number, (kind, payload) in enumerate(said):
        SessionEvent.objects.create(**common, session=session, kind=kind, payload=payload, entry_key=str(number))
    (done,) = [p for p in resources(imported, prescriber, "Procedure") if p["id"].startswith("session")]
    (dose,) = resources(imported, prescriber, "MedicationAdministration")
    readings = [o for o in resources(imported, prescriber, "Observation") if "partOf" in o]
    assert done["status"] == "completed" and dose["dosage"]["dose"]["value"] == 56
    assert len(readings) == 4 and all(r["partOf"] == [{"reference": f"Procedure/{done['id']}"}] for r in readings)


def test_an_export_is_audited_and_guarded(imported: Patient, prescriber: Staff, nurse: Staff) -> None:
    export_patient(patient=imported, by=prescriber, at=NOON)
    assert AuditEntry.objects.get(action="export_record").patient_id == imported.pk
    with pytest.raises(PermissionDenied):
        export_patient(patient=imported, by=nurse, at=NOON)
    stranger = make_staff(make_clinic(name="Other"), Role.PRESCRIBER)
    with pytest.raises(Refusal):
        export_patient(patient=imported, by=stranger, at=NOON)


def test_the_file_is_json(imported: Patient, prescriber: Staff) -> None:
    data = bundle_as_bytes(export_patient(patient=imported, by=prescriber, at=NOON))
    assert json.loads(data)["type"] == "collection"
