"""Consent is signed under a text the director signed off, and can be taken back."""

from __future__ import annotations

import pytest

from ketaclinic.consent.actions import sign_consent, sign_off_shipped_texts, withdraw_consent
from ketaclinic.consent.queries import text_in_force, valid_on
from ketaclinic.people.models import Patient, Staff
from ketacore.evidence import Refusal
from tests.support.people import NOON


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
