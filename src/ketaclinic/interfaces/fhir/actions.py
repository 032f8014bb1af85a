"""Storing what a bundle brought: one person, all or nothing, once."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from contextvars import copy_context
from datetime import datetime
from threading import Semaphore, Thread
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ketaclinic.audit.actions import write_audit
from ketaclinic.audit.models import Outcome
from ketaclinic.config.wall.standing import within
from ketaclinic.interfaces.fhir.finding import own_system
from ketaclinic.interfaces.fhir.incoming import Incoming, Limits, Unreadable, parse_bundle
from ketaclinic.interfaces.fhir.incoming.document import read_document
from ketaclinic.interfaces.fhir.incoming.values import clean
from ketaclinic.interfaces.fhir.limits import import_limits
from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.interfaces.fhir.outgoing import record_bundle
from ketaclinic.interfaces.fhir.report import ImportReport
from ketaclinic.interfaces.fhir.storing import Storing
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission, check_may
from ketaclinic.people.queries import patient_in
from ketaclinic.screening.actions import assess_again
from ketacore.evidence import Refusal

Progress = Callable[[int, int], None]
logger = logging.getLogger(__name__)


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
            report = Storing(incoming, by=by, at=at).run()
            if report.changed and not report.new_patient:
                assess_again(patient=patient_in(by.clinic, report.patient_id), by=by, at=at)
            return report
    except IntegrityError:
        raise Refusal(
            "The import",
            ["a resource of this bundle is already recorded for another patient of this clinic"],
            "Check whether two people were mixed up in the other system.",
        ) from None


AT_ONCE_BYTES = 1024 * 1024
"""Files up to this size are imported within the request; larger ones beside it, with a progress bar."""
_BESIDE = Semaphore(1)
"""One large file at a time: each takes many times its size of memory while it is read."""
_LAST_MOMENTS_S = 1.0
"""How long a large file waits for the one before, whose result may be on the screen before its memory is free."""
_ONE_AT_A_TIME = "Another large file is being imported at this moment. Wait until it is done, then send this one again."


def begin_import(*, by: Staff, at: datetime, file_name: str, data: bytes) -> FhirImport:
    """Take an uploaded file: a small one is imported now, a large one in the background. The file is not kept."""
    check_may(by, Permission.IMPORT_RECORD)
    started: FhirImport = FhirImport.objects.create(
        clinic=by.clinic, by=by, at=at, file_name=clean(file_name, 120), progress_at=at
    )
    if len(data) <= AT_ONCE_BYTES:
        run_import(started, data)
    else:
        transaction.on_commit(lambda: _begin_beside(started, data))
    return started


def _begin_beside(started: FhirImport, data: bytes) -> None:
    if _BESIDE.acquire(timeout=_LAST_MOMENTS_S):
        request = copy_context()  # the audit entry of the import tells where it came from
        Thread(target=request.run, args=(_run_beside, started, data), daemon=True).start()
    else:
        _refuse(started, _ONE_AT_A_TIME)


def run_import(started: FhirImport, data: bytes) -> None:
    """Import the file of ``started`` and write down how it went, whatever breaks on the way."""

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
        _refuse(started, f"{error}.")
    except Refusal as refusal:
        _refuse(started, f"{'; '.join(refusal.because)}. {refusal.do}")
    except Exception as error:  # noqa: BLE001  whatever breaks, the person who waits is told; nothing was stored
        # The message of an error may quote the record; the places it came through cannot.
        frames = traceback.extract_tb(error.__traceback__)
        where = "".join(f"\n  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
        logger.error("import %s broke: %s%s", started.pk, type(error).__name__, where)
        _refuse(started, "An error on our side. Try once more.", Outcome.FAILED)


@transaction.atomic
def _refuse(started: FhirImport, why: str, outcome: Outcome = Outcome.REFUSED) -> None:
    """Write down why nothing was stored; that somebody tried stands in the audit log."""
    _put_down(started, state=FhirImport.State.REFUSED, refusal=why[:400])
    write_audit("import_record", by=started.by, at=started.at, obj=started, outcome=outcome)


def _run_beside(started: FhirImport, data: bytes) -> None:
    try:
        with within(started.clinic_id):  # a thread of its own begins with nobody
            run_import(started, data)
    finally:
        _BESIDE.release()
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
