"""Consent is signed under a text the director signed off, and can be taken back."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.consent.actions import sign_consent, sign_off_shipped_texts, withdraw_consent
from ketaclinic.consent.queries import text_in_force, valid_on
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from ketacore.evidence import Refusal
from tests.support.people import NOON, make_clinic, make_staff


def test_signed_then_taken_back(patient: Patient, prescriber: Staff, nurse: Staff, as_nurse) -> None:
    product = "ketamine-iv"
    assert "No text is in force" in as_nurse.get(f"/consent/{patient.pk}/?product={product}").content.decode()
    sign_off_shipped_texts(by=prescriber, at=NOON)
    text = text_in_force(patient.clinic, product, NOON)
    assert text is not None
    said = {q["id"]: True for q in text.questions}
    ticks = {"copy_given": True, "capacity_assessed": True, "questions_answered": True}
    act = {"patient": patient, "text": text, "by": nurse, "at": NOON, **ticks}
    with pytest.raises(Refusal, match="not said back"):
        sign_consent(**act, patient_name=str(patient), teach_back={})
    sign_consent(**act, patient_name=str(patient), teach_back=said)
    assert valid_on(patient, product, NOON).outcome == "valid"
    assert valid_on(patient, "esketamine-nasal", NOON).outcome == "other_route"
    assert as_nurse.get(f"/consent/{patient.pk}/?product={product}").status_code == 200
    withdraw_consent(patient=patient, product=product, by=nurse, at=NOON)
    assert valid_on(patient, product, NOON).outcome == "withdrawn"


def test_another_clinics_staff_neither_takes_nor_takes_back(patient: Patient, prescriber: Staff, nurse: Staff) -> None:
    product = "esketamine-nasal"
    sign_off_shipped_texts(by=prescriber, at=NOON)
    text = text_in_force(patient.clinic, product, NOON)
    assert text is not None
    stranger = make_staff(make_clinic(name="Elsewhere"), Role.NURSE)
    ticks = {"copy_given": True, "capacity_assessed": True, "questions_answered": True}
    act = {"patient": patient, "text": text, "at": NOON, "patient_name": str(patient), **ticks}
    said = {q["id"]: True for q in text.questions}
    with pytest.raises(PermissionDenied):
        sign_consent(**act, teach_back=said, by=stranger)
    sign_consent(**act, teach_back=said, by=nurse)
    with pytest.raises(PermissionDenied):
        withdraw_consent(patient=patient, product=product, by=stranger, at=NOON)
    assert valid_on(patient, product, NOON).outcome == "valid"


def test_the_page_leads_back_to_the_chart_and_writes_days_one_way(
    as_nurse: Client, patient: Patient, prescriber: Staff, nurse: Staff
) -> None:
    sign_off_shipped_texts(by=prescriber, at=NOON)
    text = text_in_force(patient.clinic, "esketamine-nasal", NOON)
    assert text is not None
    ticks = {"copy_given": True, "capacity_assessed": True, "questions_answered": True}
    said = {q["id"]: True for q in text.questions}
    sign_consent(patient=patient, text=text, by=nurse, at=NOON, patient_name=str(patient), teach_back=said, **ticks)
    page = as_nurse.get(f"/consent/{patient.pk}/?product=esketamine-nasal").content.decode()
    assert f'href="/patients/{patient.pk}/"' in page
    assert "signed on 23 Nov 2026" in page and "signed on 2026" not in page
