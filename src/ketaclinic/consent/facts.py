"""From the rows of the record to the facts the core is asked with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime

from ketaclinic.consent.models import ConsentSignature, ConsentText, ConsentWithdrawal
from ketaclinic.people.models import Clinic, Patient
from ketacore.consent import ConsentFacts, SignedConsent, Withdrawal
from ketacore.evidence import Fact


def facts_of(patient: Patient, product: str, at: datetime, planned_dose: float | None = None) -> ConsentFacts:
    """Return what stands on record about the patient's consent at ``at``, in the clinic's own days."""
    dose: Fact[float] = Fact.not_asked() if planned_dose is None else Fact.of(planned_dose, "plan", at)
    asked, doses = {product: [patient.pk]}, {(product, patient.pk): dose}
    return facts_of_products(patient.clinic, asked, at, doses)[product][patient.pk]


def facts_of_products(
    clinic: Clinic,
    asked: Mapping[str, Collection[int]],
    at: datetime,
    doses: Mapping[tuple[str, int], Fact[float]] | None = None,
) -> dict[str, dict[int, ConsentFacts]]:
    """Return the facts of many patients per product, with three queries, whatever their number.

    ``doses`` are the planned doses by product and patient, in the unit of the text.
    """
    if not asked:
        return {}
    everyone = {pk for ids in asked.values() for pk in ids}
    signatures, withdrawals = _signatures(clinic, everyone, at), _withdrawals(clinic, everyone, at)
    renewing = _renewing_texts(clinic, list(asked), at)
    given = doses or {}
    return {
        product: {
            pk: ConsentFacts(
                signatures=Fact.of(tuple(signatures[pk]), "consent signatures", at),
                withdrawals=Fact.of(tuple(withdrawals[pk]), "consent withdrawals", at),
                renewing_texts=renewing[product],
                planned_dose=given.get((product, pk), Fact.not_asked()),
            )
            for pk in ids
        }
        for product, ids in asked.items()
    }


def _signatures(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, list[SignedConsent]]:
    found: dict[int, list[SignedConsent]] = defaultdict(list)
    rows = ConsentSignature.objects.of(clinic).filter(patient_id__in=patient_ids, at__lte=at)
    for row in rows.exclude(amended_by__recorded_at__lte=at).select_related("text", "witness"):
        found[row.patient_id].append(_signed(row, clinic))
    return found


def _withdrawals(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, list[Withdrawal]]:
    found: dict[int, list[Withdrawal]] = defaultdict(list)
    rows = ConsentWithdrawal.objects.of(clinic).filter(patient_id__in=patient_ids, at__lte=at)
    for row in rows.exclude(amended_by__recorded_at__lte=at):
        found[row.patient_id].append(Withdrawal(row.product, row.at.astimezone(clinic.zone)))
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


def _renewing_texts(clinic: Clinic, products: Collection[str], at: datetime) -> dict[str, Fact[tuple[date, ...]]]:
    """Return, per product, from which days on texts ask everybody to sign anew; one query for all of them."""
    texts = ConsentText.objects.of(clinic).filter(
        product__in=products, renews_earlier=True, effective_from__lte=clinic.day_of(at), at__lte=at
    )
    days: dict[str, list[date]] = {product: [] for product in products}
    for product, day in texts.values_list("product", "effective_from"):
        days[product].append(day)
    return {product: Fact.of(tuple(found), "consent texts of this clinic", at) for product, found in days.items()}
