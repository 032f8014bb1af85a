"""Importing again: what was corrected here stays, whatever the order of identifiers; nothing comes from the future."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ketaclinic.interfaces.fhir.actions import import_bundle
from ketaclinic.interfaces.fhir.finding import MODELS
from ketaclinic.interfaces.fhir.report import ImportReport
from ketaclinic.people.models import Patient, Staff
from ketaclinic.record.models import TimelineEntry
from ketaclinic.screening import queries
from ketaclinic.screening.actions import refute_allergy, refute_problem, stop_medication
from ketaclinic.screening.facts import candidate_facts
from ketaclinic.screening.models import Allergy, Medication, Problem, VitalSign
from ketacore.evidence import Known
from tests.interfaces.fhir.bundles import (
    ALL,
    ALLERGY,
    CONDITION,
    MEDICATION,
    PATIENT,
    PRESSURE,
    PROCEDURE,
    as_bytes,
    bundle,
    changed,
    measured,
)
from tests.support.people import NOON

LATER = NOON + timedelta(days=1)
RESOLVED = {"coding": [{"code": "resolved"}]}
TAKEN_BACK = {"coding": [{"code": "entered-in-error"}]}
FIRST = PATIENT["identifier"][0]
OTHER = {"system": "urn:test:lab", "value": "9"}


def bring(by: Staff, *resources: dict[str, Any], at: Any = NOON, **fields: Any) -> ImportReport:
    return import_bundle(as_bytes(bundle(*resources, **fields)), by=by, at=at)


def named(*identifiers: dict[str, Any]) -> dict[str, Any]:
    return changed(PATIENT, identifier=list(identifiers))


def everything() -> dict[str, int]:
    counts = {name: model.objects.count() for name, model in MODELS.items()}
    return counts | {"Patient": Patient.objects.count(), "TimelineEntry": TimelineEntry.objects.count()}


class TestWhatWasCorrectedHere:
    @pytest.fixture
    def corrected(self, prescriber: Staff) -> dict[str, int]:
        bring(prescriber, *ALL)
        who = {"by": prescriber, "at": LATER}
        refute_problem(problem=Problem.objects.get(), reason="Migraine.", **who)
        refute_allergy(allergy=Allergy.objects.get(), reason="A rash of another cause.", **who)
        medicine = Medication.objects.get()
        stop_medication(medication=medicine, ended_on=date(2024, 3, 1), reason="Not tolerated.", **who)
        return everything()

    def test_stays_when_the_same_file_comes_again(self, prescriber: Staff, corrected: dict[str, int]) -> None:
        report = bring(prescriber, *ALL, at=LATER + timedelta(hours=1))
        assert everything() == corrected and not report.changed and not report.notes
        assert report.kept == {"Condition": 1, "AllergyIntolerance": 1, "MedicationStatement": 1}
        assert ("kept", "Condition", 1, "corrected here") in report.rows()
        assert report.as_json()["kept"]["Condition"] == 1
        patient = Patient.objects.get()
        assert not queries.problems(patient).exists() and not queries.allergies(patient).exists()
        assert not queries.active_medications(patient, LATER).exists()

    def test_stays_and_is_named_where_its_source_has_changed_since(
        self, prescriber: Staff, corrected: dict[str, int]
    ) -> None:
        report = bring(prescriber, changed(CONDITION, clinicalStatus=RESOLVED), at=LATER)
        assert everything() == corrected and report.kept == {"Condition": 1}
        (note,) = report.notes
        assert "[Condition/c1]: kept, corrected here (Migraine.); its source has changed it since" in note

    def test_needs_no_word_where_its_source_now_agrees(self, prescriber: Staff, corrected: dict[str, int]) -> None:
        period = {"start": "2024-01-02", "end": "2024-03-01"}
        report = bring(prescriber, changed(MEDICATION, status="stopped", effectivePeriod=period), at=LATER)
        assert everything() == corrected and not report.notes

    def test_stays_when_its_source_takes_it_back(self, prescriber: Staff, corrected: dict[str, int]) -> None:
        report = bring(
            prescriber,
            changed(CONDITION, verificationStatus=TAKEN_BACK),
            changed(MEDICATION, status="entered-in-error"),
            at=LATER,
        )
        assert everything() == corrected
        (note,) = report.notes
        assert note.startswith("MedicationStatement/m1: taken back") and "it was corrected here" in note

    def test_is_told_from_what_the_source_changed_before(self, prescriber: Staff) -> None:
        bring(prescriber, CONDITION)
        resolved = changed(CONDITION, clinicalStatus=RESOLVED)
        bring(prescriber, resolved, at=LATER)
        refute_problem(problem=Problem.objects.current().get(), by=prescriber, at=LATER, reason="Migraine.")
        assert Problem.objects.current().get().as_sent.status == "resolved"
        assert not bring(prescriber, resolved, at=LATER).notes
        assert len(bring(prescriber, CONDITION, at=LATER).notes) == 1


class TestOneSourceWithManyNames:
    @pytest.mark.parametrize("identifiers", [(OTHER, FIRST), (FIRST, OTHER)])
    def test_another_identifier_duplicates_nothing(self, prescriber: Staff, identifiers: tuple[Any, ...]) -> None:
        bring(prescriber, *ALL)
        before = everything()
        report = bring(prescriber, *ALL, patient=named(*identifiers), at=LATER)
        assert everything() == before and not report.changed

    def test_new_rows_go_under_the_known_name_and_changes_are_found(self, prescriber: Staff) -> None:
        bring(prescriber, *ALL)
        swapped = named(OTHER, FIRST)
        weight = measured("29463-7", 81.2, "kg")
        bring(prescriber, *ALL[1:], changed(CONDITION, clinicalStatus=RESOLVED), weight, patient=swapped, at=LATER)
        assert set(VitalSign.objects.values_list("source_system", flat=True)) == {FIRST["system"]}
        assert Problem.objects.current().get().status == "resolved" and Problem.objects.count() == 2

    def test_only_new_rows_under_a_new_name_are_found_again(self, prescriber: Staff) -> None:
        weight = measured("29463-7", 81.2, "kg")
        bring(prescriber, *ALL)
        bring(prescriber, weight, patient=named(OTHER, FIRST), at=LATER)
        before = everything()
        assert not bring(prescriber, *ALL, weight, patient=named(FIRST, OTHER), at=LATER).changed
        assert everything() == before

    def test_two_sources_that_number_alike_stay_apart(self, prescriber: Staff) -> None:
        theirs = changed(measured("29463-7", 93, "kg"), id="1", effectiveDateTime="2026-09-01T09:00:00Z")
        ours = changed(measured("29463-7", 81.2, "kg"), id="1")
        bring(prescriber, ours, patient=named(FIRST))
        assert bring(prescriber, theirs, patient=named(OTHER, FIRST), at=LATER).taken == {"Observation": 1}
        assert sorted(VitalSign.objects.values_list("source_system", "value")) == [
            (FIRST["system"], Decimal("81.20")),
            (OTHER["system"], Decimal("93.00")),
        ]

    def test_a_row_is_taken_back_under_another_name(self, prescriber: Staff) -> None:
        bring(prescriber, *ALL)
        error = changed(MEDICATION, status="entered-in-error")
        bring(prescriber, error, patient=named(OTHER, FIRST), at=LATER)
        assert Medication.objects.current().get().status == "entered-in-error"

    def test_an_unclear_one_is_not(self, prescriber: Staff) -> None:
        bring(prescriber, MEDICATION)
        theirs = changed(MEDICATION, medicationCodeableConcept={"text": "Lithium"})
        bring(prescriber, theirs, patient=named(OTHER, FIRST))
        error = changed(MEDICATION, status="entered-in-error")
        third = {"system": "urn:test:third", "value": "3"}
        bring(prescriber, error, patient=named(third, FIRST), at=LATER)
        assert {m.status for m in Medication.objects.current()} == {"active"}


class TestWhatLiesAhead:
    @pytest.mark.parametrize(
        "ahead",
        [
            changed(PRESSURE, effectiveDateTime="2062-01-01T09:00:00Z"),
            changed(PROCEDURE, performedDateTime="2062-01-01"),
            changed(MEDICATION, effectivePeriod={"start": "2062-01-01"}),
        ],
    )
    def test_is_left_and_named(self, prescriber: Staff, ahead: dict[str, Any]) -> None:
        report = bring(prescriber, ahead, CONDITION)
        assert report.taken == {"Condition": 1}
        (line,) = report.left
        assert line.reason.endswith(f"[{ahead['resourceType']}/{ahead['id']}]: dated 1 Jan 2062, after this import")
        assert bring(prescriber, ahead, at=NOON.replace(year=2063)).taken == {ahead["resourceType"]: 1}

    def test_an_allergy_is_taken_at_the_moment_of_the_import(self, prescriber: Staff) -> None:
        ketamine = changed(ALLERGY, code={"text": "Ketamine"}, recordedDate="2062-01-01")
        report = bring(prescriber, ketamine)
        assert Allergy.objects.get().at == NOON
        assert report.notes == [
            "Allergy: Ketamine [AllergyIntolerance/a1]: its date (1 Jan 2062) lies after this import; taken without "
            "it, ask when it was."
        ]
        assert candidate_facts(Patient.objects.get(), NOON).hypersensitivity.value is True
        assert bring(prescriber, ketamine, at=LATER).unchanged == {"AllergyIntolerance": 1}

    def test_a_problem_keeps_no_day_that_cannot_be(self, prescriber: Staff) -> None:
        heart = changed(CONDITION, code={"text": "Myocardial infarction"}, onsetDateTime="2062-01-01")
        bring(prescriber, heart)
        row = Problem.objects.get()
        assert (row.at, row.onset_on) == (NOON, None)
        facts = candidate_facts(Patient.objects.get(), NOON)
        assert facts.cardiovascular_event.value is True
        assert facts.cardiovascular_event_on.state is Known.NOT_ASKED

    def test_a_problem_that_ends_in_the_future_has_not_ended(self, prescriber: Staff) -> None:
        pregnant = changed(CONDITION, code={"text": "Normal pregnancy"}, abatementDateTime="2027-05-01")
        pregnant["onsetDateTime"] = "2026-09-01"
        report = bring(prescriber, pregnant)
        row = Problem.objects.get()
        assert (row.onset_on, row.abated_on) == (date(2026, 9, 1), None)
        assert "(1 May 2027) lies after this import" in report.notes[0]
        assert candidate_facts(Patient.objects.get(), NOON).pregnant.value is True

    def test_a_row_that_an_earlier_version_stored_there_comes_back(self, prescriber: Staff) -> None:
        ahead = changed(ALLERGY, code={"text": "Ketamine"}, recordedDate="2062-01-01")
        bring(prescriber, ahead, at=NOON.replace(year=2063))
        bring(prescriber, ahead, at=NOON)
        assert Allergy.objects.current().get().at == NOON
        assert candidate_facts(Patient.objects.get(), NOON).hypersensitivity.value is True

    def test_today_and_the_end_of_a_prescription_do_not(self, prescriber: Staff) -> None:
        today = changed(PROCEDURE, performedDateTime="2026-11-23")
        running = changed(MEDICATION, effectivePeriod={"start": "2026-11-01", "end": "9999-12-31"})
        report = bring(prescriber, today, running)
        assert not report.left and not report.notes
        assert list(queries.active_medications(Patient.objects.get(), NOON)) == [Medication.objects.get()]
