"""One import in progress: what is new is added, what changed is amended, what was corrected here stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ketaclinic.audit.actions import write_audit
from ketaclinic.interfaces.fhir.deaths import note_death
from ketaclinic.interfaces.fhir.finding import MODELS, KnownRows, find_or_register
from ketaclinic.interfaces.fhir.incoming import Incoming, IncomingRow, Left
from ketaclinic.interfaces.fhir.incoming.bundle import kinds_left
from ketaclinic.interfaces.fhir.incoming.values import Withdrawn
from ketaclinic.interfaces.fhir.report import ImportReport, LeftLine
from ketaclinic.interfaces.fhir.timing import possible
from ketaclinic.people.models import Staff
from ketaclinic.record.actions import TITLE_LENGTH, chronicle
from ketaclinic.record.models import TimelineEntry
from ketaclinic.screening.models import SourcedRow

TIMELINE_KINDS = {
    "Problem": "problem",
    "Medication": "medication",
    "Allergy": "allergy",
    "VitalSign": "vital",
    "Procedure": "procedure",
}
_WITHDRAWN_STATUS = {"Problem": "refuted", "Medication": "entered-in-error", "Allergy": "refuted"}
_BATCH = 500


class Storing:
    """One import in progress, inside its transaction."""

    def __init__(self, incoming: Incoming, *, by: Staff, at: datetime) -> None:
        self.incoming = incoming
        self.by = by
        self.at = at
        self.patient, new = find_or_register(incoming.patient, by=by, at=at)
        self.report = ImportReport(self.patient.pk, self.patient.record_number, new, incoming.resources)
        self.left = list(incoming.left)
        self.rows = self._possible_rows()
        self.known = KnownRows(self.patient)
        self.source = self.known.source_of(incoming.patient, self.rows)

    def run(self) -> ImportReport:
        """Store everything, tell the timeline and the audit log, and return the report."""
        note_death(self.incoming.patient, self.patient, self.report, source=self.source, by=self.by, at=self.at)
        fresh: list[SourcedRow] = []
        titles: list[str] = []
        for model_name, model in MODELS.items():
            new: list[IncomingRow] = []
            for row in self.rows:
                if row.model == model_name:
                    old = self.known.find(row, self.source)
                    new.append(row) if old is None else self._bring_up_to_date(old, row)
            fresh += self._create(model, new)
            titles += [row.title for row in new]
            for withdrawn in self.incoming.withdrawn:
                self._withdraw(model_name, withdrawn)
        self._tell_timeline(fresh, titles)
        self.report.left = [LeftLine(what, reason, number) for what, reason, number in kinds_left(self.left)]
        if self.report.changed:
            self._tell_import()
        write_audit(
            "import_record", by=self.by, at=self.at, patient_id=self.patient.pk, obj=self.patient, reason=self.source
        )
        return self.report

    def _possible_rows(self) -> list[IncomingRow]:
        kept: list[IncomingRow] = []
        for row in self.incoming.rows:
            taken, told = possible(row, at=self.at, clinic=self.by.clinic)
            if taken is None:
                self.left.append(Left(row.resource_type, told))
                continue
            kept.append(taken)
            if told:
                self.report.notes.append(told)
        return kept

    def _row(self, model: type[SourcedRow], incoming: IncomingRow, source: str, **more: Any) -> SourcedRow:
        return model(
            clinic_id=self.by.clinic_id,
            patient=self.patient,
            at=incoming.when.at(self.by.clinic.zone) if incoming.when else self.at,
            recorded_at=self.at,
            recorded_by=self.by,
            source_system=source,
            source_id=incoming.source_id,
            **incoming.fields,
            **more,
        )

    def _create(self, model: type[SourcedRow], rows: list[IncomingRow]) -> list[SourcedRow]:
        for row in rows:
            self.report.count("taken", row.resource_type)
        return model.objects.bulk_create([self._row(model, row, self.source) for row in rows], batch_size=_BATCH)

    def _bring_up_to_date(self, old: SourcedRow, row: IncomingRow) -> None:
        if old.corrected_here:
            self._keep(old, row)
            return
        if self._same(old, row):
            self.report.count("unchanged", row.resource_type)
            return
        new = self._row(
            type(old), row, old.source_system, amends=old, amendment_reason=f"Changed in {old.source_system}"
        )
        new.save()
        self.report.count("amended", row.resource_type)
        self._tell_amendment(new, old, row.title)

    def _keep(self, old: SourcedRow, row: IncomingRow) -> None:
        """Leave what was corrected here; say so where the source has something new to tell about it."""
        self.report.count("kept", row.resource_type)
        if not self._same(old.as_sent, row) and not _same_values(old, row):
            self.report.notes.append(
                f"{row.title} [{row.source_id}]: kept, corrected here ({old.amendment_reason}); its source has changed "
                "it since. Look whether the correction still holds."
            )

    def _same(self, old: SourcedRow, row: IncomingRow) -> bool:
        moved = old.at > self.at if row.when is None else old.at != row.when.at(self.by.clinic.zone)
        return not moved and _same_values(old, row)

    def _withdraw(self, model_name: str, withdrawn: Withdrawn) -> None:
        old = self.known.find_withdrawn(model_name, withdrawn.source_id, self.source)
        status = _WITHDRAWN_STATUS.get(model_name)
        if old is None or (status is not None and getattr(old, "status", "") == status):
            return
        if status is None or old.corrected_here:
            why = "it was corrected here" if old.corrected_here else "it stands in our record"
            self.report.notes.append(
                f"{withdrawn.source_id}: taken back by its source ({withdrawn.reason}), but {why}; "
                "look at it and correct it by hand."
            )
            return
        reason = f"Taken back by {old.source_system}"
        new = _copy(old, by=self.by, at=self.at, status=status, reason=reason)
        self.report.count("amended", withdrawn.resource_type)
        self._tell_amendment(new, old, f"{old}: {status}")

    def _tell_timeline(self, rows: list[SourcedRow], titles: list[str]) -> None:
        kinds = {MODELS[name]: kind for name, kind in TIMELINE_KINDS.items()}
        TimelineEntry.objects.bulk_create(
            [
                TimelineEntry(
                    clinic_id=self.by.clinic_id,
                    patient=self.patient,
                    at=row.at,
                    recorded_at=self.at,
                    recorded_by=self.by,
                    stage="screening",
                    kind=kinds[type(row)],
                    title=title[:TITLE_LENGTH],
                    detail=f"Imported from {self.source}"[:400],
                    about_type=row._meta.label,
                    about_id=row.pk,
                )
                for row, title in zip(rows, titles, strict=True)
            ],
            batch_size=_BATCH,
        )

    def _tell_amendment(self, new: SourcedRow, old: SourcedRow, title: str) -> None:
        chronicle(
            patient=self.patient,
            by=self.by,
            at=new.at,
            recorded_at=self.at,
            stage="screening",
            kind=TIMELINE_KINDS[type(new).__name__],
            title=title,
            detail=new.amendment_reason,
            about=new,
            amends=old,
        )

    def _tell_import(self) -> None:
        taken, amended = sum(self.report.taken.values()), sum(self.report.amended.values())
        chronicle(
            patient=self.patient,
            by=self.by,
            at=self.at,
            recorded_at=self.at,
            stage="screening",
            kind="import",
            title=f"Record imported: {taken} taken, {amended} amended",
            detail=f"From {self.source}; {sum(line.number for line in self.report.left)} left",
        )


def _same_values(old: SourcedRow, row: IncomingRow) -> bool:
    return all(getattr(old, name) == value for name, value in row.fields.items())


def _copy(old: SourcedRow, *, by: Staff, at: datetime, status: str, reason: str) -> SourcedRow:
    own = ("id", "recorded_at", "recorded_by", "amends", "amendment_reason", "status")
    values = {f.attname: getattr(old, f.attname) for f in old._meta.concrete_fields if f.name not in own}
    model: Any = type(old)
    new: SourcedRow = model(
        **values, status=status, recorded_at=at, recorded_by=by, amends=old, amendment_reason=reason
    )
    new.save()
    return new
