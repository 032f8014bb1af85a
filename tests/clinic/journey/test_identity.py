"""One person's page shows two things that tell them apart: the name, and birth date or record number."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.permissions import Role, may
from ketaclinic.people.presenters import day_words
from tests.support.doors import ONE_PATIENT
from tests.support.matrix import WORDS
from tests.support.people import make_patient, make_staff
from tests.support.routes import GUARDED, ROUTES

PARTS = {"journey:findings"}
"""Answers that a page about the person takes into itself."""
PAGES = [name for name in ONE_PATIENT if set(ROUTES[name].pattern.converters) <= {"patient_pk", *WORDS}]
PAGES = [name for name in PAGES if name not in PARTS]


def shown(page: str) -> str:
    """Return the words of a page, without what only machines read."""
    body = re.sub(r"<(script|style|title|template)\b.*?</\1>", " ", page.split("<body", 1)[-1], flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.mark.django_db
def test_every_page_about_one_person_names_them_twice(clinic: Clinic) -> None:
    patient: Patient = make_patient(clinic, given_name="Wendeline", family_name="Oosterhout")
    born = day_words(patient.birth_date)
    looked_at, unclear = [], []
    for name in PAGES:
        role = next(role for role in Role if may(role, GUARDED[name].callback.permission))
        browser = Client()
        browser.force_login(make_staff(clinic, role, is_medical_director=role is Role.PRESCRIBER).user)
        keys = {k: WORDS.get(k, patient.pk) for k in ROUTES[name].pattern.converters}
        reply = browser.get(reverse(name, kwargs=keys), follow=True)
        if reply.status_code != 200:
            continue  # there is no such page before something happened, or it only takes what is sent
        words = shown(reply.content.decode())
        looked_at.append(name)
        if "Oosterhout" not in words or not (patient.record_number in words or born in words):
            unclear.append(name)
    assert unclear == []
    assert {"journey:chart", "screening:patient", "consent:patient", "planning:patient"} <= set(looked_at)
    assert len(looked_at) > 12
