"""A tablet in the wrong hands: its disk names nobody, and the way back after sign-out shows nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from string import ascii_letters, digits

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, Playwright, expect
from pytest_django.live_server_helper import LiveServer

from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.treatment.models import Session, SessionEvent
from tests.clinic.treatment_screens.floor import full_floor
from tests.journeys.conftest import OpenAs
from tests.support.clock import Clock
from tests.support.people import make_staff
from tools.browser import FLAGS, chromium


@pytest.fixture
def chair(clinic: Clinic, clock: Clock) -> Session:
    director = make_staff(clinic, Role.PRESCRIBER, is_medical_director=True)
    return full_floor(clinic, make_staff(clinic, Role.NURSE), director, clock.at)[1]


def tablet(playwright: Playwright, folder: Path, url: str, staff: Staff | None) -> BrowserContext:
    """Start a browser whose whole profile lies on this disk, as that of a tablet does."""
    executable = chromium()
    context = playwright.chromium.launch_persistent_context(
        folder, executable_path=executable, args=FLAGS, base_url=url, viewport={"width": 1180, "height": 820}
    )
    context.set_default_timeout(10_000)
    if staff is not None:
        client = Client()
        client.force_login(staff.user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}])
    return context


def keep_without_network(context: BrowserContext, page: Page) -> None:
    """Write something down while nothing can be sent."""
    context.set_offline(True)
    page.locator("#systolic").fill("131")
    page.locator("#diastolic").fill("77")
    page.locator("#save").click()
    expect(page.locator("#unsent")).to_contain_text("Not sent: 1")
    expect(page.locator("#unsent-lines")).to_contain_text("BP 131/77")


def traces(folder: Path, words: list[str]) -> list[str]:
    """Return where any of the words stands on the disk, in any of the ways a browser writes text."""
    coded = [w.encode(c) for w in words for c in ("utf-8", "utf-16-le")]
    found = []
    for file in (f for f in folder.rglob("*") if f.is_file() and not f.is_symlink()):
        data = file.read_bytes()
        found += [f"{file.relative_to(folder)}: {word!r}" for word in coded if word in data]
    return found


def test_a_stolen_tablet_names_nobody(
    playwright: Playwright, live_server: LiveServer, chair: Session, clinic: Clinic, clock: Clock, tmp_path: Path
) -> None:
    nurse = Staff.objects.filter(clinic=clinic, role=Role.NURSE).get()
    context = tablet(playwright, tmp_path / "profile", live_server.url, nurse)
    page = context.new_page()
    page.clock.set_fixed_time(clock.at)
    page.goto("/patients/")
    page.get_by_label("Name or record number").fill(chair.patient.family_name)
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#found")).to_contain_text(chair.patient.record_number)
    assert page.url == f"{live_server.url}/patients/"
    page.goto(f"/treatment/session/{chair.pk}/")
    keep_without_network(context, page)
    words = [chair.patient.family_name, chair.patient.record_number, "131/77", "systolic=131"]
    shutil.copytree(tmp_path / "profile", tmp_path / "running", ignore=shutil.ignore_patterns("Singleton*"))
    context.close()
    shutil.copytree(tmp_path / "profile", tmp_path / "stolen")
    assert traces(tmp_path / "running", words) == traces(tmp_path / "stolen", words) == []

    thief = tablet(playwright, tmp_path / "stolen", live_server.url, None)
    looking = thief.new_page()
    looking.goto(f"/treatment/session/{chair.pk}/")
    assert "/sign-in/" in looking.url
    [[name, sealed]] = looking.evaluate("Object.entries(localStorage)")
    assert name.startswith(f"ketaclinic.unsent.{chair.pk}.{nurse.pk}."), "the entry is there"
    assert set(sealed) <= set(ascii_letters + digits + "+/=.") and len(sealed) > 100, "and it is sealed"
    thief.close()


def test_what_was_kept_is_read_by_who_entered_it_and_nobody_else(
    playwright: Playwright, live_server: LiveServer, chair: Session, clinic: Clinic, clock: Clock, tmp_path: Path
) -> None:
    nurse = Staff.objects.filter(clinic=clinic, role=Role.NURSE).get()
    other = make_staff(clinic, Role.NURSE)
    for staff, shown in ((nurse, ""), (other, "1 of somebody else"), (nurse, "sent")):
        context = tablet(playwright, tmp_path / "profile", live_server.url, staff)
        page = context.new_page()
        page.clock.set_fixed_time(clock.at)
        page.goto(f"/treatment/session/{chair.pk}/")
        if shown == "":
            keep_without_network(context, page)
        elif shown == "sent":
            expect(page.locator("#unsent")).to_be_hidden(timeout=15_000)
        else:
            expect(page.locator("#unsent")).to_contain_text(shown)
            expect(page.locator("#unsent-lines")).not_to_contain_text("131/77")
        context.close()
    row = SessionEvent.objects.get(session=chair, kind="vitals", payload__systolic=131)
    assert row.recorded_by == nurse


def test_the_way_back_after_sign_out_shows_nothing(open_as: OpenAs, chair: Session, clinic: Clinic) -> None:
    page = open_as(Staff.objects.filter(clinic=clinic, role=Role.NURSE).get())
    page.goto(f"/patients/{chair.patient_id}/")
    expect(page.locator("h1")).to_contain_text(chair.patient.family_name)
    page.goto("/patients/")
    page.locator("details.menu summary").click()
    with page.expect_response(lambda reply: "/sign-out/" in reply.url) as gone:
        page.get_by_role("button", name="Sign out").click()
    assert gone.value.all_headers().get("clear-site-data") == '"cache"'
    for _ in range(2):
        page.go_back()
        assert chair.patient.family_name not in page.content()
        assert "/sign-in/" in page.url
