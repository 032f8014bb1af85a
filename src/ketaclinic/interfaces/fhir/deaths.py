"""What another system says about a death: kept with where it comes from, never with a day that nobody named."""

from __future__ import annotations

from datetime import date, datetime

from ketaclinic.audit.actions import write_audit
from ketaclinic.interfaces.fhir.incoming import IncomingPatient
from ketaclinic.interfaces.fhir.report import ImportReport
from ketaclinic.people.models import Patient, PatientCorrection, Staff
from ketaclinic.people.queries import corrections_of
from ketaclinic.record.actions import chronicle
from ketaclinic.record.models import TimelineEntry

KIND = "death_reported"
"""The word of such a line on the timeline."""


def note_death(
    told: IncomingPatient, patient: Patient, report: ImportReport, *, source: str, by: Staff, at: datetime
) -> None:
    """Write a death down with its day. A death that staff took back, or another day they know, stands."""
    if not told.deceased:
        return
    report.notes.append("The other system reports this person as deceased: not a candidate.")
    day = told.deceased_on
    if patient.deceased_on is not None:
        if day not in (None, patient.deceased_on):
            report.notes.append(
                f"It names {_words(day)} as the day of death; ours, {_words(patient.deceased_on)}, stands."
            )
    elif _taken_back(patient):
        report.notes.append("Kept: this death was taken back here. Ask the other system to correct its record.")
    elif day is None or not patient.birth_date <= day <= by.clinic.day_of(at):
        why = "It names no day of death" if day is None else f"The day of death it names, {_words(day)}, cannot be"
        report.notes.append(
            f"{why}, so none is recorded and the person stays on the lists. "
            "Find the day out and enter it in the details."
        )
        _tell_once(patient, f"Reported as deceased by another system. {why}.", source=source, by=by, at=at)
    else:
        _record(patient, day, source=source, by=by, at=at)
        report.death_recorded = True


def _taken_back(patient: Patient) -> bool:
    """Return whether the newest word about this death is that it was wrong."""
    newest: PatientCorrection | None = corrections_of(patient).filter(field="deceased_on").first()
    return newest is not None and not newest.new_value


def _record(patient: Patient, day: date, *, source: str, by: Staff, at: datetime) -> None:
    reason = f"import from {source}"
    PatientCorrection.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        field="deceased_on",
        old_value="",
        new_value=day.isoformat(),
        reason=reason,
        by=by,
        at=at,
    )
    patient.deceased_on = day
    patient.save(update_fields=["deceased_on"])
    write_audit("record_death", by=by, at=at, patient_id=patient.pk, obj=patient, reason=reason)
    _tell_once(patient, f"Reported as deceased by another system: died {_words(day)}", source=source, by=by, at=at)


def _tell_once(patient: Patient, title: str, *, source: str, by: Staff, at: datetime) -> None:
    """Add the line unless the timeline tells it already: importing again changes nothing."""
    if TimelineEntry.objects.filter(clinic_id=patient.clinic_id, patient=patient, kind=KIND, title=title).exists():
        return
    chronicle(
        patient=patient,
        by=by,
        at=at,
        recorded_at=at,
        stage="screening",
        kind=KIND,
        title=title,
        detail=f"Imported from {source}"[:400],
    )


def _words(day: date | None) -> str:
    return f"{day.day} {day:%b} {day.year}" if day is not None else ""
