"""The page that explains: by keyboard alone, without a sign-in, and understandable without its pictures."""

from __future__ import annotations

from playwright.sync_api import expect

from ketaclinic.people.models import Clinic
from tests.journeys.conftest import OpenAs
from tests.support.browser import check_accessibility
from tests.support.clock import Clock


def test_a_reader_moves_way_dose_and_moment_by_keyboard(open_as: OpenAs, clinic: Clinic, clock: Clock) -> None:
    page = open_as(None)
    page.goto("/sign-in/")
    page.get_by_role("link", name="How does ketamine work?").click()
    told = page.locator("#shown")
    expect(told).to_contain_text("Esketamine nasal spray, 84 mg.")
    check_accessibility(page, "desktop", "tablet", "phone")

    page.get_by_role("radio", name="Esketamine nasal spray").focus()
    page.keyboard.press("ArrowDown")
    expect(told).to_contain_text("Ketamine infusion, 35 mg over 40 min.")
    expect(page.get_by_role("radio", name="Ketamine infusion")).to_be_checked()

    before = told.inner_text()
    page.get_by_role("slider", name="Dose").focus()
    page.keyboard.press("End")
    expect(told).to_contain_text("Ketamine infusion, 70 mg over 40 min.")
    page.get_by_role("slider", name="Look at").focus()
    page.keyboard.press("Home")
    expect(told).to_contain_text("0 min after the start: 0.0 ng/mL of ketamine in the blood")
    expect(page.get_by_role("slider", name="Look at")).to_be_focused()
    assert told.inner_text() != before

    page.get_by_text("The same as tables").click()
    expect(page.get_by_role("table").first).to_contain_text("ketamine in the blood, ng/mL")
    check_accessibility(page, "desktop", "phone")


def test_the_page_works_without_scripts(open_as: OpenAs, clinic: Clinic, clock: Clock) -> None:
    page = open_as(None, java_script_enabled=False)
    page.goto("/how-ketamine-works/")
    page.get_by_role("radio", name="Ketamine infusion").check(force=True)
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#shown")).to_contain_text("Ketamine infusion")
