"""Somebody who found a weakness learns whom to tell, by a page and by /.well-known/security.txt (RFC 9116)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings

from ketaclinic.config.environment import contact
from ketaclinic.config.release import RELEASED_ON
from tests.support.clock import Clock

WHERE = "/.well-known/security.txt"


def fields() -> dict[str, str]:
    reply = Client().get(WHERE, secure=True)
    assert reply.status_code == 200 and reply["Content-Type"] == "text/plain; charset=utf-8"
    lines = reply.content.decode().splitlines()
    return dict(line.split(": ", 1) for line in lines)


@pytest.mark.django_db
def test_the_file_names_a_contact_that_exists() -> None:
    told = fields()
    assert told["Contact"] == told["Policy"] == "https://testserver/security/"
    assert told["Canonical"] == f"https://testserver{WHERE}"
    page = Client().get("/security/").content.decode()
    assert "private security advisory form" in page and "five working days" in page


@pytest.mark.django_db
@override_settings(SECURITY_CONTACT="mailto:security@clinic.example")
def test_the_clinic_may_name_its_own_contact() -> None:
    assert fields()["Contact"] == "mailto:security@clinic.example"
    assert "mailto:security@clinic.example" in Client().get("/security/").content.decode()


@pytest.mark.django_db
def test_it_expires_with_the_release_and_not_with_the_clock(clock: Clock) -> None:
    before = fields()["Expires"]
    expires = datetime.fromisoformat(before)
    assert timedelta(days=180) < expires.date() - RELEASED_ON < timedelta(days=365)
    clock.pass_days(300)
    assert fields()["Expires"] == before


@pytest.mark.parametrize(
    "told", ["http://clinic.example", "javascript:alert(1)", "me@clinic.example", "tel: 1", "mailto:a\nb"]
)
def test_a_contact_nobody_could_use_is_refused(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KETACLINIC_SECURITY_CONTACT", told)
    with pytest.raises(ImproperlyConfigured, match="https://, mailto: or tel:"):
        contact("KETACLINIC_SECURITY_CONTACT")


def test_without_a_contact_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KETACLINIC_SECURITY_CONTACT", raising=False)
    assert contact("KETACLINIC_SECURITY_CONTACT") == ""
