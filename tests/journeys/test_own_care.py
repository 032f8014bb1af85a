"""A patient and a caregiver at home, with a telephone; and a chart opened in an emergency at the front desk."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.people.actions import give_access, name_caregiver
from ketaclinic.people.models import Clinic
from ketaclinic.people.permissions import Role
from tests.clinic.treatment_screens.floor import make_session, observed, sign_limits
from tests.journeys.conftest import OpenAs
from tests.support.browser import PHONE, check_accessibility
from tests.support.clock import Clock
from tests.support.people import make_patient, make_staff

SIZES = ("phone", "tablet", "desktop")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_patient_tells_how_they_have_been(scheme: str, open_as: OpenAs, clinic: Clinic, clock: Clock) -> None:
    nurse = make_staff(clinic, Role.NURSE)
    patient = make_patient(clinic)
    page = open_as(give_access(patient=patient, by=nurse, at=clock.at), PHONE, color_scheme=scheme)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {patient.given_name}.")
    check_accessibility(page, *SIZES)
    page.get_by_role("link", name="Start").click()
    check_accessibility(page, *SIZES)
    for number in range(1, 10):
        question = page.locator(f"#q{number}")
        question.get_by_label("Not at all" if number == 9 else "Several days").check()
        page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Your answers are with the clinic.")).to_be_visible()
    expect(page.get_by_text("8 points of 27.")).to_be_visible()
    expect(page.get_by_role("img", name="Points of 27 on your last forms")).to_be_visible()
    check_accessibility(page, *SIZES)
    assert ScaleAnswer.objects.get().told_by is not None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_caregiver_sees_when_to_come(scheme: str, open_as: OpenAs, clinic: Clinic, clock: Clock) -> None:
    director = make_staff(clinic, Role.PRESCRIBER, is_medical_director=True)
    sign_limits(director, clock.at)
    patient = make_patient(clinic)
    carer = name_caregiver(patient=patient, by=director, at=clock.at, name="Synthetic Carer")
    observed(make_session(patient, director, clock.at - timedelta(minutes=80)), director, clock.at, 60)
    page = open_as(give_access(patient=patient, caregiver=carer, by=director, at=clock.at), PHONE, color_scheme=scheme)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{patient.given_name} is resting.")
    expect(page.get_by_role("heading", name=f"Come to pick {patient.given_name} up")).to_be_visible()
    expect(page.get_by_text("Get emergency help at once")).to_be_visible()
    expect(page.get_by_text(patient.family_name)).to_have_count(0)
    check_accessibility(page, *SIZES)


def test_the_front_desk_opens_a_chart_in_an_emergency_and_the_manager_reviews_it(
    open_as: OpenAs, clinic: Clinic, clock: Clock
) -> None:
    patient = make_patient(clinic)
    desk = open_as(make_staff(clinic, Role.FRONT_DESK))
    desk.goto(f"/patients/{patient.pk}/details/")
    desk.get_by_role("link", name="Open the chart in an emergency").click()
    check_accessibility(desk, *SIZES)
    desk.get_by_label("What is happening").fill("Found unconscious in the waiting room, nobody of the floor answers.")
    desk.get_by_role("button", name="Open the chart for reading").click()
    expect(desk.get_by_text("EMERGENCY ACCESS")).to_be_visible()
    check_accessibility(desk, *SIZES)
    manager = open_as(make_staff(clinic, Role.MANAGER))
    manager.goto("/")
    manager.get_by_role("link", name="opened a chart").click()
    check_accessibility(manager, *SIZES)
    manager.get_by_label("It was justified").check()
    manager.get_by_label("What you found").fill("An ambulance came in time.")
    manager.get_by_role("button", name="Keep the review").click()
    expect(manager.get_by_text("An ambulance came in time.")).to_be_visible()
    check_accessibility(manager, *SIZES)


def test_the_front_desk_gives_a_patient_access(open_as: OpenAs, clinic: Clinic, clock: Clock) -> None:
    patient = make_patient(clinic)
    page = open_as(make_staff(clinic, Role.FRONT_DESK))
    page.goto(f"/patients/{patient.pk}/details/")
    page.get_by_role("link", name="Their own sign-in").click()
    page.get_by_role("button", name="Give access").click()
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("heading", name="Link for")).to_be_visible()
    check_accessibility(page, *SIZES)
