"""The band of expected concentrations behind the readings: it follows the doses given, and knows when to be silent."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.test import Client

from ketaclinic.people.models import Patient, Staff
from ketaclinic.pkpd.presenters.courses import NoCourse
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.models import Session
from ketaclinic.treatment.presenters.expected import course, doses_of
from ketacore.pkpd import Person, Regimen, Route, ensemble
from ketacore.treatment.course import first_dose_at
from ketacore.treatment.facts import INFUSION
from tests.clinic.treatment_screens.floor import device, event, infused, make_session, observed
from tests.support.clock import Clock


@pytest.fixture
def sprayed(patient: Patient, nurse: Staff, clock: Clock) -> Session:
    session = make_session(patient, nurse, clock.at - timedelta(minutes=60))
    observed(session, nurse, clock.at, 40)
    return session


@pytest.fixture
def running(patient: Patient, nurse: Staff, clock: Clock) -> Session:
    session = make_session(patient, nurse, clock.at - timedelta(minutes=60), product=INFUSION)
    infused(session, nurse, clock.at, 20)
    return session


def test_devices_count_at_the_moments_they_were_given(sprayed: Session, clock: Clock) -> None:
    facts = facts_of(sprayed, clock.at)
    since = first_dose_at(facts)
    assert since is not None
    doses = doses_of(facts, since, clock.at)
    assert [d.start_min for d in doses] == sorted(d.start_min for d in doses) and doses[0].start_min == 0
    assert Regimen(doses_of(facts, since, clock.at)).places() == tuple((n,) for n in range(len(doses)))
    found = course(sprayed, facts, clock.at)
    assert found is not None and found.found.analyte == "S-ketamine" and "nine of ten people" in found.found.basis


def test_weight_makes_no_difference_to_a_spray(sprayed: Session, clock: Clock) -> None:
    facts = facts_of(sprayed, clock.at)
    since = first_dose_at(facts)
    assert since is not None
    given = Regimen(doses_of(facts, since, clock.at))
    light, heavy = (ensemble(given, Person(45, kg), [60.0]).band("S-ketamine") for kg in (45, 140))
    assert np.array_equal(light, heavy)


def test_a_running_infusion_is_taken_to_its_end(running: Session, clock: Clock) -> None:
    facts = facts_of(running, clock.at)
    since = first_dose_at(facts)
    assert since is not None
    (dose,) = doses_of(facts, since, clock.at)
    later = doses_of(facts, since, clock.at + timedelta(minutes=3))[0]
    assert dose.route is Route.IV and dose == later and dose.amount_mg == pytest.approx(float(running.dose_mg or 0))


def test_a_new_device_changes_what_is_expected(patient: Patient, nurse: Staff, clock: Clock) -> None:
    session = make_session(patient, nurse, clock.at - timedelta(minutes=30))
    for number, minutes in ((1, 20), (2, 10)):
        device(session, nurse, clock.at - timedelta(minutes=minutes), number)
        found = course(session, facts_of(session, clock.at), clock.at)
        assert found is not None
        if number == 1:
            once = found.highest[2]
    assert found.highest[2] > once


def test_the_page_draws_and_says_it(as_nurse: Client, sprayed: Session) -> None:
    shown = as_nurse.get(f"/treatment/session/{sprayed.pk}/").content.decode()
    picture = re.search(r'<svg class="picture"[^>]*aria-label="([^"]+)"', shown)
    assert picture is not None and "models expect the most esketamine" in picture[1] and "no order" in picture[1]
    assert shown.count("g-edge ahead") == 3 and "g-expect" in shown
    assert "It explains, it does not order" in shown


def test_nothing_is_expected_without_a_dose_a_weight_or_a_model(
    as_nurse: Client, running: Session, clock: Clock
) -> None:
    facts = facts_of(running, clock.at)
    before = [e for e in facts.events if e.at < (first_dose_at(facts) or clock.at)]
    assert course(running, type(facts)(product=INFUSION, events=tuple(before)), clock.at) is None
    running.weight_kg = None
    assert course(running, facts, clock.at) == NoCourse("no weight is on record")
    running.weight_kg = Decimal(70)
    running.patient.birth_date = clock.at.date() - timedelta(days=10 * 365)
    found = course(running, facts, clock.at)
    assert isinstance(found, NoCourse) and "describes adults" in found.because
    running.patient.save()
    shown = as_nurse.get(f"/treatment/session/{running.pk}/").content.decode()
    assert "No band of expected values is drawn: " in shown and "describes adults" in shown and "g-expect" not in shown


def test_a_closed_session_keeps_its_picture(as_nurse: Client, running: Session, nurse: Staff, clock: Clock) -> None:
    event(running, nurse, clock.at, "infusion_end")
    event(running, nurse, clock.at, "stopped", outcome="emergency_transfer", reason="pressure")
    address = f"/treatment/session/{running.pk}/"
    first = re.findall(r'class="g-e[^"]*" d="[^"]+"', as_nurse.get(address).content.decode())
    clock.pass_minutes(600)
    assert first and first == re.findall(r'class="g-e[^"]*" d="[^"]+"', as_nurse.get(address).content.decode())


def test_where_the_highest_pressure_is_expected_is_a_box_above_the_reading_before(
    as_nurse: Client, running: Session, clock: Clock
) -> None:
    found = course(running, facts_of(running, clock.at), clock.at)
    assert found is not None
    low, high = found.rise.low, found.rise.high
    first, last = found.rise_between
    assert 0 < low < 12.61 < high and found.since < first < last  # 12.61 mmHg: the published mean of maxima
    shown = as_nurse.get(f"/treatment/session/{running.pk}/").content.decode()
    assert shown.count('class="g-expect"') == 2
    assert f"{low:.0f} to {high:.0f} mmHg above the reading before the dose in at least eight of ten people" in shown


def test_an_infusion_of_no_length_expects_nothing(patient: Patient, nurse: Staff, clock: Clock) -> None:
    session = make_session(patient, nurse, clock.at - timedelta(minutes=60), product=INFUSION)
    infused(session, nurse, clock.at, 0)
    event(session, nurse, clock.at, "infusion_end")
    assert course(session, facts_of(session, clock.at), clock.at) == NoCourse("nothing has flowed yet")


def test_an_infusion_that_ended_early_says_how_much_was_given(
    as_nurse: Client, running: Session, nurse: Staff, clock: Clock
) -> None:
    page = as_nurse.get(f"/treatment/session/{running.pk}/").content.decode()
    assert "Ketamine 39 mg IV" in page
    event(running, nurse, clock.at, "infusion_end", reason="headache")
    for address in (f"/treatment/session/{running.pk}/", "/treatment/floor/"):
        page = as_nurse.get(address).content.decode()
        assert re.search(r"Ketamine \d+(\.\d)? of 39 mg IV", page) and "Ketamine 39 mg IV" not in page, address
