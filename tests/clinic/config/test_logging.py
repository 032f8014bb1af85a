"""What the server writes about itself: a refused page is one line, a fault is told by kind and place, never by name."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import DataError, IntegrityError, connection
from django.test import Client

from ketaclinic.config.headers import ALWAYS
from ketaclinic.config.logs import places, watch_over_loose_ends
from ketaclinic.config.wsgi import LastResort
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.permissions import Role
from tests.support.people import NOON, make_staff
from tests.support.server import Server

NAMED = "Zeisina Zeisigvogel"


def handler() -> logging.StreamHandler[Any]:
    """The handler of the server's console, as the settings describe it."""
    [name] = settings.LOGGING["root"]["handlers"]
    found = [h for h in logging.getLogger().handlers if h.get_name() == name]
    assert isinstance(found[0], logging.StreamHandler), "the console handler is installed"
    return found[0]


@pytest.fixture
def console() -> Iterator[StringIO]:
    """Everything the server's console is told."""
    told, console = StringIO(), handler()
    before, console.stream = console.stream, told
    yield told
    console.stream = before


def record(status: int) -> logging.LogRecord:
    try:
        raise PermissionError(NAMED)
    except PermissionError:
        made = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "Forbidden: %s", ("/x/",), None)
        made.exc_info, made.status_code = sys.exc_info(), status  # type: ignore[attr-defined]
        return made


@pytest.mark.parametrize(("status", "lines"), [(403, 1), (500, 4)])
def test_a_refused_page_is_one_line_and_a_fault_is_told_by_kind_and_place(status: int, lines: int) -> None:
    entry = record(status)
    assert handler().filter(entry)
    told = handler().format(entry)
    assert len(told.splitlines()) == lines and ("Traceback" in told) == (status != 403)
    assert NAMED not in told and ("builtins.PermissionError" in told) == (status != 403)


def test_a_role_without_the_permission_leaves_no_traceback(client: Client, clinic: Clinic, console: StringIO) -> None:
    client.force_login(make_staff(clinic, Role.FRONT_DESK).user)
    assert client.get("/staff/").status_code == 403
    told = console.getvalue()
    assert "/staff/" in told and "Traceback" not in told and len(told.strip().splitlines()) == 1


def twice(patient: Patient) -> None:
    fields = {"given_name": "Zeisina", "family_name": "Zeisigvogel", "birth_date": "1984-03-14", "registered_at": NOON}
    Patient.objects.create(clinic=patient.clinic, record_number=patient.record_number, **fields)


def no_day(patient: Patient) -> None:
    with connection.cursor() as cursor:
        value = f"'{NAMED}'" if connection.vendor == "sqlite" else f"'{NAMED}'::date"
        cursor.execute(f"SELECT {value}")
        raise DataError(f"Zeisigvogel read {cursor.fetchone()}")


def lost_on_the_way(patient: Patient) -> None:
    try:
        twice(patient)
    except IntegrityError as error:
        raise ValueError(f"could not take {NAMED}, {patient.phone}") from error


def told_by_a_library(patient: Patient) -> None:
    logging.getLogger("some.library").error("cannot send to %s", patient.email)
    logging.getLogger("some.library").error(f"cannot send to {patient.email}")
    raise SuspiciousOperation(f"a path in {NAMED}.json")


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [twice, no_day, lost_on_the_way, told_by_a_library])
def test_what_a_form_held_never_reaches_the_log(
    as_nurse: Client,
    patient: Patient,
    console: StringIO,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Patient], None],
) -> None:
    """The database itself quotes the row it refuses (PostgreSQL), and the messages of errors quote what was typed."""

    def register_patient(**_: object) -> None:
        fault(patient)

    monkeypatch.setattr("ketaclinic.people.actions.register_patient", register_patient)
    as_nurse.raise_request_exception = False
    typed = {"given_name": "Zeisina", "family_name": "Zeisigvogel", "birth_date": "1984-03-14", "sex": "female"}
    answer = as_nurse.post("/patients/new/", {**typed, "phone": patient.phone, "language": "en"})
    assert answer.status_code == (400 if fault is told_by_a_library else 500)
    told = console.getvalue()
    assert f"in {fault.__name__}" in told and ("Error" in told or "SuspiciousOperation" in told)
    for value in (*typed.values(), patient.record_number, patient.phone, patient.email):
        assert value == "female" or value not in told, told
    assert "Zeisi" not in answer.content.decode()


def test_a_line_cannot_be_forged(console: StringIO) -> None:
    logging.getLogger("ketaclinic.x").warning("one\nERROR two\r\x1b[31m\u202ethree")
    assert console.getvalue().count("\n") == 1 and "\x1b" not in console.getvalue()


def test_a_one_time_link_never_reaches_the_log(client: Client, console: StringIO, db: None) -> None:
    assert client.get("/invitation/kept-To_oneself/").status_code == 404
    logging.getLogger("django.request").error("Internal Server Error: %s", "/invitation/kept-To_oneself/")
    assert console.getvalue().count("/invitation/(token)") == 2 and "kept-To_oneself" not in console.getvalue()


def test_threads_and_the_process_end_without_the_message(console: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    watch_over_loose_ends()

    def broken() -> None:
        raise RuntimeError(NAMED)

    thread = threading.Thread(target=broken)
    thread.start()
    thread.join()
    error = ValueError(NAMED)
    sys.excepthook(ValueError, error, None)
    told = console.getvalue()
    assert "in broken" in told and "builtins.RuntimeError" in told and "builtins.ValueError" in told
    assert NAMED not in told


def test_ctrl_c_is_not_an_error_of_ours(console: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    seen: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "__excepthook__", lambda kind, *_: seen.append(kind))
    watch_over_loose_ends()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert seen == [KeyboardInterrupt] and console.getvalue() == ""


def test_an_answer_is_made_even_when_no_page_can_be(console: StringIO) -> None:
    def broken(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        raise RuntimeError(NAMED)

    heads: list[Any] = []
    body = LastResort(broken)({}, lambda status, given: heads.extend([status, dict(given)]))
    assert heads[0].startswith("500") and ALWAYS.items() <= heads[1].items()
    assert b"not saved" in b"".join(body)
    assert NAMED not in console.getvalue() and "in broken" in console.getvalue()


def test_causes_stand_in_their_order() -> None:
    assert places(None) == []
    try:
        try:
            raise KeyError(NAMED)
        except KeyError:
            raise ValueError(NAMED) from None
    except ValueError as error:
        assert [line for line in places(error) if "Error" in line] == ["builtins.ValueError"]


def test_a_real_server_tells_nobody_by_name(tmp_path: Path) -> None:
    """The whole way: a form over the wire, a database that answers with an error that quotes, the server's own log."""
    server = Server(tmp_path / "var")
    server.migrate()
    made = server.inside("seed")
    trigger = (
        "CREATE TRIGGER refuses BEFORE INSERT ON people_patient "
        f"BEGIN SELECT RAISE(ABORT, 'cannot take {NAMED}, +1 555 7700001'); END"
    )
    server.rows(trigger)
    server.start()
    try:
        desk = server.sign_in(made["staff"]["front_desk"])
        typed = {"given_name": "Zeisina", "family_name": "Zeisigvogel", "birth_date": "1984-03-14", "sex": "female"}
        answer = desk.post("/patients/new/", {**typed, "phone": "+1 555 7700001", "language": "en", "email": ""})
        assert answer.status == 500 and b"Zeisi" not in answer.body
        assert desk.post("/patients/", {"words": "Zeisigvogel"}).status == 200
        broken = desk.post("/patients/new/", {"family_name": "\x00Zeisigvogel"})
        assert broken.status in (400, 422)
    finally:
        server.stop()
    told = server.told()
    assert "IntegrityError" in told and "in register_patient" in told
    assert "Zeisi" not in told and "7700001" not in told and "1984-03-14" not in told
