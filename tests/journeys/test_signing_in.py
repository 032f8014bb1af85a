from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from ketaclinic.people.models import Clinic
from ketaclinic.people.permissions import Role
from tests.clinic.access.people import with_app
from tests.journeys.conftest import MORNING, OpenAs
from tests.support.browser import check_accessibility
from tests.support.clock import Clock
from tests.support.people import make_staff


def test_a_person_signs_in_and_out_with_the_keyboard(open_as: OpenAs, clinic: Clinic, clock: Clock) -> None:
    staff = make_staff(clinic, Role.NURSE)
    phone = with_app(staff, MORNING - timedelta(hours=1))
    page = open_as(None)
    page.goto("/")
    check_accessibility(page, "desktop", "tablet", "phone")
    page.get_by_label("User name").or_(page.get_by_label("Username")).focus()
    page.keyboard.type(staff.user.username)
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code from your app")).to_be_focused()
    page.keyboard.type(phone.shows(clock.at))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Floor board")).to_be_attached()
    assert "/sign-in/" not in page.url


def test_a_wrong_password_is_explained(open_as: OpenAs, clinic: Clinic, clock: Clock) -> None:
    staff = make_staff(clinic, Role.NURSE)
    page = open_as(None)
    page.watch.expect(422)  # type: ignore[attr-defined]
    page.goto("/sign-in/")
    page.get_by_label("User name").or_(page.get_by_label("Username")).fill(staff.user.username)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    check_accessibility(page)


@pytest.mark.parametrize("role", Role)
def test_every_role_has_a_first_page_that_anyone_can_use(
    role: Role, open_as: OpenAs, clinic: Clinic, clock: Clock
) -> None:
    page = open_as(make_staff(clinic, role))
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check_accessibility(page, "desktop", "tablet", "phone")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_component_page_is_accessible(
    scheme: str, open_as: OpenAs, clinic: Clinic, clock: Clock, settings: Any
) -> None:
    settings.DEMO = True
    page = open_as(make_staff(clinic, Role.PRESCRIBER), color_scheme=scheme)
    page.goto("/design/")
    check_accessibility(page, "desktop", "tablet", "phone")
