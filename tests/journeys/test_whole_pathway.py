"""One patient's whole way, from another system's record to maintenance, walked by a prescriber and a nurse."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.permissions import Role
from tests.journeys import steps
from tests.journeys.conftest import OpenAs
from tests.journeys.steps import AtTheChair, People
from tests.support.browser import DESKTOP
from tests.support.clock import Clock
from tests.support.people import make_staff
from tests.support.tree import ROOT

TABLET = {"width": 1180, "height": 820}
SHARED = ROOT.parent / "shared/fhir/synthea-r4"
SHIPPED = ROOT / "src/ketaclinic/demo/data"
FIRST_DAY = date(2026, 11, 24)

NASAL, INFUSION = "esketamine-nasal", "ketamine-iv"


def record_of_somebody() -> Path:
    """Return a synthetic record: the one of the reference where it lies beside the checkout, else one we ship."""
    found = sorted(SHARED.glob("Milan_Beatty*.json")) or sorted(SHIPPED.glob("*.fhir.json"))
    return found[0]


@pytest.fixture
def people(open_as: OpenAs, clinic: Clinic, clock: Clock) -> People:
    director = make_staff(clinic, Role.PRESCRIBER, is_medical_director=True)
    steps.sign_policies(director, clock)
    nurse = make_staff(clinic, Role.NURSE)
    return People(open_as(director, DESKTOP), open_as(nurse, TABLET), clock)


def prepared(people: People, clinic: Clinic, product: str, protocol: str) -> Patient:
    """Take somebody from the imported record to a booked series, as far as the day before the first session."""
    patient = steps.import_record(people, record_of_somebody(), clinic)
    people.look(people.go(people.prescriber, "journey:chart", patient.pk))
    steps.answer_screening(people, patient)
    people.clock.pass_minutes(10)
    steps.decide_to_treat(people, patient, product)
    people.clock.pass_minutes(20)
    steps.sign_off_texts(people)
    steps.take_consent(people, patient, product)
    people.clock.pass_minutes(15)
    steps.sign_plan(people, patient, protocol, FIRST_DAY)
    return patient


def refused_start(chair: AtTheChair) -> None:
    """Ask the server for the dose before the gate is passed: it says no, and names what is missing."""
    expect(chair.page.locator("#start")).to_contain_text("Not yet")
    expect(chair.page.locator("#dosing")).to_contain_text("Opens when the start gate is passed")
    refused = chair.ask_for_the_dose()
    assert refused.status == 409
    words = refused.text()
    assert "not done" in words
    assert "prescriber on site" in words.lower()


def went_home(people: People, chair: AtTheChair, escort: str) -> None:
    """Try to leave too early, then wait, prepare, sign and leave."""
    said = chair.try_to_leave_too_early()
    for missing in ("Letting the patient go home", "instructions", "prescriber"):
        assert missing in said, said
    people.look(chair.page)
    chair.at_minute(0)
    chair.escort_is_here(escort)
    chair.page.locator("#told").click()
    expect(chair.page.locator("#leaving")).to_contain_text("given and explained")


def leave(people: People, chair: AtTheChair) -> None:
    """Answer the release questions, measure, let the prescriber sign, and leave."""
    chair.measure("122/78")
    chair.answer("release", "l")
    people.go(people.prescriber, "treatment:session", chair.session)
    people.look(people.prescriber)
    people.prescriber.locator("#sign").click()
    expect(people.prescriber.locator("#leaving")).to_contain_text("Signed")
    chair.at_minute(1)
    expect(chair.page.locator("#live-leave")).to_contain_text("Ready")
    people.look(chair.page)
    chair.page.locator("#discharge").click()
    expect(chair.page.locator("#live-phases [aria-current=step], #live-phases .done").last).to_be_visible()
    expect(chair.page.locator("#discharge")).to_have_count(0)
    people.look(chair.page)


def sheet_says_no_driving(people: People, chair: AtTheChair) -> None:
    """Read back the aftercare sheet as a PDF."""
    people.look(people.go(people.nurse, "aftercare:page", chair.session))
    answer = people.nurse.request.get(steps.reverse("aftercare:sheet", args=[chair.session]))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/pdf"
    words = " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.body())).pages)
    assert "drive" in words.lower()
    assert "After your session" in words


def followed_up(people: People, patient: Patient) -> None:
    """Answer the scales, take and close the alert, and look at what comes next."""
    people.clock.pass_days(1)
    steps.answer_scale(people, patient, "phq9", dict.fromkeys(range(1, 9), 2) | {9: 1})
    steps.take_alert(people, patient)
    steps.answer_scale(people, patient, "gad7", dict.fromkeys(range(1, 8), 1))
    for page, name in (
        (people.prescriber, "maintenance:patient"),
        (people.nurse, "surveillance:patient"),
        (people.prescriber, "followup:patient"),
        (people.prescriber, "journey:timeline"),
        (people.prescriber, "journey:chart"),
    ):
        people.look(people.go(page, name, patient.pk))
    expect(people.prescriber.locator("main")).to_contain_text("PHQ-9")


def at_the_chair(people: People, patient: Patient, product: str) -> AtTheChair:
    """Come back the next morning, open the session and show that it may not start yet."""
    people.clock.pass_days(1)
    chair = AtTheChair(people, steps.open_session(people, patient, product, 1), product)
    chair.check_in()
    refused_start(chair)
    people.clock.pass_minutes(5)
    chair.answer("start", "q")
    chair.measure("124/78")
    chair.at_minute(2)
    expect(chair.page.locator("#dosing")).not_to_contain_text("Opens when")
    people.look(chair.page)
    return chair


@pytest.mark.takes_long
def test_the_whole_pathway_of_the_nasal_spray(people: People, clinic: Clinic) -> None:
    patient = prepared(people, clinic, NASAL, "esketamine-trd-us")
    chair = at_the_chair(people, patient, NASAL)
    chair.give_device(1)
    chair.at_minute(5)
    chair.give_device(2)
    people.look(chair.page)
    chair.at_minute(38)
    chair.measure("142/86", moaas=4, dissociation="mild")
    went_home(people, chair, "Synthetic Escort")
    chair.at_minute(90)
    leave(people, chair)
    sheet_says_no_driving(people, chair)
    followed_up(people, patient)


@pytest.mark.takes_long
def test_the_whole_pathway_of_the_infusion(people: People, clinic: Clinic) -> None:
    patient = prepared(people, clinic, INFUSION, "ketamine-iv-clinic")
    chair = at_the_chair(people, patient, INFUSION)
    chair.start_infusion()
    people.look(chair.page)
    chair.at_minute(20)
    chair.measure("138/84", moaas=4, dissociation="mild")
    chair.at_minute(20)
    chair.end_infusion()
    people.look(chair.page)
    went_home(people, chair, "Synthetic Escort")
    chair.at_minute(90)
    leave(people, chair)
    sheet_says_no_driving(people, chair)
    followed_up(people, patient)
