"""Every command ends with a documented exit code and one line, never with a traceback."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest
from click.exceptions import Abort
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from ketaclinic.cli.main import COMMANDS, run
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from tests.interfaces.fhir.bundles import ALL, as_bytes, bundle
from tests.support.people import make_clinic, make_staff


@pytest.fixture
def administrator(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.ADMINISTRATOR)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    file = tmp_path / "record.json"
    file.write_bytes(as_bytes(bundle(*ALL)))
    return file


def test_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in COMMANDS) and "130 interrupted" in told


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    assert run([name, "--help"]) == 0


@pytest.mark.parametrize("words", [["nothing"], ["serve", "--port", "x"], ["import", "fhir"], ["completion", "tcsh"]])
def test_wrong_words_end_with_two(words: list[str]) -> None:
    assert run(words) == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_KETACLINIC_COMPLETE" in capsys.readouterr().out


def test_import_and_again(administrator: Staff, record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "fhir", str(record)]) == 0
    assert "taken" in capsys.readouterr().out and Patient.objects.count() == 1
    assert run(["import", "fhir", str(record), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["unchanged"]["Condition"] == 1


@pytest.mark.parametrize("name", ["missing.json", ".", "empty.json"])
def test_import_of_what_is_no_record(
    administrator: Staff, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.json").touch()
    assert run(["import", "fhir", str(tmp_path / name)]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "Nothing of it was imported" in told


def test_export(
    administrator: Staff, prescriber: Staff, record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["import", "fhir", str(record)])
    number = Patient.objects.get().record_number
    assert run(["export", "fhir", number, "--to", str(tmp_path / "out")]) == 0
    file = tmp_path / "out" / f"{number}.fhir.json"
    assert json.loads(file.read_bytes())["resourceType"] == "Bundle" and file.stat().st_mode & 0o077 == 0
    assert run(["export", "fhir", "K-0"]) == 1
    capsys.readouterr()
    assert run(["export", "fhir", number, "--by", administrator.user.username]) == 1
    assert "may not do this" in capsys.readouterr().err
    prescriber.is_medical_director = False
    prescriber.save()
    assert run(["export", "fhir", number]) == 1
    assert "no medical director: name who does this with --by" in capsys.readouterr().err
    assert run(["export", "fhir", number, "--by", prescriber.user.username]) == 0


def test_export_to_standard_output_and_as_json(
    administrator: Staff, prescriber: Staff, record: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    run(["import", "fhir", str(record)])
    number = Patient.objects.get().record_number
    capfdbinary.readouterr()
    assert run(["export", "fhir", number, "--to", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capfdbinary.readouterr().out) == {"files": [str(tmp_path / "out" / f"{number}.fhir.json")]}
    assert run(["export", "fhir", number]) == 0
    sys.stdout.flush()
    assert json.loads(capfdbinary.readouterr().out)["resourceType"] == "Bundle"
    assert run(["export", "fhir", number, number]) == 2
    assert run(["export", "fhir", number, "--to", str(record)]) == 1
    assert b"record.json is a file; name a folder" in capfdbinary.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (PermissionError(13, "Permission denied"), 3, "the system refused: Permission denied"),
        (OperationalError("Zeisina Zeisigvogel"), 3, "the database cannot be used (OperationalError)"),
        (ImproperlyConfigured("DATABASE_URL"), 3, "a setting is wrong: DATABASE_URL"),
        (KeyboardInterrupt(), 130, "stopped"),
        (Abort(), 130, "stopped"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_every_end_has_its_code(
    administrator: Staff,
    record: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    says: str,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("ketaclinic.interfaces.fhir.actions.import_bundle", broken)
    assert run(["import", "fhir", str(record)]) == code
    told = capsys.readouterr().err
    assert says in told and "Zeisi" not in told


def test_the_traceback_is_shown_on_demand(administrator: Staff, record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("x")

    monkeypatch.setattr("ketaclinic.interfaces.fhir.actions.import_bundle", broken)
    monkeypatch.setenv("KETACLINIC_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        run(["import", "fhir", str(record)])


def test_the_role_of_who_acts_counts(administrator: Staff, record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    researcher = make_staff(administrator.clinic, Role.RESEARCHER)
    assert run(["import", "fhir", str(record), "--by", researcher.user.username]) == 1
    assert "the role researcher may not do this" in capsys.readouterr().err
    make_staff(administrator.clinic, Role.ADMINISTRATOR)
    assert run(["import", "fhir", str(record)]) == 1
    assert "name who does this with --by" in capsys.readouterr().err


def test_who_acts_must_be_clear(administrator: Staff, record: Path) -> None:
    make_clinic(name="Second")
    assert run(["import", "fhir", str(record)]) == 1
    assert run(["import", "fhir", str(record), "--clinic", "999999"]) == 1
    assert run(["import", "fhir", str(record), "--clinic", str(administrator.clinic_id), "--by", "nobody"]) == 1


def test_a_busy_port_ends_with_three(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KETACLINIC_SERVING", raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["serve", "--port", str(taken.getsockname()[1])]) == 3
    monkeypatch.delenv("KETACLINIC_SERVING", raising=False)
    assert "busy" in capsys.readouterr().err


def test_demo_refuses_a_clinic_that_is_there(administrator: Staff) -> None:
    assert run(["demo"]) == 1


def test_an_unforeseen_error_says_nothing_personal(
    administrator: Staff, record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("Zeisina Zeisigvogel")

    monkeypatch.setattr("ketaclinic.interfaces.fhir.actions.import_bundle", broken)
    assert run(["import", "fhir", str(record)]) == 70
    assert "Zeisi" not in capsys.readouterr().err


def test_check_tells_json(
    db: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KETACLINIC_DATA", str(tmp_path))
    run(["check", "--json"])
    names = {c["name"] for c in json.loads(capsys.readouterr().out)["checks"]}
    assert {"database", "migrations", "rules", "rule reviews", "debug", "hosts"} <= names


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["bad name", "--name", "C. One"], 1),
        (["c-one", "--name", "  "], 1),
        (["c-one", "--name", "C. One", "--address", "javascript:alert(1)"], 2),
    ],
)
def test_the_command_invites_nobody_the_page_would_refuse(words: list[str], code: int, clinic: Clinic) -> None:
    before = Staff.objects.count()
    assert run(["staff", "invite", *words]) == code
    assert Staff.objects.count() == before
