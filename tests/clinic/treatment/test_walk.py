"""A nasal session from opening to home, entries sent twice, corrections, and the sheet read back from its PDF."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from pypdf import PdfReader

from ketaclinic.aftercare.actions import give_instructions, prepare_sheet, print_sheet
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.planning.models import Plan
from ketaclinic.treatment import actions, queries
from ketaclinic.treatment.models import Session
from ketacore.evidence import Refusal
from tests.support.people import NOON, make_clinic, make_patient, make_staff


@pytest.fixture
def session(clinic: Clinic, patient: Patient, prescriber: Staff, nurse: Staff) -> Session:
    plan = Plan.objects.create(
        clinic=clinic,
        patient=patient,
        at=NOON - timedelta(days=1),
        recorded_at=NOON,
        recorded_by=prescriber,
        protocol_id="esketamine-trd-us",
        protocol_version=1,
        product="esketamine-nasal",
        dose_mg=Decimal(84),
        starts_on=NOON.date(),
        signed_by=prescriber,
    )
    return actions.open_session(patient=patient, plan=plan, by=nurse, at=NOON, chair=1, entry_key="open-1")


def test_the_first_session_is_opened_with_the_first_day_dose(session: Session) -> None:
    assert session.dose_mg == Decimal(56)


def test_the_same_entry_twice_is_one_row(session: Session, nurse: Staff) -> None:
    values = {"systolic": 128, "diastolic": 80, "entry_key": "k1"}
    first = actions.record_vitals(session=session, by=nurse, at=NOON, **values)
    assert actions.record_vitals(session=session, by=nurse, at=NOON, **values).pk == first.pk
    with pytest.raises(Refusal, match="already used"):
        actions.record_vitals(session=session, by=nurse, at=NOON, **{**values, "systolic": 129})


def test_a_device_before_the_gate_is_refused_and_names_what_is_missing(session: Session, nurse: Staff) -> None:
    actions.arrive(session=session, by=nurse, at=NOON)
    with pytest.raises(Refusal, match="missing: blood pressure before the dose"):
        actions.give_device(
            session=session, number=1, lot="L", expires_on=NOON.date(), by=nurse, at=NOON + timedelta(minutes=1)
        )
    assert queries.standing_events_of(session, NOON + timedelta(hours=1)).count() == 1


def test_amending_keeps_the_old_value(session: Session, nurse: Staff) -> None:
    wrong = actions.record_vitals(session=session, by=nurse, at=NOON, systolic=194, diastolic=92)
    later = NOON + timedelta(minutes=1)
    actions.amend_event(event=wrong, by=nurse, at=later, reason="mistyped", payload={"systolic": 149, "diastolic": 92})
    assert [e.payload["systolic"] for e in queries.standing_events_of(session, later)] == [149]
    assert queries.events_of(session, later).count() == 2


def test_only_a_prescriber_decides_about_a_stop(session: Session, nurse: Staff) -> None:
    with pytest.raises(PermissionDenied):
        actions.record_prescriber_decision(
            session=session, about="SPR-PRE-01-DOSE", ruling="go_ahead", reason="x", by=nurse, at=NOON
        )


def test_a_session_of_another_clinic_is_not_found(session: Session, client: Client) -> None:
    stranger = make_staff(make_clinic(name="Other"), "nurse")
    client.force_login(stranger.user)
    assert client.get(f"/treatment/session/{session.pk}/").status_code == 404
    assert client.get(f"/aftercare/session/{session.pk}/sheet.pdf").status_code == 404


def test_the_floor_is_read_within_a_few_queries(
    session: Session, as_nurse: Client, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert as_nurse.get("/treatment/floor/").status_code == 200


@pytest.mark.parametrize("name", ["#panic(1)", "*x* `y`", "<script>alert(1)</script>", "שלום", "N" * 80, "\\u{41} $x$"])
def test_the_sheet_prints_any_name_as_letters(session: Session, nurse: Staff, clinic: Clinic, name: str) -> None:
    session.patient = make_patient(clinic, family_name=name)
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(print_sheet(prepare_sheet(session, NOON)))).pages)
    assert "No driving until the next day, after a restful sleep" in text.replace("\n", " ")
    assert "+1 555 0100" in text and "SYNTHETIC" in text
    if name.isascii() and len(name) < 40:
        assert name in text


def test_giving_the_sheet_twice_is_one_row(session: Session, nurse: Staff) -> None:
    first = give_instructions(session=session, by=nurse, at=NOON, entry_key="s1")
    assert give_instructions(session=session, by=nurse, at=NOON, entry_key="s1").pk == first.pk
