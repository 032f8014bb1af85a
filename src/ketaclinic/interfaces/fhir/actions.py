"""Storing what a bundle brought: one person, all or nothing, once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Thread
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ketaclinic.audit.actions import write_audit
from ketaclinic.interfaces.fhir.incoming import Incoming, IncomingPatient, IncomingRow, Limits, Unreadable, parse_bundle
from ketaclinic.interfaces.fhir.incoming.bundle import kinds_left
from ketaclinic.interfaces.fhir.incoming.document import read_document
from ketaclinic.interfaces.fhir.incoming.values import clean
from ketaclinic.interfaces.fhir.limits import import_limits
from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.interfaces.fhir.outgoing import record_bundle
from ketaclinic.interfaces.fhir.report import ImportReport, LeftLine
from ketaclinic.people.actions import register_patient
from ketaclinic.people.models import Patient, PatientIdentifier, Staff
from ketaclinic.people.permissions import Permission, check_may
from ketaclinic.record.actions import TITLE_LENGTH, chronicle
from ketaclinic.record.models import TimelineEntry
from ketaclinic.screening.models import Allergy, Medication, Problem, Procedure, SourcedRow, VitalSign
from ketacore.evidence import Refusal

Progress = Callable[[int, int], None]
logger = logging.getLogger(__name__)

MODELS: dict[str, type[SourcedRow]] = {
    "Problem": Problem,
    "Medication": Medication,
    "Allergy": Allergy,
    "VitalSign": VitalSign,
    "Procedure": Procedure,
}
TIMELINE_KINDS = {
    "Problem": "problem",
    "Medication": "medication",
    "Allergy": "allergy",
    "VitalSign": "vital",
    "Procedure": "procedure",
}
_WITHDRAWN_STATUS = {"Problem": "refuted", "Medication": "entered-in-error", "Allergy": "refuted"}
_BATCH = 500


def import_bundle(
    data: bytes, *, by: Staff, at: datetime, limits: Limits | None = None, progress: Progress | None = None
) -> ImportReport:
    """Read a bundle and store it; raises ``Unreadable`` or ``Refusal`` with nothing stored."""
    check_may(by, Permission.IMPORT_RECORD)
    limits = limits or Limits()
    return store_incoming(parse_bundle(read_document(data, limits), limits, progress), by=by, at=at)


def store_incoming(incoming: Incoming, *, by: Staff, at: datetime) -> ImportReport:
    """Store a parsed bundle in the clinic of ``by``; raises ``Refusal`` with nothing stored."""
    check_may(by, Permission.IMPORT_RECORD)
    try:
        with transaction.atomic():
            return _Storing(incoming, by=by, at=at).run()
    except IntegrityError:
        raise Refusal(
            "The import",
            ["a resource of this bundle is already recorded for another patient of this clinic"],
            "Check whether two people were mixed up in the other system.",
        ) from None


class _Storing:
    """One import in progress, inside its transaction."""

    def __init__(self, incoming: Incoming, *, by: Staff, at: datetime) -> None:
        self.incoming = incoming
        self.by = by
        self.at = at
        self.source = incoming.patient.source
        self.patient, new = find_or_register(incoming.patient, by=by, at=at)
        self.report = ImportReport(self.patient.pk, self.patient.record_number, new, incoming.resources)

    def run(self) -> ImportReport:
        """Store everything, tell the timeline and the audit log, and return the report."""
        self._note_death()
        fresh: list[SourcedRow] = []
        titles: list[str] = []
        for model_name, model in MODELS.items():
            rows = [row for row in self.incoming.rows if row.model == model_name]
            known = self._known(model)
            new = [row for row in rows if row.source_id not in known]
            fresh += self._create(model, new)
            titles += [row.title for row in new]
            self._amend_changed((row for row in rows if row.source_id in known), known)
            self._withdraw(model_name, known)
        self._tell_timeline(fresh, titles)
        self.report.left = [LeftLine(what, reason, number) for what, reason, number in kinds_left(self.incoming.left)]
        if self.report.changed:
            self._tell_import()
        write_audit(
            "import_record", by=self.by, at=self.at, patient_id=self.patient.pk, obj=self.patient, reason=self.source
        )
        return self.report

    def _known(self, model: type[SourcedRow]) -> dict[str, SourcedRow]:
        rows = model.objects.of(self.by.clinic).current().filter(patient=self.patient, source_system=self.source)
        return {row.source_id: row for row in rows}

    def _row(self, model: type[SourcedRow], incoming: IncomingRow, **more: Any) -> SourcedRow:
        return model(
            clinic_id=self.by.clinic_id,
            patient=self.patient,
            at=incoming.when.at(self.by.clinic.zone) if incoming.when else self.at,
            recorded_at=self.at,
            recorded_by=self.by,
            source_system=self.source,
            source_id=incoming.source_id,
            **incoming.fields,
            **more,
        )

    def _create(self, model: type[SourcedRow], rows: list[IncomingRow]) -> list[SourcedRow]:
        for row in rows:
            self.report.count("taken", row.resource_type)
        return model.objects.bulk_create([self._row(model, row) for row in rows], batch_size=_BATCH)

    def _amend_changed(self, rows: Iterable[IncomingRow], known: dict[str, SourcedRow]) -> None:
        for row in rows:
            old = known[row.source_id]
            if _same(old, row, self.by):
                self.report.count("unchanged", row.resource_type)
                continue
            new = self._row(type(old), row, amends=old, amendment_reason=f"Changed in {self.source}")
            new.save()
            self.report.count("amended", row.resource_type)
            self._tell_amendment(new, old, row.title)

    def _withdraw(self, model_name: str, known: dict[str, SourcedRow]) -> None:
        for withdrawn in self.incoming.withdrawn:
            old = known.get(withdrawn.source_id)
            if old is None or type(old) is not MODELS[model_name]:
                continue
            status = _WITHDRAWN_STATUS.get(model_name)
            if status is None:
                self.report.notes.append(
                    f"{withdrawn.source_id}: taken back by its source ({withdrawn.reason}), but it stands in our "
                    "record; correct it by hand."
                )
            elif getattr(old, "status", "") != status:
                new = _copy(old, by=self.by, at=self.at, status=status, reason=f"Taken back by {self.source}")
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

    def _note_death(self) -> None:
        told = self.incoming.patient
        if not told.deceased:
            return
        self.report.notes.append("The other system reports this person as deceased: not a candidate.")
        if told.deceased_on is None:
            self.report.notes.append("No day of death was given; the day of the import stands in for it.")
        if self.patient.deceased_on is not None:
            return
        self.patient.deceased_on = told.deceased_on or self.by.clinic.day_of(self.at)
        self.patient.save(update_fields=["deceased_on"])
        write_audit("record_death", by=self.by, at=self.at, patient_id=self.patient.pk, obj=self.patient)


def find_or_register(told: IncomingPatient, *, by: Staff, at: datetime) -> tuple[Patient, bool]:
    """Return the clinic's patient with one of these identifiers, or a new one; raises ``Refusal`` on doubt."""
    if any(system == own_system(by.clinic.pk) for system, _ in told.identifiers):
        raise Refusal("The import", ["this record was exported by this very clinic"], "It is here already.")
    owners: dict[int, Patient] = {}
    missing: list[tuple[str, str]] = []
    for system, value in told.identifiers:
        found = (
            PatientIdentifier.objects.of(by.clinic).filter(system=system, value=value).select_related("patient").first()
        )
        if found is None:
            missing.append((system, value))
        else:
            owners[found.patient_id] = found.patient
    if not owners:
        return _register(told, by=by, at=at), True
    if len(owners) > 1:
        raise _doubt("its identifiers belong to two different patients of this clinic")
    (patient,) = owners.values()
    if patient.birth_date != told.birth_date:
        raise _doubt("the patient with this identifier was born on another day")
    PatientIdentifier.objects.bulk_create(
        PatientIdentifier(clinic=by.clinic, patient=patient, system=system, value=value) for system, value in missing
    )
    return patient, False


def own_system(clinic_id: int) -> str:
    """Return the identifier system of a clinic's own record numbers, as its exports carry it."""
    return f"urn:ketaclinic:clinic-{clinic_id}:record-number"


def _register(told: IncomingPatient, *, by: Staff, at: datetime) -> Patient:
    if told.birth_date > by.clinic.day_of(at):
        raise _doubt("the birth date lies in the future")
    return register_patient(
        by=by,
        at=at,
        given_name=told.given_name,
        family_name=told.family_name,
        birth_date=told.birth_date,
        sex=told.sex,
        phone=told.phone,
        email=told.email,
        language=told.language,
        identifiers=told.identifiers,
        synthetic=told.synthetic,
    )


def _doubt(why: str) -> Refusal:
    return Refusal("The import", [why], "Check in the other system whether this is the right person.")


def _same(old: SourcedRow, row: IncomingRow, by: Staff) -> bool:
    moved = row.when is not None and old.at != row.when.at(by.clinic.zone)
    return not moved and all(getattr(old, name) == value for name, value in row.fields.items())


def _copy(old: SourcedRow, *, by: Staff, at: datetime, status: str, reason: str) -> SourcedRow:
    own = ("id", "recorded_at", "recorded_by", "amends", "amendment_reason", "status")
    values = {f.attname: getattr(old, f.attname) for f in old._meta.concrete_fields if f.name not in own}
    model: Any = type(old)
    new: SourcedRow = model(
        **values, status=status, recorded_at=at, recorded_by=by, amends=old, amendment_reason=reason
    )
    new.save()
    return new


AT_ONCE_BYTES = 1024 * 1024
"""Files up to this size are imported within the request; larger ones beside it, with a progress bar."""


def begin_import(*, by: Staff, at: datetime, file_name: str, data: bytes) -> FhirImport:
    """Take an uploaded file: a small one is imported now, a large one in the background. The file is not kept."""
    check_may(by, Permission.IMPORT_RECORD)
    started: FhirImport = FhirImport.objects.create(
        clinic=by.clinic, by=by, at=at, file_name=clean(file_name, 120), progress_at=at
    )
    if len(data) <= AT_ONCE_BYTES:
        run_import(started, data)
    else:
        transaction.on_commit(lambda: Thread(target=_run_beside, args=(started, data), daemon=True).start())
    return started


def run_import(started: FhirImport, data: bytes) -> None:
    """Import the file of ``started`` and write down how it went; never raises."""

    def progress(done: int, of: int) -> None:
        _put_down(started, done=done, total=of)

    limits = import_limits()
    try:
        incoming = parse_bundle(read_document(data, limits), limits, progress)
        _put_down(started, state=FhirImport.State.STORING, done=incoming.resources, total=incoming.resources)
        with transaction.atomic():
            report = store_incoming(incoming, by=started.by, at=started.at)
            _put_down(started, state=FhirImport.State.DONE, patient_id=report.patient_id, report=report.as_json())
    except Unreadable as error:
        _put_down(started, state=FhirImport.State.REFUSED, refusal=f"{error}."[:400])
    except Refusal as refusal:
        told = f"{'; '.join(refusal.because)}. {refusal.do}"
        _put_down(started, state=FhirImport.State.REFUSED, refusal=told[:400])
    except Exception as error:  # noqa: BLE001  whatever breaks, the person who waits is told; nothing was stored
        logger.error("import %s broke: %s", started.pk, type(error).__name__)
        _put_down(started, state=FhirImport.State.REFUSED, refusal="An error on our side. Try once more.")


def _run_beside(started: FhirImport, data: bytes) -> None:
    try:
        run_import(started, data)
    finally:
        connection.close()


def _put_down(started: FhirImport, **values: Any) -> None:
    values["progress_at"] = timezone.now()
    for name, value in values.items():
        setattr(started, name, value)
    started.save(update_fields=[name.removesuffix("_id") for name in values])


def export_patient(*, patient: Patient, by: Staff, at: datetime) -> dict[str, Any]:
    """Return the whole record of a patient as a FHIR R4 bundle; the export stands in the audit log."""
    check_may(by, Permission.EXPORT_RECORD)
    if patient.clinic_id != by.clinic_id:
        raise Refusal("The export", ["this patient belongs to another clinic"], "Ask that clinic.")
    with transaction.atomic():
        bundle = record_bundle(patient, system=own_system(patient.clinic_id), at=at)
        write_audit("export_record", by=by, at=at, patient_id=patient.pk, obj=patient)
    return bundle
