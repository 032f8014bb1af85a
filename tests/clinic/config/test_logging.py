"""What the server writes about a refused page: one line; about a fault of the program: everything."""

from __future__ import annotations

import logging
import sys

import pytest
from django.conf import settings
from django.test import Client

from ketaclinic.people.models import Clinic
from ketaclinic.people.permissions import Role
from tests.support.people import make_staff


def handler() -> logging.Handler:
    """The handler of the server's console, as the settings describe it."""
    [name] = settings.LOGGING["root"]["handlers"]
    found = [h for h in logging.getLogger().handlers if h.get_name() == name]
    assert found, "the console handler is installed"
    return found[0]


def record(status: int) -> logging.LogRecord:
    try:
        raise PermissionError("not for this role")
    except PermissionError:
        made = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "Forbidden: %s", ("/x/",), None)
        made.exc_info, made.status_code = sys.exc_info(), status  # type: ignore[attr-defined]
        return made


@pytest.mark.parametrize(("status", "lines"), [(403, 1), (500, 4)])
def test_a_refused_page_is_one_line_and_a_fault_is_told_in_full(status: int, lines: int) -> None:
    entry = record(status)
    assert handler().filter(entry)
    assert len(handler().format(entry).splitlines()) >= lines
    assert ("Traceback" in handler().format(entry)) == (status != 403)


def test_a_role_without_the_permission_leaves_no_traceback(
    client: Client, clinic: Clinic, capsys: pytest.CaptureFixture[str]
) -> None:
    client.force_login(make_staff(clinic, Role.FRONT_DESK).user)
    stream = handler()
    assert isinstance(stream, logging.StreamHandler)
    before = stream.setStream(sys.stderr)
    try:
        assert client.get("/staff/").status_code == 403
    finally:
        stream.setStream(before or sys.__stderr__)
    told = capsys.readouterr().err
    assert "/staff/" in told and "Traceback" not in told and len(told.strip().splitlines()) == 1
