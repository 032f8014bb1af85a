"""Reads of consent, always within one clinic."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from django.db.models import QuerySet

from ketaclinic.consent.facts import facts_of, facts_of_products
from ketaclinic.consent.models import ConsentSignature, ConsentText, ConsentWithdrawal
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.queries import one_in
from ketaclinic.policy.queries import setting_of
from ketacore.consent import consent_valid
from ketacore.evidence import Decision


def valid_on(patient: Patient, product: str, at: datetime, planned_dose: float | None = None) -> Decision:
    """Return whether the patient's consent for ``product`` stands at ``at``; the session gate asks this.

    ``planned_dose`` is the dose about to be given, in the unit of the text (mg or mg/kg).
    """
    setting = setting_of(patient.clinic, at, product)
    return consent_valid(facts_of(patient, product, at, planned_dose), setting)


def valid_for_products(
    clinic: Clinic, asked: Mapping[str, Collection[int]], at: datetime
) -> dict[str, dict[int, Decision]]:
    """Return the same for patients of several products, signatures and policies read once."""
    setting = setting_of(clinic, at)
    return {
        product: {pk: consent_valid(facts, replace(setting, product=product)) for pk, facts in by_patient.items()}
        for product, by_patient in facts_of_products(clinic, asked, at).items()
    }


def text_in_force(clinic: Clinic, product: str, at: datetime, language: str = "en") -> ConsentText | None:
    """Return the text a patient signs at ``at``: the newest that has come into force, in the language or in English."""
    texts = ConsentText.objects.of(clinic).filter(product=product, effective_from__lte=clinic.day_of(at), at__lte=at)
    newest = texts.select_related("signed_off_by").order_by("-effective_from", "-at", "-pk")
    found: ConsentText | None = newest.filter(language=language).first() or newest.filter(language="en").first()
    return found


def texts_of(clinic: Clinic) -> QuerySet[ConsentText]:
    """Return every text of the clinic, newest first."""
    return (
        ConsentText.objects.of(clinic)
        .select_related("signed_off_by")
        .order_by("product", "language", "-effective_from", "-at")
    )


def text_in(clinic: Clinic, pk: int) -> ConsentText:
    """Return a text of this clinic; raises ``Http404`` for any other."""
    return one_in(texts_of(clinic), "text in this clinic", pk)


def signatures_of(patient: Patient, at: datetime) -> QuerySet[ConsentSignature]:
    """Return the patient's signatures, newest first."""
    return (
        ConsentSignature.objects.of(patient.clinic)
        .filter(patient=patient, at__lte=at)
        .current()
        .select_related("text", "witness", "recorded_by")
        .order_by("-at", "-pk")
    )


def withdrawals_of(patient: Patient, at: datetime) -> QuerySet[ConsentWithdrawal]:
    """Return the patient's withdrawals, newest first."""
    return (
        ConsentWithdrawal.objects.of(patient.clinic)
        .filter(patient=patient, at__lte=at)
        .current()
        .select_related("recorded_by", "signature__text")
        .order_by("-at", "-pk")
    )


def signature_in(clinic: Clinic, pk: int) -> ConsentSignature:
    """Return a signature of this clinic; raises ``Http404`` for any other."""
    rows: QuerySet[ConsentSignature] = ConsentSignature.objects.of(clinic)
    return one_in(rows.select_related("text", "witness", "patient", "clinic"), "consent in this clinic", pk)


def standing_signature(patient: Patient, product: str, at: datetime) -> ConsentSignature | None:
    """Return the newest signature for the product, taken back or not."""
    found: ConsentSignature | None = signatures_of(patient, at).filter(product=product).first()
    return found
