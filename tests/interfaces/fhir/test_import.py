"""Storing a bundle: once, whole, in one clinic, with its lines on the timeline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from ketaclinic.audit.models import AuditEntry
from ketaclinic.interfaces.fhir.actions import import_bundle
from ketaclinic.interfaces.fhir.finding import MODELS
from ketaclinic.interfaces.fhir.incoming import Unreadable
from ketaclinic.interfaces.fhir.report import ImportReport
from ketaclinic.people.models import Patient, PatientIdentifier, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.record.models import TimelineEntry
from ketaclinic.screening.models import Medication, Problem, VitalSign
from ketacore.evidence import Refusal
from tests.interfaces.fhir.bundles import (
    ALL,
    CONDITION,
    MEDICATION,
    PATIENT,
    PRESSURE,
    as_bytes,
    bundle,
    changed,
)
from tests.support.people import NOON, make_clinic, make_staff

LATER = NOON + timedelta(days=1)


def bring(by: Staff, *resources: dict[str, Any], at: Any = NOON, **fields: Any) -> ImportReport:
    return import_bundle(as_bytes(bundle(*resources, **fields)), by=by, at=at)


def everything() -> dict[str, int]:
    counts = {name: model.objects.count() for name, model in MODELS.items()}
    return counts | {"Patient": Patient.objects.count(), "TimelineEntry": TimelineEntry.objects.count()}


def test_a_new_patient_with_one_of_each(prescriber: Staff) -> None:
    report = bring(prescriber, *ALL)
    patient = Patient.objects.get(pk=report.patient_id)
    assert report.new_patient and str(patient) == "Zeisina Zeisigvogel" and patient.clinic == prescriber.clinic
    assert report.taken == {
        "Condition": 1,
        "MedicationStatement": 1,
        "AllergyIntolerance": 1,
        "Observation": 1,
        "Procedure": 1,
    }
    pressure = VitalSign.objects.get()
    assert (pressure.patient, pressure.value, pressure.value_2) == (patient, 128, 82)
    assert pressure.source_system == "urn:test:ehr" and pressure.source_id == "Observation/o1"


def test_every_row_has_a_line_on_the_timeline_and_the_import_one_of_its_own(prescriber: Staff) -> None:
    bring(prescriber, *ALL)
    lines = TimelineEntry.objects.exclude(kind="import")
    assert {(line.about_type, line.about_id) for line in lines} == {
        (model._meta.label, row.pk) for model in MODELS.values() for row in model.objects.all()
    }
    assert TimelineEntry.objects.get(kind="import").title == "Record imported: 5 taken, 0 amended"
    assert AuditEntry.objects.filter(action="import_record").count() == 1


def test_importing_again_changes_nothing(prescriber: Staff) -> None:
    bring(prescriber, *ALL)
    before = everything()
    report = bring(prescriber, *ALL, at=LATER)
    assert everything() == before
    assert not report.changed and sum(report.unchanged.values()) == 5


def test_a_changed_resource_becomes_an_amendment(prescriber: Staff) -> None:
    bring(prescriber, CONDITION)
    report = bring(prescriber, changed(CONDITION, clinicalStatus={"coding": [{"code": "resolved"}]}), at=LATER)
    old, new = Problem.objects.order_by("pk")
    assert report.amended == {"Condition": 1}
    assert new.amends == old and new.status == "resolved" and new.amendment_reason == "Changed in urn:test:ehr"
    assert TimelineEntry.objects.get(about_id=new.pk, kind="problem").amends is not None
    again = bring(prescriber, changed(CONDITION, clinicalStatus={"coding": [{"code": "resolved"}]}), at=LATER)
    assert again.unchanged == {"Condition": 1}


def test_a_resource_taken_back_by_its_source(prescriber: Staff) -> None:
    bring(prescriber, CONDITION, MEDICATION, PRESSURE)
    report = bring(
        prescriber,
        changed(CONDITION, verificationStatus={"coding": [{"code": "entered-in-error"}]}),
        changed(MEDICATION, status="entered-in-error"),
        changed(PRESSURE, status="entered-in-error"),
        at=LATER,
    )
    assert Problem.objects.current().get().status == "refuted"
    assert Medication.objects.current().get().status == "entered-in-error"
    assert "correct it by hand" in report.notes[0]
    assert not bring(prescriber, changed(MEDICATION, status="entered-in-error"), at=LATER).changed


def test_what_is_not_mentioned_any_more_stays(prescriber: Staff) -> None:
    bring(prescriber, *ALL)
    bring(prescriber, at=LATER)
    assert Problem.objects.current().count() == 1


@pytest.mark.parametrize(
    "bad",
    [
        changed(PRESSURE, id="bad", status="zzz"),
        changed(CONDITION, id="bad", onsetDateTime="2023-02-30"),
        changed(CONDITION, id="bad", subject={"reference": "Patient/else"}),
        changed(PATIENT, id="p2"),
    ],
)
def test_nothing_of_a_refused_bundle_is_stored(prescriber: Staff, bad: dict[str, Any]) -> None:
    before = everything()
    with pytest.raises(Unreadable):
        bring(prescriber, *ALL, bad)
    assert everything() == before


def test_the_same_person_in_two_clinics_is_two_patients(prescriber: Staff) -> None:
    elsewhere = make_staff(make_clinic(name="Other"), Role.PRESCRIBER)
    first, second = bring(prescriber, *ALL), bring(elsewhere, *ALL)
    assert first.patient_id != second.patient_id and second.new_patient
    assert Problem.objects.of(prescriber.clinic).count() == Problem.objects.of(elsewhere.clinic).count() == 1


def test_a_resource_of_another_patient_is_refused(prescriber: Staff) -> None:
    bring(prescriber, CONDITION)
    before = everything()
    other = changed(PATIENT, identifier=[{"system": "urn:test:ehr", "value": "4712"}])
    with pytest.raises(Refusal, match="another patient"):
        bring(prescriber, CONDITION, patient=other)
    assert everything() == before


def test_an_identifier_with_another_birth_date_is_refused(prescriber: Staff) -> None:
    bring(prescriber)
    with pytest.raises(Refusal, match="born on another day"):
        bring(prescriber, patient=changed(PATIENT, birthDate="1985-03-14"))


def test_identifiers_of_two_patients_are_refused(prescriber: Staff) -> None:
    second = {"system": "urn:test:ehr", "value": "4712"}
    bring(prescriber)
    bring(prescriber, patient=changed(PATIENT, identifier=[second]))
    with pytest.raises(Refusal, match="two different patients"):
        bring(prescriber, patient=changed(PATIENT, identifier=[*PATIENT["identifier"], second]))


def test_a_new_identifier_of_a_known_patient_is_added(prescriber: Staff) -> None:
    bring(prescriber)
    more = [*PATIENT["identifier"], {"system": "urn:test:lab", "value": "9"}]
    assert not bring(prescriber, patient=changed(PATIENT, identifier=more)).new_patient
    assert PatientIdentifier.objects.count() == 2


def test_a_birth_date_in_the_future_is_refused(prescriber: Staff) -> None:
    with pytest.raises(Refusal, match="future"):
        bring(prescriber, patient=changed(PATIENT, birthDate="2030-01-01"))


def test_who_may_not_import_is_refused(prescriber: Staff) -> None:
    researcher = make_staff(prescriber.clinic, Role.RESEARCHER)
    with pytest.raises(PermissionDenied):
        bring(researcher)


def test_our_own_export_is_not_imported_into_the_same_clinic(prescriber: Staff) -> None:
    own = [{"system": f"urn:ketaclinic:clinic-{prescriber.clinic_id}:record-number", "value": "K-20001"}]
    with pytest.raises(Refusal, match="this very clinic"):
        bring(prescriber, patient=changed(PATIENT, identifier=own))
