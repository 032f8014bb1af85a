"""``ketaclinic import fhir``: what is no record is refused in one line, long work shows a bar to a person."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ketaclinic.cli import import_command
from ketaclinic.cli.main import run
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from tests.interfaces.fhir.bundles import ALL, PATIENT, PRESSURE, as_bytes, bundle, changed
from tests.support.people import make_staff


@pytest.fixture(autouse=True)
def administrator(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.ADMINISTRATOR)


def write(folder: Path, document: object, name: str = "record.json") -> str:
    file = folder / name
    file.write_bytes(as_bytes(document))
    return str(file)


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["import", "fhir", *words]) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert told.err.rstrip().endswith("Nothing of it was imported.")
    assert not Patient.objects.exists()
    return told.err


def test_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is a folder; name the files" in refused([str(tmp_path)], capsys)


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no such file" in refused([str(tmp_path / "none.json")], capsys)


def test_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is not an ordinary file" in refused([str(tmp_path / "pipe")], capsys)


def test_a_file_over_the_limit_is_refused_unread(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMPORT_MAX_BYTES = 1024
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    file = tmp_path / "large.json"
    file.write_text(" " * 1025)
    assert "larger than the limit of 0.000976562 MB" in refused([str(file)], capsys)


def test_a_file_that_may_not_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, bundle())

    def denied(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert "the file may not be read" in refused([file], capsys)


def test_a_date_outside_of_the_calendar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, bundle(changed(PRESSURE, effectiveDateTime="9999-12-31T23:59:59-12:00")))
    assert "lies outside of the calendar" in refused([file], capsys)


def test_a_refusal_of_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, bundle(patient=changed(PATIENT, birthDate="2126-01-01")))
    assert "the birth date lies in the future. Check in the other system" in refused([file], capsys)


def test_a_name_that_cannot_be_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "a?b.json: " in refused([str(tmp_path / "a\x1bb.json")], capsys)


def test_one_bad_file_does_not_keep_the_others_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(tmp_path, bundle(*ALL))
    assert run(["import", "fhir", str(tmp_path), good, "--json"]) == 1
    bad, taken = json.loads(capsys.readouterr().out)["files"]
    assert bad == {"file": tmp_path.name, "refused": "is a folder; name the files"}
    assert taken["file"] == "record.json" and taken["new_patient"] and Patient.objects.count() == 1


def test_notes_and_what_is_left_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dead = changed(PATIENT, deceasedBoolean=True)
    ahead = changed(PRESSURE, effectiveDateTime="2162-01-01T09:00:00Z")
    file = write(tmp_path, bundle(ahead, patient=dead))
    assert run(["import", "fhir", file]) == 0
    told = capsys.readouterr().out
    assert "(new patient), 2 resources" in told
    assert "note       It names no day of death" in told
    assert "[Observation/o1]: dated 1 Jan 2162, after this import" in told
    assert run(["import", "fhir", file]) == 0
    assert "(known patient)" in (told := capsys.readouterr().out) and "  nothing changed" in told


class Terminal(io.StringIO):
    """Standard error of a person."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("number", "seen"), [(400, False), (2_400, True)])
def test_a_person_sees_the_bar_of_long_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, seen: bool
) -> None:
    shown = Terminal()
    monkeypatch.setattr(import_command.sys, "stderr", shown)
    other = {"resourceType": "Claim", "patient": {"reference": "urn:uuid:p1"}}
    file = write(tmp_path, bundle(*[other] * number))
    assert run(["import", "fhir", file]) == 0
    assert ("Reading record.json" in shown.getvalue()) is seen


def test_a_machine_sees_no_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(import_command.sys, "stderr", shown)
    other = {"resourceType": "Claim", "patient": {"reference": "urn:uuid:p1"}}
    assert run(["import", "fhir", write(tmp_path, bundle(*[other] * 2_400)), "--json"]) == 0
    assert shown.getvalue() == ""
