"""A passkey in a real browser, the lock that comes by itself, and a tablet whose entry waits for a confirmation."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, expect

from ketaclinic.access import factors
from ketaclinic.access.actions.invitations import invite
from ketaclinic.access.models import Presence
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from tests.clinic.access.people import PASSWORD, Phone, with_app
from tests.journeys.conftest import MORNING, OpenAs
from tests.support.browser import PHONE, TABLET, check_accessibility
from tests.support.clock import Clock
from tests.support.people import make_staff

pytestmark = pytest.mark.real_sign_in
CHOSEN = "quite a long new phrase"


def at_home(url: str) -> bool:
    return urlsplit(url).path == "/"


def with_authenticator(page: Page) -> None:
    """Plug a security key into the browser that verifies its person by itself."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    told = {**options, "isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": told})


def sign_in(page: Page, member: Staff, phone: Phone, clock: Clock) -> None:
    page.goto("/sign-in/")
    page.get_by_label("User name").fill(member.user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code from your app").fill(phone.shows(clock.at))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "/sign-in/" not in page.url


def test_an_invited_person_makes_a_passkey_and_signs_in_with_it_alone(
    open_as: OpenAs, clinic: Clinic, clock: Clock
) -> None:
    member, chief = make_staff(clinic, Role.PRESCRIBER), make_staff(clinic, Role.ADMINISTRATOR)
    _, token = invite(user=member.user, purpose="join", by=chief, at=clock.at)
    page = open_as(None)
    with_authenticator(page)
    page.goto(f"/invitation/{token}/")
    check_accessibility(page, "desktop", "tablet", "phone")
    page.get_by_label("New password", exact=True).fill(CHOSEN)
    page.get_by_label("New password confirmation").fill(CHOSEN)
    page.get_by_role("button", name="Keep this password").click()
    expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()
    check_accessibility(page, "desktop", "tablet", "phone")
    page.get_by_label("What to call it").fill("My phone")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    check_accessibility(page, "desktop", "phone")
    assert [str(f.wrap().name) for f in factors.factors_of(member.user)] == ["My phone"]
    page.get_by_role("button", name="I have kept them").click()
    page.get_by_text(member.display_name).first.click()
    page.get_by_role("button", name="Sign out").click()

    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(at_home)
    page.goto("/account/")
    expect(page.get_by_text("My phone", exact=True).first).to_be_visible()
    check_accessibility(page, "desktop", "tablet", "phone")

    page.goto("/sign-in/")
    page.get_by_text(member.display_name).first.click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("User name").fill(member.user.username)
    page.get_by_label("Password").fill(CHOSEN)
    page.get_by_role("button", name="Sign in", exact=True).click()
    check_accessibility(page, "desktop", "phone")
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(at_home)

    page.get_by_text(member.display_name).first.click()
    page.watch.expect(423)  # type: ignore[attr-defined]
    page.get_by_role("button", name="Lock this screen").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(at_home)


def test_a_board_that_renews_itself_locks_by_itself_and_opens_again(
    open_as: OpenAs, clinic: Clinic, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    nurse = make_staff(clinic, Role.NURSE)
    monkeypatch.setattr(settings, "IDLE", timedelta(seconds=24))
    page = open_as(None, TABLET)
    sign_in(page, nurse, with_app(nurse, MORNING - timedelta(hours=1)), clock)
    page.watch.expect(423)  # type: ignore[attr-defined]
    clock.pass_minutes(0.25)
    expect(page.get_by_text("locks in less than a minute")).to_be_visible(timeout=30_000)
    check_accessibility(page, "tablet")
    clock.pass_minutes(1)
    expect(page).to_have_url(re.compile(r"/locked/\?next="), timeout=30_000)
    expect(page.locator("#wall")).to_contain_text("No names on this display")
    check_accessibility(page, "desktop", "tablet", "phone")
    page.get_by_label(re.compile("^Password of")).fill("wrong")
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("alert").first).to_contain_text("not right")
    page.get_by_label(re.compile("^Password of")).fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    page.wait_for_url(re.compile(r"/treatment/floor/$"))
    assert Presence.objects.get().locked_at is None


def test_a_form_that_comes_too_late_is_kept_and_sent_after_unlocking(
    open_as: OpenAs, clinic: Clinic, clock: Clock
) -> None:
    nurse = make_staff(clinic, Role.NURSE)
    page = open_as(None, PHONE)
    sign_in(page, nurse, with_app(nurse, MORNING - timedelta(hours=1)), clock)
    page.watch.expect(423)  # type: ignore[attr-defined]
    page.goto(reverse("people:register"))
    page.get_by_label("Given name").fill("Synthetic")
    page.get_by_label("Family name").fill("Latecomer")
    page.get_by_label("Date of birth").fill("1980-01-01")
    clock.pass_minutes(11)
    page.get_by_role("button", name=re.compile("Register|Save")).first.click()
    expect(page.get_by_text("Nothing is lost")).to_be_visible()
    check_accessibility(page, "desktop", "phone")
    page.get_by_label(re.compile("^Password of")).fill(PASSWORD)
    page.get_by_role("button", name="Confirm and go on").click()
    expect(page.locator("main")).to_contain_text("Latecomer")


def test_what_was_typed_when_the_screen_locked_comes_back_to_whoever_typed_it(
    open_as: OpenAs, clinic: Clinic, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    nurse = make_staff(clinic, Role.NURSE)
    monkeypatch.setattr(settings, "IDLE", timedelta(seconds=24))
    page = open_as(None, TABLET)
    sign_in(page, nurse, with_app(nurse, MORNING - timedelta(hours=1)), clock)
    page.watch.expect(423)  # type: ignore[attr-defined]
    page.goto(reverse("people:register"))
    page.get_by_label("Given name").fill("Synthetic")
    page.get_by_label("Family name").fill("Half-Typed")
    clock.pass_minutes(1)
    expect(page).to_have_url(re.compile(r"/locked/\?next="), timeout=30_000)
    kept = page.evaluate("JSON.stringify(sessionStorage)")
    assert "ketaclinic.typed" in kept and "Half-Typed" not in kept
    page.get_by_label(re.compile("^Password of")).fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_label("Family name")).to_have_value("Half-Typed")
    expect(page.get_by_text("It has not been sent.")).to_be_visible()
    check_accessibility(page, "tablet", "phone")
    page.reload()
    expect(page.get_by_label("Family name")).to_have_value("")

    page.get_by_label("Family name").fill("Half-Typed")
    page.get_by_text(nurse.display_name).first.click()
    page.get_by_role("button", name="Lock this screen").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert "ketaclinic.typed" in page.evaluate("JSON.stringify(sessionStorage)")
    page.context.clear_cookies()
    other = make_staff(clinic, Role.NURSE)
    sign_in(page, other, with_app(other, MORNING - timedelta(hours=1)), clock)
    page.goto(reverse("people:register"))
    expect(page.get_by_label("Family name")).to_have_value("")
    assert "It has not been sent." not in page.content()


def test_staff_pages_are_for_everybody(open_as: OpenAs, clinic: Clinic, clock: Clock) -> None:
    chief = make_staff(clinic, Role.ADMINISTRATOR)
    nurse = make_staff(clinic, Role.NURSE)
    page = open_as(None)
    sign_in(page, chief, with_app(chief, MORNING - timedelta(hours=1)), clock)
    for address in (
        "/staff/",
        "/staff/new/",
        f"/staff/{nurse.pk}/",
        f"/staff/{nurse.pk}/duties/",
        "/account/password/",
    ):
        page.goto(address)
        check_accessibility(page, "desktop", "phone")
    page.goto("/staff/new/")
    page.get_by_label("Name as others see it").fill("Synthetic New")
    page.get_by_label("User name").fill("synthetic.new")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    check_accessibility(page, "desktop", "phone")
