"""From the rows of the record to the facts the core is asked with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime

from ketaclinic.consent.models import ConsentSignature, ConsentText, ConsentWithdrawal
from ketaclinic.people.models import Clinic, Patient
from ketacore.consent import ConsentFacts, SignedConsent, Withdrawal
from ketacore.evidence import Fact


def facts_of(patient: Patient, product: str, at: datetime, planned_dose: float | None = None) -> ConsentFacts:
    """Return what stands on record about the patient's consent at ``at``, in the clinic's own days."""
    return facts_of_many(patient.clinic, [patient.pk], product, at, planned_dose)[patient.pk]


def facts_of_many(
    clinic: Clinic, patient_ids: Collection[int], product: str, at: datetime, planned_dose: float | None = None
) -> dict[int, ConsentFacts]:
    """Return the facts of many patients with three queries, whatever their number."""
    signatures: dict[int, list[SignedConsent]] = defaultdict(list)
    rows = (
        ConsentSignature.objects.of(clinic)
        .filter(patient_id__in=patient_ids, at__lte=at)
        .exclude(amended_by__recorded_at__lte=at)
        .select_related("text", "witness")
    )
    for row in rows:
        signatures[row.patient_id].append(_signed(row, clinic))
    withdrawals: dict[int, list[Withdrawal]] = defaultdict(list)
    taken_back = (
        ConsentWithdrawal.objects.of(clinic)
        .filter(patient_id__in=patient_ids, at__lte=at)
        .exclude(amended_by__recorded_at__lte=at)
    )
    for withdrawal in taken_back:
        withdrawals[withdrawal.patient_id].append(Withdrawal(withdrawal.product, withdrawal.at.astimezone(clinic.zone)))
    renewing = Fact.of(_renewing_texts(clinic, product, at), "consent texts of this clinic", at)
    dose: Fact[float] = Fact.not_asked() if planned_dose is None else Fact.of(planned_dose, "plan", at)
    return {
        pk: ConsentFacts(
            signatures=Fact.of(tuple(signatures[pk]), "consent signatures", at),
            withdrawals=Fact.of(tuple(withdrawals[pk]), "consent withdrawals", at),
            renewing_texts=renewing,
            planned_dose=dose,
        )
        for pk in patient_ids
    }


def facts_of_products(
    clinic: Clinic,
    asked: Mapping[str, Collection[int]],
    at: datetime,
    doses: Mapping[tuple[str, int], Fact[float]] | None = None,
) -> dict[str, dict[int, ConsentFacts]]:
    """Return the facts of many patients per product: signatures and withdrawals of all are read once.

    ``doses`` are the planned doses by product and patient, in the unit of the text.
    """
    everyone = {pk for ids in asked.values() for pk in ids}
    found: dict[str, dict[int, ConsentFacts]] = {}
    for product, ids in asked.items():
        if not found:
            known = facts_of_many(clinic, everyone, product, at)
            found[product] = {pk: known[pk] for pk in ids}
            continue
        renewing = Fact.of(_renewing_texts(clinic, product, at), "consent texts of this clinic", at)
        found[product] = {pk: replace(known[pk], renewing_texts=renewing) for pk in ids}
    for (product, pk), dose in (doses or {}).items():
        found[product][pk] = replace(found[product][pk], planned_dose=dose)
    return found


def _signed(row: ConsentSignature, clinic: Clinic) -> SignedConsent:
    return SignedConsent(
        product=row.product,
        signed_at=row.at.astimezone(clinic.zone),
        text_version=row.text.version,
        language=row.language,
        patient_name=row.patient_name,
        clinician_name=row.witness.display_name,
        copy_given=row.copy_given,
        dose_limit=None if row.text.dose_limit is None else float(row.text.dose_limit),
        dose_unit=row.text.dose_unit,
    )


def _renewing_texts(clinic: Clinic, product: str, at: datetime) -> tuple[date, ...]:
    texts = ConsentText.objects.of(clinic).filter(
        product=product, renews_earlier=True, effective_from__lte=clinic.day_of(at), at__lte=at
    )
    return tuple(texts.values_list("effective_from", flat=True))
