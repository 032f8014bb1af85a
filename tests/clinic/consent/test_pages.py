"""The consent pages: texts are signed off, read, signed and taken back."""

from __future__ import annotations

from django.test import Client

from ketaclinic.consent.data import shipped_texts
from ketaclinic.consent.models import ConsentText
from ketaclinic.people.models import Patient


def test_texts_are_signed_off_on_the_page_and_consent_is_taken_back(as_prescriber: Client, patient: Patient) -> None:
    for shipped in shipped_texts():
        path = f"/consent/texts/sign-off/{shipped.product}/{shipped.language}/{shipped.version}/"
        assert as_prescriber.post(path).status_code == 409
        assert as_prescriber.post(path, {"read": "yes"}, follow=True).status_code == 200
    assert as_prescriber.post("/consent/texts/sign-off/ketamine-iv/en/none/", {"read": "yes"}).status_code == 404
    assert as_prescriber.get("/consent/texts/").status_code == 200
    for text in ConsentText.objects.of(patient.clinic):
        assert as_prescriber.get(f"/consent/texts/{text.pk}/").status_code == 200
        path = f"/consent/{patient.pk}/sign/{text.pk}/"
        assert as_prescriber.post(path, {}).status_code in (200, 409, 422)
    assert as_prescriber.get("/consent/texts/999999/").status_code == 404
