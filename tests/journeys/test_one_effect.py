"""Hurried hands in a real browser: a double click, the way back, two tablets, two tabs, a disk that is full."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from ketaclinic.people.drawn import drawn_for_value
from ketaclinic.people.models import Caregiver, Clinic, Patient, PatientCorrection, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.record.trouble import standing
from tests.journeys.conftest import OpenAs
from tests.support.browser import DESKTOP, PHONE, TABLET, check_accessibility
from tests.support.clock import Clock
from tests.support.people import make_patient, make_staff

pytestmark = pytest.mark.browser


@pytest.fixture
def nurse(clinic: Clinic, clock: Clock) -> Staff:
    return make_staff(clinic, Role.NURSE)


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return make_patient(clinic)


def posts(page: Page) -> list[str]:
    """Return a list that grows with every request that writes."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    return sent


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_double_click_saves_once(open_as: OpenAs, nurse: Staff, patient: Patient, scripts: bool) -> None:
    page = open_as(nurse, TABLET, java_script_enabled=scripts)
    sent = posts(page)
    page.goto(f"/patients/{patient.pk}/caregivers/new/")
    page.get_by_label("Name", exact=True).fill("Synthetic Carer")
    page.get_by_role("button", name="Save", exact=True).dblclick()
    expect(page.get_by_text("Synthetic Carer is named as caregiver.")).to_have_count(1)
    assert Caregiver.objects.count() == 1
    if scripts:
        assert len(sent) == 1, "the page spares the server the second request"


def test_the_way_back_and_once_more_saves_once(open_as: OpenAs, nurse: Staff, patient: Patient) -> None:
    page = open_as(nurse, TABLET)
    page.goto(f"/patients/{patient.pk}/caregivers/new/")
    key = page.locator("main input[name=intent_key]").input_value()
    page.get_by_label("Name", exact=True).fill("Synthetic Carer")
    save(page)
    expect(page.get_by_text("Synthetic Carer is named as caregiver.")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Synthetic Carer")
    expect(page.locator("main input[name=intent_key]")).to_have_value(key)
    save(page)
    expect(page.get_by_text("Synthetic Carer is named as caregiver.")).to_have_count(1)
    assert Caregiver.objects.count() == 1
    page.go_back()
    page.get_by_label("Name", exact=True).fill("Somebody Else")
    page.watch.expect(422)  # type: ignore[attr-defined]
    save(page)
    expect(page.get_by_role("heading", name="This form was already sent")).to_be_visible()
    assert Caregiver.objects.count() == 1
    page.goto(f"/patients/{patient.pk}/caregivers/new/")
    expect(page.locator("main input[name=intent_key]")).not_to_have_value(key)


def test_sending_the_very_page_again_saves_once(open_as: OpenAs, nurse: Staff, patient: Patient) -> None:
    """A reload of what was posted: the browser sends the same form, with the same key."""
    page = open_as(nurse, TABLET)
    page.goto(f"/patients/{patient.pk}/caregivers/new/")
    page.get_by_label("Name", exact=True).fill("Synthetic Carer")
    again = """async () => {
        const form = document.querySelector("main form");
        const send = () => fetch(form.action, { method: "POST", body: new FormData(form) }).then((r) => r.url);
        return [await send(), await send(), await send()];
    }"""
    assert len(set(page.evaluate(again))) == 1
    assert Caregiver.objects.count() == 1


def test_two_tablets_change_one_number(open_as: OpenAs, clinic: Clinic, nurse: Staff, patient: Patient) -> None:
    desk = make_staff(clinic, Role.FRONT_DESK)
    first, second = open_as(nurse, TABLET), open_as(desk, TABLET)
    for page in (first, second):
        page.goto(f"/patients/{patient.pk}/correct/")
    first.get_by_label("Telephone").fill("+1 555 0101")
    first.get_by_label("E-mail").fill("synthetic@example.org")
    first.get_by_label("Why is the entry changed?").fill("a new number")
    first.get_by_role("button", name="Save the correction").click()
    expect(first.get_by_text("is corrected; the old value is kept")).to_be_visible()

    second.get_by_label("Telephone").fill("+1 555 0102")
    second.get_by_label("Why is the entry changed?").fill("told at the desk")
    second.watch.expect(409)  # type: ignore[attr-defined]
    second.get_by_role("button", name="Save the correction").click()
    expect(second.get_by_role("heading", name="This was changed while you had it open")).to_be_visible()
    expect(second.get_by_text(f"{nurse} changed it")).to_be_visible()
    row = second.get_by_role("group", name="Telephone")
    before = patient.phone
    for words in (before, "+1 555 0101", "+1 555 0102"):
        expect(row).to_contain_text(words)
    expect(second.get_by_role("group", name="E-mail")).to_contain_text("left as it was")
    check_accessibility(second, "desktop", "tablet", "phone")
    second.get_by_role("button", name="Save what I typed").click()
    expect(second.get_by_text("is corrected; the old value is kept")).to_be_visible()
    patient.refresh_from_db()
    assert patient.phone == "+1 555 0102", "who goes on deliberately is heard"
    assert patient.email == "synthetic@example.org", "what was left alone follows the newer value"
    kept = PatientCorrection.objects.filter(patient=patient, field="phone").order_by("pk")
    assert [(c.old_value, c.new_value) for c in kept] == [(before, "+1 555 0101"), ("+1 555 0101", "+1 555 0102")]


def test_a_form_of_one_tab_does_not_land_in_the_patient_of_the_other(
    open_as: OpenAs, clinic: Clinic, nurse: Staff, patient: Patient
) -> None:
    other = make_patient(clinic)
    page = open_as(nurse, TABLET)
    beside = page.context.new_page()
    page.goto(f"/patients/{patient.pk}/caregivers/new/")
    beside.goto(f"/patients/{other.pk}/caregivers/new/")
    assert page.locator("main input[name=drawn_for]").input_value() == drawn_for_value(patient.pk)
    page.get_by_label("Name", exact=True).fill("Carer of the first")
    save(page)
    expect(page.get_by_text("Carer of the first is named as caregiver.")).to_be_visible()
    assert Caregiver.objects.get().patient == patient, "the other tab changes nothing for this one"

    page.goto(f"/patients/{patient.pk}/caregivers/new/")
    page.get_by_label("Name", exact=True).fill("Carer of the first")
    page.evaluate(f"document.querySelector('main form').action = '/patients/{other.pk}/caregivers/new/'")
    page.watch.expect(409)  # type: ignore[attr-defined]
    save(page)
    expect(page.get_by_role("heading", name="This form was opened for another patient")).to_be_visible()
    check_accessibility(page, "tablet", "phone")
    assert not Caregiver.objects.filter(patient=other).exists()


def test_a_full_disk_is_told_at_the_top_of_every_page(open_as: OpenAs, nurse: Staff, patient: Patient) -> None:
    page = open_as(nurse, DESKTOP)
    standing.begins()
    try:
        for path in ("/patients/", f"/patients/{patient.pk}/details/"):
            page.goto(path)
            expect(page.locator("#writing-fails")).to_contain_text("NOTHING CAN BE SAVED")
        check_accessibility(page, "desktop", "tablet", "phone")
        page.set_viewport_size(PHONE)
    finally:
        standing.ends()
    page.goto("/patients/")
    expect(page.locator("#writing-fails")).to_have_count(0)
