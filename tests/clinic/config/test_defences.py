"""The server as somebody outside meets it: what it says of itself, what it gives away, what it refuses."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, override_settings

from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.people.models import Clinic, Patient, Staff, User
from ketaclinic.people.permissions import Role
from tests.support.people import make_staff

SECRET = "Wendeline Oosterhout-Quist"
"""A made-up name that may not appear in an error."""


@pytest.mark.django_db
def test_a_fresh_server_has_no_account() -> None:
    assert not User.objects.exists() and not Staff.objects.exists() and not Clinic.objects.exists()


@pytest.mark.django_db
def test_a_commit_is_synced_before_it_is_acknowledged() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert "journal_mode=WAL" in settings.DATABASES["default"]["OPTIONS"]["init_command"]
        assert settings.DATABASES["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    else:
        with connection.cursor() as cursor:
            cursor.execute("select boot_val from pg_settings where name in ('fsync', 'synchronous_commit')")
            assert {row[0] for row in cursor.fetchall()} == {"on"}, "what PostgreSQL does unless somebody turns it off"
        assert "synchronous_commit" not in str(settings.DATABASES["default"].get("OPTIONS", {}))


@pytest.mark.parametrize("switch", ["DEBUG", "DJANGO_DEBUG", "KETACLINIC_DEBUG"])
def test_debug_cannot_be_switched_on(switch: str) -> None:
    program = "from django.conf import settings; print(settings.DEBUG)"
    environment = {
        "DJANGO_SETTINGS_MODULE": "ketaclinic.config.settings",
        "KETACLINIC_SECRET_KEY": "x" * 50,
        switch: "1",
    }
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.django_db
def test_an_error_says_nothing_of_the_inside(
    as_nurse: Client, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError(f"select * from people_patient where name = '{SECRET}'")

    monkeypatch.setattr("ketaclinic.people.queries.patient_in", broken)
    as_nurse.raise_request_exception = False
    reply = as_nurse.get(f"/patients/{patient.pk}/details/")
    told = reply.content.decode()
    assert reply.status_code == 500 and "Something went wrong here" in told
    assert not [word for word in (SECRET, "RuntimeError", "Traceback", "select", "people_patient") if word in told]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "/.git/config",
        "/.git/HEAD",
        "/.svn/entries",
        "/pyproject.toml",
        "/src/",
        "/static/",
        "/static/design/",
        "/static/../pyproject.toml",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/var/secret-key",
        "/secret-key",
        "/admin/",
        "/media/",
    ],
)
def test_neither_source_nor_folders_can_be_reached(address: str) -> None:
    reply = Client().get(address)
    assert reply.status_code == 404
    assert b"[build-system]" not in reply.content and b"repositoryformatversion" not in reply.content


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "PUT", "PATCH", "DELETE", "PROPFIND", "CONNECT"])
def test_trace_is_refused(as_nurse: Client, method: str) -> None:
    for address in ("/", "/patients/", "/sign-in/"):
        reply = as_nurse.generic(method, address, headers={"x-mark": SECRET})
        assert reply.status_code == 405 and SECRET not in reply.content.decode()


@pytest.mark.django_db
def test_every_kind_of_answer_names_its_type(as_nurse: Client, patient: Patient) -> None:
    html, text = "text/html; charset=utf-8", "text/plain; charset=utf-8"
    wanted = {
        "/": html,
        f"/patients/{patient.pk}/details/": html,
        "/nowhere/": html,
        "/static/design/base.css": 'text/css; charset="utf-8"',
        "/static/design/page.js": 'text/javascript; charset="utf-8"',
        "/static/design/mark.svg": "image/svg+xml",
        "/.well-known/security.txt": text,
    }
    assert {address: as_nurse.get(address)["Content-Type"] for address in wanted} == wanted


@pytest.mark.django_db
def test_no_page_is_kept_by_the_server() -> None:
    kept = [name for name in settings.MIDDLEWARE if "cache" in name.lower()]
    assert kept == [] and "cached_db" not in settings.SESSION_ENGINE and "cache" not in settings.SESSION_ENGINE


@pytest.mark.django_db
def test_a_field_sent_twice_is_one_value(as_prescriber: Client, clinic: Clinic) -> None:
    fields = {"given_name": "Anna", "birth_date": "1980-02-03", "sex": "female", "language": "en"}
    body = "&".join([*(f"{k}={v}" for k, v in fields.items()), "family_name=First", "family_name=Second"])
    reply = as_prescriber.post(
        "/patients/new/?family_name=Third", body, content_type="application/x-www-form-urlencoded"
    )
    assert reply.status_code == 302
    assert [patient.family_name for patient in Patient.objects.filter(clinic=clinic)] == ["Second"]


def test_the_log_is_written_in_utc() -> None:
    entry = logging.LogRecord("x", logging.WARNING, __file__, 1, "x", (), None)
    written = logging.Formatter().formatTime(entry)
    moment = datetime.strptime(written.split(",")[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert abs(moment.timestamp() - entry.created) < 2
    assert time.tzname[0] == "UTC" and settings.TIME_ZONE == "UTC" and settings.USE_TZ


@pytest.mark.django_db
def test_a_line_break_in_an_address_makes_no_second_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="django.request"):
        Client().get("/nowhere%0a2026-11-23 ERROR root somebody signed in%0d%0a/")
    assert caplog.records
    assert [record for record in caplog.records if "\n" in record.getMessage() or "\r" in record.getMessage()] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["../../../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "a\x00b.json", "C:x.json"]
)
def test_the_name_of_an_upload_is_never_a_path(clinic: Clinic, name: str, tmp_path: Path) -> None:
    browser = Client()
    browser.force_login(make_staff(clinic, Role.PRESCRIBER).user)
    before = sorted(Path(settings.DATA).rglob("*")) if Path(settings.DATA).exists() else []
    file = SimpleUploadedFile("x.json", b'{"resourceType": "Bundle", "type": "collection", "entry": []}')
    file.name, file._name = name, name  # type: ignore[attr-defined]  # the client itself would clean it
    reply = browser.post("/fhir/import/", {"file": file})
    assert reply.status_code in (302, 422)
    kept = FhirImport.objects.filter(clinic=clinic).values_list("file_name", flat=True)
    assert [n for n in kept if "/" in n or "\\" in n or "\x00" in n] == []
    after = sorted(Path(settings.DATA).rglob("*")) if Path(settings.DATA).exists() else []
    assert after == before


@pytest.mark.django_db
@override_settings(ALLOWED_HOSTS=["clinic.example"])
def test_a_host_that_is_not_ours_is_refused() -> None:
    assert Client().get("/sign-in/", headers={"host": "evil.example"}).status_code == 400
    assert Client().get("/sign-in/", headers={"host": "clinic.example"}).status_code == 200
