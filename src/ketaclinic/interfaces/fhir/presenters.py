"""What the pages of an import show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.interfaces.fhir.report import WHY

SILENT_FOR = timedelta(minutes=2)
"""An import that has said nothing for so long was interrupted: the server was restarted under it."""


@dataclass(frozen=True, slots=True)
class ImportPage:
    """One import, template-ready; ``rows`` are verdict, kind, number, reason."""

    file_name: str
    heading: str
    running: bool
    done: int
    total: int
    refusal: str
    rows: tuple[tuple[str, str, int, str], ...]
    notes: tuple[str, ...]
    patient_id: int | None
    patient: str
    changed: bool


def import_page(started: FhirImport, at: datetime) -> ImportPage:
    """Return the page of one import."""
    state = FhirImport.State(started.state)
    running = state in (FhirImport.State.READING, FhirImport.State.STORING)
    interrupted = running and at - started.progress_at > SILENT_FOR
    report = started.report or {}
    rows = _rows(report)
    return ImportPage(
        file_name=started.file_name,
        heading="Interrupted" if interrupted else state.label,
        running=running and not interrupted,
        done=started.done,
        total=started.total,
        refusal=(
            "The server was restarted during this import. Nothing was imported; send the file again."
            if interrupted
            else started.refusal
        ),
        rows=tuple(rows),
        notes=tuple(report.get("notes", ())),
        patient_id=started.patient_id,
        patient=f"{started.patient} ({started.patient.record_number})" if started.patient else "",
        changed=bool(
            report.get("taken") or report.get("amended") or report.get("new_patient") or report.get("death_recorded")
        ),
    )


def _rows(report: dict[str, object]) -> list[tuple[str, str, int, str]]:
    rows: list[tuple[str, str, int, str]] = []
    for verdict, why in WHY.items():
        counts = report.get(verdict, {})
        if isinstance(counts, dict):
            rows += [(verdict, what, number, why) for what, number in sorted(counts.items())]
    left = report.get("left", [])
    if isinstance(left, list):
        rows += [("left", line["what"], line["number"], line["reason"]) for line in left]
    return rows
