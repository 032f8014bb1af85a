"""Recording a screen, and correcting a result."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.record.actions import chronicle
from ketaclinic.surveillance import queries
from ketaclinic.surveillance.models import ScreenResult
from ketacore.evidence import Refusal
from ketacore.surveillance import SCREEN

STAGE = "surveillance"


@transaction.atomic
def record_screen(
    *,
    patient: Patient,
    kind: str,
    result: str,
    entry_key: str,
    by: Staff,
    at: datetime,
    done_at: datetime | None = None,
    value: str = "",
    note: str = "",
) -> ScreenResult:
    """Store what a screen showed; a finding says what in the note. The same ``entry_key`` sent twice is one row."""
    check_may(by, Permission.RECORD_SCREEN)
    check_in_clinic(by, patient)
    before = queries.result_entered(patient.clinic, entry_key)
    if before is not None:
        if (before.patient_id, before.kind) != (patient.pk, kind):
            raise Refusal("Recording a screen", ["this form was sent for something else before"], "Open a new form.")
        return before
    return _write(patient, kind, result, value, note, entry_key, by=by, at=at, done_at=done_at or at)


@transaction.atomic
def amend_screen(
    *,
    row: ScreenResult,
    result: str,
    reason: str,
    entry_key: str,
    by: Staff,
    at: datetime,
    done_at: datetime | None = None,
    value: str = "",
    note: str = "",
) -> ScreenResult:
    """Correct a result; the old one is kept with the reason. The same ``entry_key`` sent twice is one row."""
    check_may(by, Permission.RECORD_SCREEN)
    check_in_clinic(by, row)
    if not reason.strip():
        raise Refusal("Correcting a screen", ["no reason was given"], "Say why the result changes.")
    before = queries.result_entered(row.clinic, entry_key)
    if before is not None and before.amends_id == row.pk:
        return before
    if before is not None:
        raise Refusal("Correcting a screen", ["this form was sent for something else before"], "Open a new form.")
    if ScreenResult.objects.of(row.clinic).filter(amends=row).exists():
        raise Refusal("Correcting a screen", ["this result was corrected already"], "Correct the newest one.")
    when = done_at or row.at
    return _write(
        row.patient, row.kind, result, value, note, entry_key, by=by, at=at, done_at=when, amends=row, reason=reason
    )


def _check_result(kind: str, result: str, note: str, at: datetime, done_at: datetime) -> None:
    if kind not in SCREEN:
        raise Refusal("Recording a screen", [f"there is no screen {kind}"], f"Use one of: {', '.join(SCREEN)}.")
    if result not in ScreenResult.Result.values:
        raise Refusal("Recording a screen", ["no result was chosen"], "Say what it showed.")
    if result == ScreenResult.Result.FINDING and not note.strip():
        raise Refusal("Recording a screen", ["a finding without words"], "Write what was found.")
    if done_at > at:
        raise Refusal("Recording a screen", ["the time lies in the future"], "Give the time when it was done.")


def _write(
    patient: Patient,
    kind: str,
    result: str,
    value: str,
    note: str,
    entry_key: str,
    *,
    by: Staff,
    at: datetime,
    done_at: datetime,
    amends: ScreenResult | None = None,
    reason: str = "",
) -> ScreenResult:
    _check_result(kind, result, note, at, done_at)
    row: ScreenResult = ScreenResult.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=done_at,
        recorded_at=at,
        recorded_by=by,
        amends=amends,
        amendment_reason=reason.strip(),
        kind=kind,
        result=result,
        value=value.strip(),
        note=note.strip(),
        entry_key=entry_key,
    )
    told = ": ".join(part for part in (SCREEN[kind].title, row.get_result_display().lower()) if part)
    chronicle(
        patient=patient,
        by=by,
        at=done_at,
        recorded_at=at,
        stage=STAGE,
        kind="screen",
        title=f"{told}{f', {row.value}' if row.value else ''}",
        detail=row.note,
        about=row,
        amends=amends,
    )
    deed = "amend_screen" if amends else "record_screen"
    write_audit(deed, by=by, at=at, patient_id=patient.pk, obj=row, reason=reason)
    return row
