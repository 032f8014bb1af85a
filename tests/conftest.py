"""Fixtures every level of tests may use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.test import Client
from django.utils.encoding import force_bytes

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from tests.support.people import make_clinic, make_patient, make_staff
from tests.support.presence import make_presence

PLUGINS = ("no_skips", "apart", "drawn", "databases", "long_first", "ready", "walls", "canaries")
pytest_plugins = [f"tests.support.{name}" for name in PLUGINS]

PRECONDITION = HTTPStatus.PRECONDITION_REQUIRED

plain_generic = Client.generic


def _as_a_page_would(self: Client, method: str, path: str, data: Any = "", *args: Any, **extra: Any) -> Any:
    """Give a write of a test client what the page would have put into its form: a key, and what it showed.

    A test that sends keys of its own, or none, says so: a header, a field, or ``Client(HTTP_IDEMPOTENCY_KEY="")``.
    Then nothing is added.
    """
    headers = extra.get("headers") or {}
    named = "HTTP_IDEMPOTENCY_KEY" in {**self.defaults, **extra} or "Idempotency-Key" in headers
    if method in ("GET", "HEAD", "OPTIONS", "TRACE") or named or b"intent_key" in force_bytes(data):
        return plain_generic(self, method, path, data, *args, **extra)
    extra["HTTP_IDEMPOTENCY_KEY"] = uuid4().hex
    reply = plain_generic(self, method, path, data, *args, **extra)
    shown = re.search(rb'name="seen" value="([^"]+)"', reply.content) if reply.status_code == PRECONDITION else None
    if shown is None:
        return reply
    return plain_generic(self, method, path, _with_field(data, "seen", shown[1]), *args, **extra)


def _with_field(data: Any, name: str, value: bytes) -> bytes:
    """Return an encoded form with one more field."""
    body = force_bytes(data)
    if not body.startswith(b"--"):
        return b"&".join(part for part in (body, name.encode() + b"=" + value) if part)
    boundary = body.split(b"\r\n", 1)[0]
    part = b'\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
    return body.removesuffix(b"--\r\n") + part + boundary + b"--\r\n"


Client.generic = _as_a_page_would  # type: ignore[method-assign]


def _complete(sender: Any, request: HttpRequest, user: Any, **given: Any) -> None:
    """Give ``client.force_login(user)`` a session as after password, second factor and confirmation, just now."""
    if "REMOTE_ADDR" not in request.META:  # only a test's own sign-in asks without an address
        if not request.session.session_key:
            request.session.save()
        make_presence(user, str(request.session.session_key))


user_logged_in.connect(_complete)


@pytest.fixture(autouse=True)
def _only_the_pages_sign_in(request: pytest.FixtureRequest) -> Iterator[None]:
    """``@pytest.mark.real_sign_in`` leaves that out: then only the pages sign anybody in."""
    real = request.node.get_closest_marker("real_sign_in")
    if real:
        user_logged_in.disconnect(_complete)
    yield
    if real:
        user_logged_in.connect(_complete)


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def prescriber(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.PRESCRIBER, is_medical_director=True)


@pytest.fixture
def nurse(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.NURSE)


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return make_patient(clinic)


@pytest.fixture
def as_prescriber(client: Client, prescriber: Staff) -> Client:
    client.force_login(prescriber.user)
    return client


@pytest.fixture
def as_nurse(nurse: Staff) -> Client:
    client = Client()
    client.force_login(nurse.user)
    return client
