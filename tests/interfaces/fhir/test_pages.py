"""Import by upload with its progress and result; export from the page."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ketaclinic.audit.models import AuditEntry
from ketaclinic.interfaces.fhir import actions
from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.screening.actions import refute_problem
from ketaclinic.screening.models import Problem
from tests.interfaces.fhir.bundles import ALL, ALLERGY, CONDITION, PATIENT, as_bytes, bundle, changed
from tests.support.people import NOON, make_clinic, make_patient, make_staff


def upload(client: Client, data: bytes, name: str = "record.json") -> HttpResponse:
    return client.post(reverse("fhir:import"), {"file": SimpleUploadedFile(name, data)}, follow=True)


def test_a_small_file_is_imported_at_once(as_prescriber: Client) -> None:
    page = upload(as_prescriber, as_bytes(bundle(*ALL))).content.decode()
    assert "Zeisina Zeisigvogel" in page and "Condition" in page and Problem.objects.count() == 1
    assert "hx-get" not in page
    assert "Nothing changed" in upload(as_prescriber, as_bytes(bundle(*ALL))).content.decode()
    assert "record.json" in as_prescriber.get(reverse("fhir:import")).content.decode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"{", "not valid JSON"),
        (as_bytes(bundle(changed(CONDITION, subject={"reference": "Patient/x"}))), "somebody else"),
    ],
)
def test_a_bad_file_is_refused_in_words(as_prescriber: Client, data: bytes, says: str) -> None:
    page = upload(as_prescriber, data).content.decode()
    assert says in page and "Not imported" in page
    assert not Patient.objects.exists()
    assert _tried() == [(str(FhirImport.objects.get().pk), "refused")]


def _tried() -> list[tuple[str, str]]:
    """Return the imports that the audit log tells of, and what came of them."""
    return list(AuditEntry.objects.filter(action="import_record").values_list("object_id", "outcome"))


def test_a_refusal_and_its_audit_entry_are_there_together_or_not_at_all(
    as_prescriber: Client, prescriber: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = FhirImport.objects.create(clinic=prescriber.clinic, by=prescriber, at=NOON, progress_at=NOON)

    def no_log(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no log, no write")

    monkeypatch.setattr(actions, "write_audit", no_log)
    with pytest.raises(RuntimeError):
        actions.run_import(started, b"{")
    started.refresh_from_db()
    assert started.state == FhirImport.State.READING


def test_a_large_file_beside_another_is_refused_in_the_log_too(
    as_prescriber: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    monkeypatch.setattr(actions, "AT_ONCE_BYTES", 10)
    assert actions._BESIDE.acquire(blocking=False)
    try:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            upload(as_prescriber, as_bytes(bundle(*ALL)))
    finally:
        actions._BESIDE.release()
    assert FhirImport.objects.get().refusal == actions._ONE_AT_A_TIME
    assert [outcome for _, outcome in _tried()] == ["refused"]


def test_a_refusal_of_the_record_is_shown(as_prescriber: Client) -> None:
    upload(as_prescriber, as_bytes(bundle()))
    other = bundle()
    other["entry"][0]["resource"] = {**other["entry"][0]["resource"], "birthDate": "1990-01-01"}
    assert "born on another day" in upload(as_prescriber, as_bytes(other)).content.decode()


def test_hostile_words_are_shown_as_words(as_prescriber: Client) -> None:
    hostile = bundle(changed(CONDITION, code={"text": "<script>alert(1)</script>"}), {"resourceType": "Alert"})
    page = upload(as_prescriber, as_bytes(hostile), "<img src=x>.json").content.decode()
    assert "<script>alert" not in page and "<img src" not in page


def test_a_file_over_the_limit_is_refused_by_the_form(as_prescriber: Client, settings: object) -> None:
    settings.IMPORT_MAX_BYTES = 10  # type: ignore[attr-defined]
    reply = as_prescriber.post(reverse("fhir:import"), {"file": SimpleUploadedFile("a.json", b"x" * 11)})
    assert reply.status_code == 422 and "larger than the limit" in reply.content.decode()
    assert not FhirImport.objects.exists()


def test_a_large_file_shows_its_progress(
    as_prescriber: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    monkeypatch.setattr(actions, "AT_ONCE_BYTES", 10)
    begun: list[tuple[FhirImport, bytes]] = []

    class Beside:
        def __init__(self, target: object, args: tuple[object, FhirImport, bytes], daemon: bool) -> None:
            begun.append(args[1:])

        def start(self) -> None:
            pass

    monkeypatch.setattr(actions, "Thread", Beside)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        page = upload(as_prescriber, as_bytes(bundle(*ALL))).content.decode()
    assert "<progress" in page and 'hx-trigger="every 1s"' in page
    ((started, data),) = begun
    actions.run_import(started, data)
    part = as_prescriber.get(reverse("fhir:import_result", args=[started.pk]), headers={"HX-Request": "true"})
    assert "Stored in the record of" in part.content.decode() and "<html" not in part.content.decode()


def test_an_import_that_fell_silent_is_called_interrupted(as_prescriber: Client, prescriber: Staff) -> None:
    lost = FhirImport.objects.create(
        clinic=prescriber.clinic, by=prescriber, at=NOON, file_name="x", progress_at=NOON - timedelta(days=900)
    )
    assert "restarted" in as_prescriber.get(reverse("fhir:import_result", args=[lost.pk])).content.decode()


def test_an_error_of_ours_is_told_and_stores_nothing(
    as_prescriber: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("Zeisina Zeisigvogel")

    monkeypatch.setattr(actions, "store_incoming", broken)
    assert "An error on our side" in upload(as_prescriber, as_bytes(bundle(*ALL))).content.decode()
    assert [outcome for _, outcome in _tried()] == ["failed"]
    assert "Zeisi" not in caplog.text and not Patient.objects.exists()
    assert "RuntimeError" in caplog.text and "in run_import" in caplog.text and "in broken" in caplog.text


def test_what_was_corrected_here_and_what_lies_ahead_is_told_on_the_page(
    as_prescriber: Client, prescriber: Staff
) -> None:
    upload(as_prescriber, as_bytes(bundle(CONDITION)))
    refute_problem(problem=Problem.objects.get(), by=prescriber, at=NOON, reason="Migraine.")
    ahead = changed(ALLERGY, recordedDate="2062-01-01")
    page = upload(as_prescriber, as_bytes(bundle(CONDITION, ahead))).content.decode()
    assert "kept" in page and "corrected here" in page
    assert "its date (1 Jan 2062) lies after this import" in page


def test_a_death_alone_is_a_change(as_prescriber: Client) -> None:
    upload(as_prescriber, as_bytes(bundle()))
    died = bundle(patient=changed(PATIENT, deceasedDateTime="2025-01-01"))
    assert "Stored in the record of" in upload(as_prescriber, as_bytes(died)).content.decode()
    assert "Nothing changed" in upload(as_prescriber, as_bytes(died)).content.decode()


def test_the_thread_of_a_large_file_closes_its_connection(
    as_prescriber: Client, prescriber: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(actions.connection, "close", lambda: closed.append(True))
    started = FhirImport.objects.create(clinic=prescriber.clinic, by=prescriber, at=NOON, progress_at=NOON)
    actions._run_beside(started, as_bytes(bundle(*ALL)))
    assert closed == [True] and started.state == FhirImport.State.DONE


def test_another_clinic_sees_neither_import_nor_export(as_prescriber: Client, prescriber: Staff) -> None:
    upload(as_prescriber, as_bytes(bundle(*ALL)))
    stranger = Client()
    stranger.force_login(make_staff(make_clinic(name="Other"), Role.PRESCRIBER).user)
    started, patient = FhirImport.objects.get(), Patient.objects.get()
    assert stranger.get(reverse("fhir:import_result", args=[started.pk])).status_code == 404
    assert stranger.get(reverse("fhir:export", args=[patient.pk])).status_code == 404
    assert stranger.post(reverse("fhir:export_bundle", args=[patient.pk])).status_code == 404
    assert as_prescriber.get(reverse("fhir:export_bundle", args=[patient.pk])).status_code == 405


def test_export_from_the_page(as_prescriber: Client, prescriber: Staff) -> None:
    patient = make_patient(prescriber.clinic)
    assert "Export" in as_prescriber.get(reverse("fhir:export", args=[patient.pk])).content.decode()
    reply = as_prescriber.post(reverse("fhir:export_bundle", args=[patient.pk]))
    assert json.loads(reply.content)["resourceType"] == "Bundle"
    assert patient.family_name not in reply["Content-Disposition"] and reply["Cache-Control"] == "no-store"
