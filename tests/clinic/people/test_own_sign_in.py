"""The sign-in of a patient or caregiver opens one patient's own page, and nothing else of the clinic."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.people.actions import give_access, withdraw_access
from ketaclinic.people.models import Clinic, Patient, PersonalAccess, Staff
from ketaclinic.people.permissions import ROLE_PERMISSIONS, OwnRole
from tests.support.doors import path_of
from tests.support.people import NOON, make_clinic, make_patient, make_staff
from tests.support.routes import GUARDED


@pytest.fixture
def own(clinic: Clinic, patient: Patient, nurse: Staff) -> PersonalAccess:
    return give_access(patient=patient, by=nurse, at=NOON)


def browser_of(access: PersonalAccess) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(access.user)
    return browser


def test_every_other_page_is_closed(own: PersonalAccess, patient: Patient) -> None:
    browser, opened = browser_of(own), []
    for name, route in GUARDED.items():
        if route.callback.permission in ROLE_PERMISSIONS[OwnRole.PATIENT]:
            continue
        for answer in (browser.get(path_of(name, patient_pk=patient.pk)), browser.post(path_of(name))):
            if answer.status_code not in (403, 405):
                opened.append(f"{name}: {answer.status_code}")
    assert opened == []
    assert browser.get("/", follow=True).status_code == 200


def test_nobody_elses_name_is_on_it(own: PersonalAccess, clinic: Clinic) -> None:
    other = make_patient(clinic, given_name="Wendeline", family_name="Oosterhout")
    page = browser_of(own).get("/", follow=True).content.decode()
    assert other.family_name not in page and other.record_number not in page


def test_withdrawn_it_opens_nothing_at_the_next_request(own: PersonalAccess, nurse: Staff) -> None:
    browser = browser_of(own)
    assert browser.get("/", follow=True).status_code == 200
    withdraw_access(access=own, by=nurse, at=NOON)
    answer = browser.get("/")
    assert answer.status_code == 302 and answer["Location"].startswith("/sign-in/")


def test_staff_of_another_clinic_neither_give_nor_withdraw(own: PersonalAccess, patient: Patient) -> None:
    stranger = make_staff(make_clinic(name="Another Synthetic Clinic"))
    with pytest.raises(PermissionDenied):
        withdraw_access(access=own, by=stranger, at=NOON)
    with pytest.raises(PermissionDenied):
        give_access(patient=patient, by=stranger, at=NOON)
