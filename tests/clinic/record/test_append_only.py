"""What was written stays written: rows refuse to be changed, and a correction names what it replaces."""

from __future__ import annotations

import pytest

from ketaclinic.audit.actions import write_audit
from ketaclinic.audit.models import AppendOnlyError, AuditEntry
from ketaclinic.people.models import Patient, Staff
from ketaclinic.record.actions import chronicle
from ketaclinic.record.models import TimelineEntry
from ketaclinic.record.queries import timeline_of
from tests.support.people import NOON


def line(patient: Patient, by: Staff, title: str, **fields: object) -> TimelineEntry:
    return chronicle(
        patient=patient, by=by, at=NOON, recorded_at=NOON, stage="people", kind="note", title=title, **fields
    )


def test_a_line_is_neither_changed_nor_deleted(patient: Patient, nurse: Staff) -> None:
    entry = line(patient, nurse, "Weight 78 kg")
    entry.title = "Weight 87 kg"
    with pytest.raises(AppendOnlyError):
        entry.save()
    with pytest.raises(AppendOnlyError):
        entry.delete()
    with pytest.raises(AppendOnlyError):
        TimelineEntry.objects.all().update(title="x")
    with pytest.raises(AppendOnlyError):
        TimelineEntry.objects.all().delete()
    assert TimelineEntry.objects.get().title == "Weight 78 kg"


def test_an_amended_line_is_kept_beside_its_successor(patient: Patient, nurse: Staff) -> None:
    old = line(patient, nurse, "Weight 78 kg", about=patient)
    new = line(patient, nurse, "Weight 87 kg", about=patient, amends=patient)
    assert [entry.pk for entry in timeline_of(patient)] == [new.pk, old.pk]
    assert new.amends_id == old.pk


def test_long_words_are_cut_and_never_lost_in_an_error(patient: Patient, nurse: Staff) -> None:
    assert len(line(patient, nurse, "x" * 5000, detail="y" * 5000).title) == 200


def test_an_audit_entry_keeps_who_whom_what_and_why(patient: Patient, nurse: Staff) -> None:
    entry = write_audit("read_chart", by=nurse, at=NOON, patient_id=patient.pk, obj=patient, reason="asked")
    assert (entry.actor_id, entry.actor_role, entry.clinic_id) == (nurse.pk, "nurse", nurse.clinic_id)
    assert (entry.object_type, entry.object_id, entry.reason) == ("people.Patient", str(patient.pk), "asked")
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.all().delete()
    assert "read_chart" in str(entry)
