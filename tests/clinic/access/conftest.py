"""A clock that stands at noon, and sign-ins that happen on the pages only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from tests.clinic.access.people import Phone, sign_in, with_app
from tests.support.clock import Clock, install
from tests.support.people import NOON, make_staff


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return install(monkeypatch, NOON)


@pytest.fixture
def phone(nurse: Staff) -> Phone:
    return with_app(nurse, NOON - timedelta(hours=1))


@pytest.fixture
def at_work(clock: Clock, nurse: Staff, phone: Phone) -> Client:
    """The nurse's browser, signed in a moment ago."""
    client = Client()
    sign_in(client, nurse, phone, clock.at)
    return client


@pytest.fixture
def chief(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.ADMINISTRATOR)


@pytest.fixture
def office(clock: Clock, chief: Staff) -> Client:
    """The administrator's browser, signed in a moment ago."""
    client = Client()
    sign_in(client, chief, with_app(chief, NOON - timedelta(hours=1)), clock.at)
    return client
