"""Fixtures every level of tests may use."""

from __future__ import annotations

import pytest
from django.test import Client

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from tests.support.people import make_clinic, make_patient, make_staff

pytest_plugins = ["tests.support.no_skips"]


@pytest.fixture
def clinic(db: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def prescriber(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.PRESCRIBER, is_medical_director=True)


@pytest.fixture
def nurse(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.NURSE)


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return make_patient(clinic)


@pytest.fixture
def as_prescriber(client: Client, prescriber: Staff) -> Client:
    client.force_login(prescriber.user)
    return client


@pytest.fixture
def as_nurse(nurse: Staff) -> Client:
    client = Client()
    client.force_login(nurse.user)
    return client
