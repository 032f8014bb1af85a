"""A death another system tells: with its day, with its source, never invented, never against a correction."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ketaclinic.audit.models import AuditEntry
from ketaclinic.interfaces.fhir.actions import import_bundle
from ketaclinic.interfaces.fhir.report import ImportReport
from ketaclinic.people.actions import correct_patient
from ketaclinic.people.models import Patient, PatientCorrection, Staff
from ketaclinic.record.models import TimelineEntry
from tests.interfaces.fhir.bundles import PATIENT, as_bytes, bundle, changed
from tests.support.people import NOON

LATER = NOON + timedelta(days=1)
DIED = {"deceasedDateTime": "2025-02-03T10:00:00Z"}


def bring(by: Staff, at: Any = NOON, **told: Any) -> ImportReport:
    return import_bundle(as_bytes(bundle(patient=changed(PATIENT, **told))), by=by, at=at)


def lines() -> list[str]:
    return [line.title for line in TimelineEntry.objects.filter(kind="death_reported").order_by("pk")]


@pytest.mark.parametrize("known", [True, False])
def test_a_day_of_death_is_kept_with_where_it_comes_from(prescriber: Staff, known: bool) -> None:
    if known:
        bring(prescriber)
    report = bring(prescriber, LATER, **DIED)
    assert Patient.objects.get().deceased_on == date(2025, 2, 3)
    assert report.changed and "not a candidate" in report.notes[0]
    kept = PatientCorrection.objects.get()
    assert (kept.field, kept.old_value, kept.new_value) == ("deceased_on", "", "2025-02-03")
    assert (kept.reason, kept.by, kept.at) == ("import from urn:test:ehr", prescriber, LATER)
    assert AuditEntry.objects.get(action="record_death").reason == "import from urn:test:ehr"
    assert lines() == ["Reported as deceased by another system: died 3 Feb 2025"]


def test_the_same_death_again_changes_nothing(prescriber: Staff) -> None:
    bring(prescriber, **DIED)
    assert not bring(prescriber, LATER, **DIED).changed
    assert PatientCorrection.objects.count() == len(lines()) == 1


def test_a_death_without_a_day_invents_none_and_is_told_once(prescriber: Staff) -> None:
    report = bring(prescriber, deceasedBoolean=True)
    assert Patient.objects.get().deceased_on is None
    assert "It names no day of death, so none is recorded and the person stays on the lists" in report.notes[1]
    assert not bring(prescriber, LATER, deceasedBoolean=True).changed
    assert lines() == ["Reported as deceased by another system. It names no day of death."]
    assert not PatientCorrection.objects.exists()


@pytest.mark.parametrize("day", ["2026-11-25", "1980-01-01"])
def test_a_day_of_death_that_cannot_be_is_not_recorded(prescriber: Staff, day: str) -> None:
    report = bring(prescriber, deceasedDateTime=day)
    assert Patient.objects.get().deceased_on is None
    assert "cannot be, so none is recorded" in report.notes[1] and len(lines()) == 1


def test_a_death_that_was_taken_back_here_is_not_redone(prescriber: Staff) -> None:
    bring(prescriber, **DIED)
    correct_patient(patient=Patient.objects.get(), by=prescriber, at=NOON, reason="She is here.", deceased_on=None)
    report = bring(prescriber, LATER, **DIED)
    assert Patient.objects.get().deceased_on is None and not report.changed
    assert report.notes[1].startswith("Kept: this death was taken back here.")


def test_a_day_of_death_that_staff_know_stands(prescriber: Staff) -> None:
    bring(prescriber)
    correct_patient(
        patient=Patient.objects.get(), by=prescriber, at=NOON, reason="Family called.", deceased_on=date(2026, 11, 1)
    )
    report = bring(prescriber, LATER, **DIED)
    assert Patient.objects.get().deceased_on == date(2026, 11, 1)
    assert report.notes[1] == "It names 3 Feb 2025 as the day of death; ours, 1 Nov 2026, stands."
    assert len(bring(prescriber, LATER, deceasedBoolean=True).notes) == 1
