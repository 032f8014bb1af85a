"""A write that another site provokes in somebody's browser is refused, on every route; open doors are few."""

from __future__ import annotations

import pytest
from django.test import Client

from ketaclinic.people.models import Clinic
from ketaclinic.people.permissions import Role, may
from tests.support.doors import path_of
from tests.support.people import make_staff
from tests.support.routes import ROUTES

OPEN = {
    "access:sign_in",
    "access:second",
    "access:set_up",
    "access:passkey_options",
    "access:invitation",
    "access:use_link",
    "access:sign_out",
    "access:locked",
    "access:unlock",
    "access:confirm",
    "access:here",
    "access:state",
    "design:components",
    "design:theme",
    "design:security",
    "design:security_txt",
    "pkpd:how",
}
"""Routes that may be asked without signing in; a new one is added here with a second thought."""


def test_the_open_doors_are_counted() -> None:
    assert {name for name, route in ROUTES.items() if route.callback.permission is None} == OPEN


@pytest.mark.django_db
@pytest.mark.parametrize("name", ROUTES)
def test_a_write_without_its_token_is_refused(name: str, clinic: Clinic) -> None:
    permission = ROUTES[name].callback.permission
    role = next((role for role in Role if permission is None or may(role, permission)), Role.NURSE)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(make_staff(clinic, role, is_medical_director=role is Role.PRESCRIBER).user)
    for content_type in ("application/x-www-form-urlencoded", "application/json", "text/plain"):
        reply = browser.post(
            path_of(name), "a=b", content_type=content_type, headers={"origin": "https://evil.example"}
        )
        assert reply.status_code == 403, f"{name} took {content_type}"
        assert "This form has expired" in reply.content.decode()
