"""Requests that never end, and requests that are too large: the server answers everybody else meanwhile."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack
from http import HTTPStatus
from http.client import HTTPResponse

import pytest

from ketaclinic.config.settings import DATA_UPLOAD_MAX_MEMORY_SIZE, THREADS
from tests.faults.conftest import Clinic, Started
from tests.support.server import Hand

AT_ONCE_S = 5
TOO_MUCH = DATA_UPLOAD_MAX_MEMORY_SIZE + 1
_TOKEN = "k" * 32


@pytest.fixture
def clinic(started: Started) -> Clinic:
    return started()


def begin(port: int, address: str, length: int, session: str = "", accept: str = "*/*") -> socket.socket:
    """Send the head of a form and two bytes of it, and no more."""
    line = socket.create_connection(("127.0.0.1", port), timeout=AT_ONCE_S)
    head = [
        f"POST {address} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Cookie: csrftoken={_TOKEN}" + (f"; sessionid={session}" if session else ""),
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {length}",
        f"Accept: {accept}",
    ]
    line.sendall("\r\n".join([*head, "", "us"]).encode())
    return line


def answered(line: socket.socket) -> int:
    """Return the status of the answer that comes although the form is not complete."""
    with line:
        return int(line.recv(4096).split(b" ", 2)[1])


def test_forms_that_strangers_never_finish_stop_nobody_who_is_signed_in(clinic: Clinic) -> None:
    nurse, port = clinic.hand(), clinic.server.port
    with ExitStack() as lines:
        for _ in range(THREADS // 2):
            lines.enter_context(begin(port, "/sign-in/", 1_000))
        time.sleep(0.5)
        before = time.monotonic()
        assert nurse.get("/patients/").status == HTTPStatus.OK
        assert nurse.record(clinic.session, systolic=120, diastolic=80).status == HTTPStatus.OK
        assert Hand(port).get("/sign-in/").status == HTTPStatus.OK
        assert time.monotonic() - before < AT_ONCE_S
        for _ in range(THREADS):
            assert answered(begin(port, "/sign-in/", 1_000)) == HTTPStatus.SERVICE_UNAVAILABLE
    time.sleep(0.5)
    sent = {"username": "nobody", "password": "nothing", "csrfmiddlewaretoken": _TOKEN}
    assert Hand(port).post("/sign-in/", sent).status == HTTPStatus.UNPROCESSABLE_ENTITY


def test_what_is_too_large_is_not_read_except_a_file_of_somebody_signed_in(clinic: Clinic) -> None:
    nurse, port = clinic.hand(), clinic.server.port
    for address in ("/sign-in/", "/patients/new/", "/fhir/import/"):
        assert answered(begin(port, address, TOO_MUCH)) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answered(begin(port, "/patients/new/", TOO_MUCH, nurse.session)) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answered(begin(port, "/fhir/import/", 80_000_000, nurse.session)) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert nurse.send_file("/fhir/import/", b" " * TOO_MUCH).status == HTTPStatus.FOUND
    with begin(port, "/patients/new/", TOO_MUCH, nurse.session, "application/json") as line:
        answer = HTTPResponse(line)
        answer.begin()
        told = json.loads(answer.read())
    assert answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert told["because"] == ["it is larger than the limit of 2 MB"] and "Nothing" in told["do"]
