"""The consent pages: texts are signed off, read, signed by the patient, copied and taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from ketaclinic.consent.actions import sign_off_shipped_texts
from ketaclinic.consent.data import shipped_texts
from ketaclinic.consent.models import ConsentSignature, ConsentText, ConsentWithdrawal
from ketaclinic.consent.presenters import chart_card
from ketaclinic.consent.queries import text_in_force, valid_on
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from tests.clinic.planning.test_planning import decide
from tests.support.clock import Clock
from tests.support.people import NOON, make_clinic, make_staff

NASAL = "esketamine-nasal"


def words(reply: Any) -> str:
    return " ".join(reply.content.decode().split())


@pytest.fixture
def text(patient: Patient, prescriber: Staff) -> ConsentText:
    sign_off_shipped_texts(by=prescriber, at=NOON)
    found = text_in_force(patient.clinic, NASAL, NOON)
    assert found is not None
    return found


def filled(patient: Patient, text: ConsentText, **changes: str) -> dict[str, str]:
    """Return the form as a patient fills it in who understood everything."""
    said = {f"said_back_{question['id']}": "on" for question in text.questions}
    ticks = dict.fromkeys(("capacity_assessed", "questions_answered", "copy_given"), "on")
    return {"patient_name": str(patient), "registry_research": "no", **said, **ticks, **changes}


def sign_path(patient: Patient, text: ConsentText) -> str:
    return f"/consent/{patient.pk}/sign/{text.pk}/"


def test_texts_are_signed_off_on_the_page(as_prescriber: Client, patient: Patient) -> None:
    for shipped in shipped_texts():
        path = f"/consent/texts/sign-off/{shipped.product}/{shipped.language}/{shipped.version}/"
        assert as_prescriber.post(path).status_code == 409
        assert as_prescriber.post(path, {"read": "yes"}, follow=True).status_code == 200
        again = as_prescriber.post(path, {"read": "yes"})
        assert again.status_code == 409 and "already signed off" in words(again)
    assert as_prescriber.post("/consent/texts/sign-off/ketamine-iv/en/none/", {"read": "yes"}).status_code == 404
    page = words(as_prescriber.get("/consent/texts/"))
    for text in ConsentText.objects.of(patient.clinic):
        assert text.title in page
        assert as_prescriber.get(f"/consent/texts/{text.pk}/").status_code == 200
    assert as_prescriber.get("/consent/texts/999999/").status_code == 404


def test_only_the_medical_director_signs_off(patient: Patient) -> None:
    client = Client()
    client.force_login(make_staff(patient.clinic, Role.PRESCRIBER).user)
    shipped = shipped_texts()[0]
    path = f"/consent/texts/sign-off/{shipped.product}/{shipped.language}/{shipped.version}/"
    assert client.post(path, {"read": "yes"}).status_code == 403
    assert not ConsentText.objects.exists()


def test_the_patient_signs_gets_a_copy_and_takes_it_back(
    as_nurse: Client, patient: Patient, text: ConsentText, clock: Clock
) -> None:
    page = words(as_nurse.get(f"/consent/{patient.pk}/", {"product": NASAL}))
    assert text.title in page and all(q["question"] in page for q in text.questions)
    reply = as_nurse.post(sign_path(patient, text), filled(patient, text), follow=True)
    assert f"{patient} has signed" in words(reply)
    row = ConsentSignature.objects.get()
    assert row.registry_research is False and row.copy_given
    copy = words(as_nurse.get(f"/consent/signature/{row.pk}/"))
    assert text.sections[0]["heading"] in copy and str(patient) in copy
    clock.pass_minutes(1)
    reply = as_nurse.post(f"/consent/{patient.pk}/withdraw/{NASAL}/", {"said": "I do not want it."}, follow=True)
    assert "Nothing more is given" in words(reply) and "I do not want it." in words(reply)
    assert valid_on(patient, NASAL, clock.at).outcome == "withdrawn"
    again = as_nurse.post(f"/consent/{patient.pk}/withdraw/{NASAL}/", {})
    assert again.status_code == 409 and ConsentWithdrawal.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"patient_name": "Somebody Else"}, "the name typed is not that of"),
        ({"capacity_assessed": ""}, "CON-10: that the patient is able to decide"),
        ({"questions_answered": ""}, "questions were answered"),
        ({"copy_given": ""}, "CON-13: the patient has no copy"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_lost(
    as_nurse: Client, patient: Patient, text: ConsentText, change: dict[str, str], told: str
) -> None:
    reply = as_nurse.post(
        sign_path(patient, text), filled(patient, text, interpreter="Synthetic Interpreter", **change)
    )
    assert reply.status_code == 409
    assert told in words(reply) and "Synthetic Interpreter" in words(reply)
    assert not ConsentSignature.objects.exists()


def test_a_point_that_was_not_said_back_is_explained_again(
    as_nurse: Client, patient: Patient, text: ConsentText
) -> None:
    first = text.questions[0]
    form = filled(patient, text)
    del form[f"said_back_{first['id']}"]
    reply = as_nurse.post(sign_path(patient, text), form)
    assert reply.status_code == 409 and f"not said back in own words: {first['question']}" in words(reply)


def test_without_a_name_the_field_is_marked(as_nurse: Client, patient: Patient, text: ConsentText) -> None:
    page = words(as_nurse.post(sign_path(patient, text), filled(patient, text, patient_name="")))
    assert 'aria-invalid="true"' in page and not ConsentSignature.objects.exists()


def test_an_earlier_wording_can_no_longer_be_signed(
    as_nurse: Client, patient: Patient, text: ConsentText, prescriber: Staff, clock: Clock
) -> None:
    clock.pass_days(1)
    ConsentText.objects.create(
        clinic=text.clinic,
        product=text.product,
        version=text.version + "b",
        language=text.language,
        title=text.title,
        sections=text.sections,
        questions=text.questions,
        digest="another",
        effective_from=clock.at.date(),
        signed_off_by=prescriber,
        at=clock.at,
    )
    reply = as_nurse.post(sign_path(patient, text), filled(patient, text))
    assert reply.status_code == 409 and "not the one in force" in words(reply)


def test_the_front_desk_neither_reads_nor_takes_consent(patient: Patient, text: ConsentText) -> None:
    desk = Client()
    desk.force_login(make_staff(patient.clinic, Role.FRONT_DESK).user)
    assert desk.get(f"/consent/{patient.pk}/").status_code == 403
    assert desk.post(sign_path(patient, text), filled(patient, text)).status_code == 403


def test_consent_of_another_clinic_is_not_found(as_nurse: Client, patient: Patient, text: ConsentText) -> None:
    as_nurse.post(sign_path(patient, text), filled(patient, text))
    row = ConsentSignature.objects.get()
    stranger = Client()
    stranger.force_login(make_staff(make_clinic(name="Elsewhere"), Role.NURSE).user)
    for path in (f"/consent/{patient.pk}/", f"/consent/signature/{row.pk}/", f"/consent/texts/{text.pk}/"):
        assert stranger.get(path).status_code in (403, 404)
    assert stranger.post(f"/consent/{patient.pk}/withdraw/{NASAL}/", {}).status_code == 404


def test_the_chart_says_how_consent_stands(
    as_nurse: Client, patient: Patient, text: ConsentText, prescriber: Staff, clock: Clock
) -> None:
    assert chart_card(patient, clock.at) is None
    decide(patient, prescriber)
    card = chart_card(patient, clock.at)
    assert card is not None
    before = card.words
    as_nurse.post(sign_path(patient, text), filled(patient, text))
    card = chart_card(patient, clock.at + timedelta(minutes=1))
    assert card is not None and card.words != before and card.mark == "fine"
