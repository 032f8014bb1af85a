"""The sheets for a downtime: on the disk, whole, not too old, and saying what a nurse needs without a server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from datetime import datetime, timedelta
from datetime import time as dt_time
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection
from django.db.utils import InternalError
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from benchmarks.server import serving
from ketaclinic.cli.main import run
from ketaclinic.continuity.actions import sheets
from ketaclinic.continuity.actions.sheets import BLANK, as_pdf, blank_form, only_read, write_sheets
from ketaclinic.continuity.presenters.sheets import blank_heading
from ketaclinic.continuity.queries.status import sheet_status
from ketaclinic.people.models import Caregiver, Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.planning.actions import book_session
from ketaclinic.screening.models import Allergy
from ketaclinic.treatment import actions
from ketaclinic.treatment.models import Session
from tests.clinic.continuity.conftest import ketaclinic
from tests.clinic.treatment.whole import (
    OPENED,
    TODAY,
    checked,
    dosed,
    minute,
    opened,
    ready_plan,
    sign_everything,
)
from tests.support import clock
from tests.support.people import make_clinic, make_patient, make_staff

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(params=["esketamine-nasal", "ketamine-iv"])
def session(request: pytest.FixtureRequest, patient: Patient, prescriber: Staff, nurse: Staff) -> Session:
    sign_everything(prescriber)
    return opened(ready_plan(patient, prescriber, request.param), nurse, chair=3)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.DOWNTIME = tmp_path / "downtime"
    return tmp_path / "downtime"


def text_of(pdf: bytes | Path) -> str:
    reader = PdfReader(BytesIO(pdf) if isinstance(pdf, bytes) else pdf)
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def _sheet(session: Session, folder: Path, at: datetime) -> str:
    write_sheets(folder=folder, at=at)
    return text_of(folder / f"clinic-{session.clinic_id}" / f"chair-3-session-{session.pk}.pdf")


def test_a_running_session_on_paper(session: Session, nurse: Staff, folder: Path) -> None:
    row = {"clinic": session.clinic, "patient": session.patient, "at": OPENED, "recorded_at": OPENED}
    Allergy.objects.create(**row, recorded_by=nurse, code_system="x", code="x", display="Latex", status="active")
    Caregiver.objects.create(
        clinic=session.clinic, patient=session.patient, name="Synthetic Carer", phone="+1 555 0142"
    )
    before = _sheet(session, folder, minute(-28))
    assert "Still open before the first dose" in before and "Nothing yet." in before
    checked(session, nurse)
    dosed(session, nurse)
    said = _sheet(session, folder, minute(47))
    who = session.patient
    assert f"Chair 3: {who}" in said and "14 Mar 1984" in said and who.record_number in said
    assert "128/80" in said and "Latex" in said and "+1 555 0142" in said and "On call: +1 555 0100" in said
    assert "as known on Tuesday 24 November 2026, 10:17" in said
    assert "Still open before the patient may leave" in said and "Due" in said and "SYNTHETIC" in said
    if session.product == "esketamine-nasal":
        assert said.count("56 mg") == 2 and "device 2 at 9:35, lot SYN-1" in said
    else:
        assert "9:30 to 9:40 at" in said and "weight used 81 kg" in said and "Dizziness" in said


def test_the_sheet_of_a_session_that_is_over_is_gone(session: Session, nurse: Staff, folder: Path) -> None:
    checked(session, nurse)
    dosed(session, nurse)
    mine = folder / f"clinic-{session.clinic_id}"
    write_sheets(folder=folder, at=minute(50))
    (mine / ".left.pdf.part").write_text("of a round that was killed")
    assert (mine / f"chair-3-session-{session.pk}.pdf").exists()
    actions.stop_session(session=session, outcome="emergency_transfer", reason="Synthetic.", by=nurse, at=minute(60))
    write_sheets(folder=folder, at=minute(61))
    assert sorted(p.name for p in mine.iterdir()) == [*(f"{b}.pdf" for b in sorted(BLANK)), "index.html", "lists.pdf"]


def test_the_lists_name_who_is_still_to_come(session: Session, prescriber: Staff, nurse: Staff, folder: Path) -> None:
    mine = folder / f"clinic-{session.clinic_id}" / "lists.pdf"
    write_sheets(folder=folder, at=minute(0))
    said = text_of(mine)
    assert "Nobody else is booked today." in said and "Tomorrow, Wednesday 25 November" in said
    assert "Nobody is booked." in said
    other = make_patient(session.clinic, family_name="Later", phone="+1 555 0177")
    plan = ready_plan(other, prescriber, session.product)
    for day in (TODAY, TODAY + timedelta(days=3)):
        book_session(plan=plan, starts_at=datetime.combine(day, dt_time(11), NEW_YORK), by=prescriber, at=OPENED)
    write_sheets(folder=folder, at=minute(0))
    said = text_of(mine)
    assert said.count(f"{other.given_name} Later") == 2 and "+1 555 0177" in said and "11:00" in said
    assert "Next day with bookings, Friday 27 November 2026" in said
    assert ("56 mg" if session.product == "esketamine-nasal" else "40.5 mg IV") in said


def test_files_are_private_and_name_nobody(session: Session, folder: Path) -> None:
    write_sheets(folder=folder, at=minute(0))
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert files and [p for p in files if p.stat().st_mode & 0o077] == []
    names = " ".join(p.name for p in files) + (folder / f"clinic-{session.clinic_id}" / "index.html").read_text()
    assert session.patient.family_name not in names and session.patient.record_number not in names


def test_each_clinic_has_its_own_folder(session: Session, folder: Path) -> None:
    other = make_clinic(name="Another Synthetic Clinic")
    write_sheets(folder=folder, at=minute(0))
    assert not list((folder / f"clinic-{other.pk}").glob("chair-*"))
    assert len(list((folder / f"clinic-{session.clinic_id}").glob("chair-*"))) == 1


def test_one_sheet_that_fails_keeps_the_others_fresh(
    session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch, as_nurse: Client
) -> None:
    write_sheets(folder=folder, at=minute(0))
    real = as_pdf

    def broken(layout: str, content: object) -> bytes:
        if layout == "session":
            raise RuntimeError("no fonts")
        return real(layout, content)

    monkeypatch.setattr(sheets, "as_pdf", broken)
    (written,) = write_sheets(folder=folder, at=minute(1))
    name = f"chair-3-session-{session.pk}.pdf"
    assert written.failed == (name,) and (folder / f"clinic-{session.clinic_id}" / name).exists()
    clock.install(monkeypatch, minute(1))
    assert "1 could not be written" in as_nurse.get(reverse("continuity:downtime")).content.decode()


def test_a_session_that_cannot_be_put_on_paper_stops_no_other(
    session: Session, prescriber: Staff, nurse: Staff, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = opened(ready_plan(make_patient(session.clinic), prescriber, session.product), nurse, chair=4)
    real = sheets.allergies

    def broken(patient: Patient) -> object:
        if patient == session.patient:
            raise ValueError("an entry that nobody expected")
        return real(patient)

    monkeypatch.setattr(sheets, "allergies", broken)
    (written,) = write_sheets(folder=folder, at=minute(1))
    assert written.failed == (f"chair-3-session-{session.pk}.pdf",)
    assert f"chair-4-session-{other.pk}.pdf" in written.files and len(written.files) == 2 + len(BLANK)


def test_a_clinic_whose_sheets_fail_stops_no_other_clinic(
    session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sheets(folder=folder, at=minute(0))
    before = sorted(p.name for p in (folder / f"clinic-{session.clinic_id}").iterdir())
    other = make_clinic(name="Another Synthetic Clinic")
    real = sheets.running_sessions

    def broken(clinic: Clinic, at: datetime) -> object:
        if clinic == session.clinic:
            raise ValueError("an entry that nobody expected")
        return real(clinic, at)

    monkeypatch.setattr(sheets, "running_sessions", broken)
    write_sheets(folder=folder, at=minute(1))
    mine, theirs = sheet_status(folder, session.clinic_id), sheet_status(folder, other.pk)
    assert mine.at == theirs.at == minute(1) and mine.stale(minute(1)) and not theirs.stale(minute(1))
    assert sorted(p.name for p in (folder / f"clinic-{session.clinic_id}").iterdir()) == before


def test_markup_in_a_name_stays_letters(clinic: Clinic) -> None:
    clinic.name = '#panic("x") $ \\ <b> [oops]'
    assert '#panic("x")' in text_of(blank_form("blank-vitals", blank_heading(clinic)))


@pytest.mark.parametrize("form", BLANK)
def test_empty_forms(form: str, as_nurse: Client) -> None:
    answer = as_nurse.get(reverse("continuity:blank", args=[form]))
    reader = PdfReader(BytesIO(answer.content))
    assert answer["Content-Type"] == "application/pdf" and len(reader.pages) >= len(BLANK[form])
    assert "Synthetic Clinic" in reader.pages[0].extract_text()
    assert as_nurse.get(reverse("continuity:blank", args=["no-such"])).status_code == 404


def test_the_vitals_form_lasts_eight_hours_and_the_pack_asks_every_question(clinic: Clinic) -> None:
    said = text_of(blank_form("blank-pack", blank_heading(clinic), "ketamine-iv"))
    assert "Walks steadily?" in said and "REMS" not in said
    both = text_of(blank_form("blank-dosing", blank_heading(clinic)))
    assert "Walks steadily? (IV only)" in both and "REMS enrolment looked up today" in both


AGAIN = {"sqlite": "PRAGMA query_only = OFF", "postgresql": "SET default_transaction_read_only = off"}


@pytest.mark.django_db(transaction=True)
def test_the_writer_cannot_write_to_the_record(patient: Patient) -> None:
    only_read()
    try:
        with pytest.raises((OperationalError, InternalError)):
            make_patient(patient.clinic)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(AGAIN[connection.vendor])


@pytest.mark.parametrize(
    ("role", "sees"), [(Role.FRONT_DESK, 200), (Role.ADMINISTRATOR, 200), (Role.RESEARCHER, 403), (Role.MANAGER, 200)]
)
def test_who_sees_the_page(clinic: Clinic, role: Role, sees: int) -> None:
    browser = Client()
    browser.force_login(make_staff(clinic, role).user)
    page = browser.get(reverse("continuity:downtime"))
    assert page.status_code == sees
    told = "On the server the folder is" in page.content.decode()
    assert told == (role == Role.ADMINISTRATOR), "the folder is told to whoever can share it"


def test_the_page_says_how_old_the_sheets_are(
    session: Session, folder: Path, as_nurse: Client, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    now = clock.install(monkeypatch, minute(0))
    door = reverse("continuity:downtime")
    assert "No sheets have been written yet" in as_nurse.get(door).content.decode()
    write_sheets(folder=folder, at=minute(0))
    assert "less than a minute ago" in as_nurse.get(door).content.decode()
    now.pass_minutes(4)
    assert "4 min ago" in as_nurse.get(door).content.decode()
    settings.SERVING = True
    floor = reverse("treatment:floor")
    assert "older than 5 minutes" not in as_nurse.get(floor).content.decode()
    now.pass_minutes(2)
    assert "They may be no older than 5 minutes" in as_nurse.get(door).content.decode()
    assert "older than 5 minutes" in as_nurse.get(floor).content.decode()
    (folder / "status.json").write_text("{")
    assert sheet_status(folder, session.clinic_id).at is None


# ---- the real command, beside a real server ------------------------------------------------------------------------


def _wait_for(file: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end, f"{file.name} did not come"
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _children(parent: int) -> set[int]:
    told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=True)
    return {int(line) for line in told.stdout.split()}


def _runs(pid: int) -> bool:
    told = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return told.strip() not in ("", "Z")


def test_the_command_writes_once(demo: Path) -> None:
    refused = ketaclinic("downtime", "--to", str(demo / "usb"))
    assert refused.returncode == 1 and "mount the disk" in refused.stderr and not (demo / "usb").exists()
    (demo / "usb").mkdir()
    done = ketaclinic("downtime", "--to", str(demo / "usb"), "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["failed"] == 0
    assert (demo / "usb/clinic-1/index.html").exists() and list((demo / "usb/clinic-1").glob("chair-*.pdf"))
    assert "sheets written" in ketaclinic("downtime").stdout and (demo / "downtime/status.json").exists()


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sheet.pdf").touch()
    assert run(["downtime", "--to", str(tmp_path / "sheet.pdf")]) == 2
    assert "is a file" in capsys.readouterr().err


def test_a_serving_clinic_has_its_sheets_and_a_killed_one_leaves_nothing_running(demo: Path) -> None:
    with serving(demo) as (port, pid):
        status = demo / "downtime/status.json"
        _wait_for(status)
        told = json.loads(status.read_text())
        assert told["clinics"]["1"]["failed"] == []
        assert (demo / "downtime/clinic-1/lists.pdf").read_bytes().startswith(b"%PDF")
        beside = _children(pid)
        assert len(beside) == 2, "one worker, one who writes the sheets"
        os.kill(pid, 9)
        end = time.monotonic() + 20
        while (any(map(_runs, beside)) or _listens(port)) and time.monotonic() < end:
            time.sleep(0.2)
        assert not any(map(_runs, beside)) and not _listens(port)
    assert (demo / "downtime/clinic-1/index.html").exists(), "the sheets outlive the server"
