"""The prescriber decides: what keeps "treat" from being kept, and what is kept with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from ketaclinic.audit.models import AuditEntry
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.record.models import StoredDecision, TimelineEntry
from ketaclinic.screening import actions, queries
from ketaclinic.screening.models import CandidacyDecision
from ketacore.evidence import Refusal
from tests.clinic.screening.candidate import IV, NASAL, ask_everything, sign_screening
from tests.support.people import NOON, make_clinic, make_staff


@pytest.fixture
def signed(prescriber: Staff) -> Staff:
    sign_screening(prescriber)
    return prescriber


@pytest.fixture
def second(signed: Staff) -> Staff:
    return make_staff(signed.clinic, Role.PRESCRIBER)


def decide(patient: Patient, by: Staff, **fields: Any) -> CandidacyDecision:
    told = {"product": NASAL, "verdict": "treat", "reason": "Two trials failed."}
    return actions.decide_candidacy(patient=patient, by=by, at=NOON, **{**told, **fields})


def test_nothing_speaks_against_treating(patient: Patient, signed: Staff) -> None:
    ask_everything(patient, signed)
    decision, _ = actions.assess(patient, NASAL, NOON)
    assert decision.outcome == "candidate"
    assert list(queries.awaiting_decision(patient.clinic, NOON)) == [patient]
    row = decide(patient, signed, overrides={"SPR-CI-01": "  "}, reason=" Two trials failed. ")
    assert (str(row), row.reason, row.overrides) == ("Treat: Esketamine nasal", "Two trials failed.", {})
    assert row.decision.outcome == "candidate"
    assert queries.candidacy(patient, NASAL, NOON) == row
    assert queries.candidacy(patient, IV, NOON) is None
    assert not queries.awaiting_decision(patient.clinic, NOON).exists()
    assert TimelineEntry.objects.filter(patient=patient, kind="candidacy", detail="Two trials failed.").count() == 1
    assert AuditEntry.objects.filter(action="decide_candidacy").count() == 1


@pytest.mark.parametrize(
    ("told", "fields", "because"),
    [
        ({}, {"verdict": ""}, "nothing is not a verdict"),
        ({}, {"verdict": "maybe"}, "maybe is not a verdict"),
        ({}, {"reason": "  "}, "no reason was given"),
        ({}, {"product": "aspirin"}, "aspirin is not a product"),
        ({"pregnant": ""}, {}, "not asked:"),
        ({"psychosis_history": "yes"}, {}, "no reason for .*SPR-PRE-07"),
        ({"psychosis_history": "yes"}, {"overrides": {"SPR-PRE-07": " "}}, "no reason for"),
        ({"psychosis_history": "not_known"}, {"overrides": {"SPR-W-09": "x"}}, "no reason for"),
        ({"pregnant": "yes"}, {"overrides": {"SPR-W-09": "Talked through."}}, "SPR-W-09 needs a second signature"),
    ],
)
def test_a_decision_is_refused(
    patient: Patient, signed: Staff, told: dict[str, str], fields: dict[str, Any], because: str
) -> None:
    ask_everything(patient, signed, **told)
    with pytest.raises(Refusal, match=because):
        decide(patient, signed, **fields)
    assert not CandidacyDecision.objects.exists()
    assert not StoredDecision.objects.exists()


@pytest.mark.parametrize("verdict", ["wait", "decline"])
def test_to_wait_or_decline_needs_only_a_reason(patient: Patient, signed: Staff, second: Staff, verdict: str) -> None:
    row = decide(patient, signed, verdict=verdict, overrides={"SPR-PRE-07": "x"}, second_signer=second)
    assert (row.verdict, row.overrides, row.second_signer) == (verdict, {}, None)


def test_a_soft_stop_passes_with_its_reason(patient: Patient, signed: Staff) -> None:
    ask_everything(patient, signed, psychosis_history="yes")
    row = decide(patient, signed, overrides={"SPR-PRE-07": " One episode in 1999. "})
    assert row.overrides == {"SPR-PRE-07": "One episode in 1999."}
    assert AuditEntry.objects.get(action="override SPR-PRE-07").reason == "One episode in 1999."


PREGNANT = {"overrides": {"SPR-W-09": "Talked through with obstetrics."}}


def test_the_second_signature_is_kept(patient: Patient, signed: Staff, second: Staff) -> None:
    ask_everything(patient, signed, pregnant="yes")
    assert decide(patient, signed, **PREGNANT, second_signer=second).second_signer == second


def test_only_another_prescriber_of_this_clinic_signs_second(patient: Patient, signed: Staff, nurse: Staff) -> None:
    ask_everything(patient, signed, pregnant="yes")
    gone = make_staff(signed.clinic, Role.PRESCRIBER, is_active=False)
    for other in (signed, nurse, gone, make_staff(make_clinic(name="Another"), Role.PRESCRIBER)):
        with pytest.raises(Refusal, match="cannot be the second to sign"):
            decide(patient, signed, **PREGNANT, second_signer=other)


def test_a_contraindication_passes_only_where_the_clinic_says_so(patient: Patient, prescriber: Staff) -> None:
    sign_screening(prescriber, "DEC-01")
    ask_everything(patient, prescriber, aneurysmal_disease="yes")
    passing = {"overrides": {"SPR-CI-01": "Repaired."}, "second_signer": make_staff(prescriber.clinic)}
    with pytest.raises(Refusal, match="DEC-01"):
        decide(patient, prescriber, **passing)
    sign_screening(prescriber)
    assert decide(patient, prescriber, **passing).overrides == {"SPR-CI-01": "Repaired."}


def test_only_a_prescriber_of_this_clinic_decides(patient: Patient, nurse: Staff) -> None:
    for by in (nurse, make_staff(make_clinic(name="Another"), Role.PRESCRIBER)):
        with pytest.raises(PermissionDenied):
            decide(patient, by, verdict="wait")
