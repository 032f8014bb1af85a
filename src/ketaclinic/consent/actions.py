"""Signing off a text, taking a signature, recording that it was taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.consent.data import ShippedText, digest_of, shipped_texts
from ketaclinic.consent.facts import facts_of
from ketaclinic.consent.models import ConsentSignature, ConsentText, ConsentWithdrawal, Product
from ketaclinic.consent.queries import standing_signature, text_in_force, valid_on
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.actions import chronicle, keep_decision
from ketacore.consent import WITHDRAWN, assess_text, consent_valid
from ketacore.evidence import Refusal


@transaction.atomic
def sign_off_text(
    *,
    by: Staff,
    at: datetime,
    product: str,
    version: str,
    title: str,
    sections: list[dict[str, Any]],
    questions: list[dict[str, str]],
    effective_from: date,
    language: str = "en",
    dose_limit: Decimal | None = None,
    dose_unit: str = "",
    renews_earlier: bool = False,
) -> ConsentText:
    """Put a wording into force from a day on, with the medical director's signature.

    Refused when the text leaves out an element of the checklist that stands here, when the version is taken, or
    when it would come into force before it was signed off.
    """
    check_may(by, Permission.SIGN_POLICY)
    if not by.is_medical_director:
        raise PermissionDenied("Only the medical director signs off consent texts.")
    _check_text(by, at, product, version, language, sections)
    text: ConsentText = ConsentText.objects.create(
        clinic=by.clinic,
        product=product,
        version=version,
        language=language,
        title=title,
        sections=sections,
        questions=questions,
        digest=digest_of(title, sections, questions),
        dose_limit=dose_limit,
        dose_unit=dose_unit,
        effective_from=effective_from,
        renews_earlier=renews_earlier,
        signed_off_by=by,
        at=at,
    )
    write_audit("sign_off_consent_text", by=by, at=at, obj=text)
    return text


def _check_text(
    by: Staff, at: datetime, product: str, version: str, language: str, sections: list[dict[str, Any]]
) -> None:
    refused = f"Signing off version {version}"
    covered = {element for section in sections for element in section["elements"]}
    decision = assess_text(covered, setting_of(by.clinic, at, product))
    if decision.fired:
        raise Refusal(
            refused,
            [f"{f.rule.rule_id}: {f.rule.title} is not covered" for f in decision.fired],
            "Add what is missing to the text.",
        )
    taken = ConsentText.objects.of(by.clinic).filter(product=product, language=language, version=version)
    if taken.exists():
        raise Refusal(refused, ["this version is already signed off"], "Give the new wording a new version.")


def sign_off_shipped(*, text: ShippedText, by: Staff, at: datetime) -> ConsentText:
    """Put a text that ships with the software into force from today on, with the medical director's signature."""
    return sign_off_text(
        by=by,
        at=at,
        product=text.product,
        version=text.version,
        title=text.title,
        sections=text.sections,
        questions=text.questions,
        effective_from=max(text.effective_from, by.clinic.day_of(at)),
        language=text.language,
        dose_limit=text.dose_limit,
        dose_unit=text.dose_unit,
    )


@transaction.atomic
def sign_off_shipped_texts(*, by: Staff, at: datetime) -> tuple[ConsentText, ...]:
    """Put every shipped text into force that the clinic does not have yet."""
    have = set(ConsentText.objects.of(by.clinic).values_list("product", "language", "version"))
    new = [t for t in shipped_texts() if (t.product, t.language, t.version) not in have]
    return tuple(sign_off_shipped(text=text, by=by, at=at) for text in new)


@transaction.atomic
def sign_consent(
    *,
    patient: Patient,
    text: ConsentText,
    by: Staff,
    at: datetime,
    patient_name: str,
    teach_back: Mapping[str, bool],
    copy_given: bool,
    capacity_assessed: bool,
    questions_answered: bool,
    interpreter: str = "",
    registry_research: bool | None = None,
) -> ConsentSignature:
    """Take the patient's signature under ``text``; the acting clinician is the witness.

    ``teach_back`` says for each question of the text whether the patient said the point back in own words. The
    answer to registry research is separate and optional and never changes anything here.
    """
    check_may(by, Permission.TAKE_CONSENT)
    check_in_clinic(by, patient)
    check_in_clinic(by, text)
    _check_in_force(patient, text, at)
    said_back = [{**question, "said_back": bool(teach_back.get(question["id"]))} for question in text.questions]
    _check_signature(patient, patient_name, said_back, copy_given, capacity_assessed, questions_answered)
    signature: ConsentSignature = ConsentSignature.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        text=text,
        product=text.product,
        patient_name=" ".join(patient_name.split()),
        witness=by,
        language=text.language,
        interpreter=interpreter.strip(),
        copy_given=copy_given,
        capacity_assessed=capacity_assessed,
        questions_answered=questions_answered,
        teach_back=said_back,
        registry_research=registry_research,
    )
    _keep(patient, text.product, by, at)
    chronicle(
        patient=patient,
        by=by,
        at=at,
        recorded_at=at,
        stage="consent",
        kind="consent_signed",
        title=f"Consent signed: {Product(text.product).label}",
        detail=f"Version {text.version}, witnessed by {by.display_name}",
        about=signature,
    )
    write_audit("sign_consent", by=by, at=at, patient_id=patient.pk, obj=signature)
    return signature


def _check_in_force(patient: Patient, text: ConsentText, at: datetime) -> None:
    in_force = text_in_force(patient.clinic, text.product, at, text.language)
    if in_force is None or in_force.pk != text.pk:
        raise Refusal(
            "Signing", ["this version of the text is not the one in force"], "Read the text in force and sign that."
        )


def _check_signature(
    patient: Patient,
    patient_name: str,
    said_back: list[dict[str, Any]],
    copy_given: bool,
    capacity_assessed: bool,
    questions_answered: bool,
) -> None:
    because = []
    if patient.family_name.casefold() not in patient_name.casefold():
        because.append(f"the name typed is not that of {patient}")
    because += [f"not said back in own words: {q['question']}" for q in said_back if not q["said_back"]]
    if not capacity_assessed:
        because.append("CON-10: that the patient is able to decide is not confirmed")
    if not questions_answered:
        because.append("CON-10: that the patient's questions were answered is not confirmed")
    if not copy_given:
        because.append("CON-13: the patient has no copy")
    if because:
        raise Refusal("Signing", because, "Explain again what is missing, then sign. Nothing was stored.")


def _keep(patient: Patient, product: str, by: Staff, at: datetime) -> None:
    facts = facts_of(patient, product, at)
    decision = consent_valid(facts, setting_of(patient.clinic, at, product))
    keep_decision(patient=patient, by=by, at=at, room="consent", decision=decision, facts=facts)


@transaction.atomic
def withdraw_consent(*, patient: Patient, product: str, by: Staff, at: datetime, said: str = "") -> ConsentWithdrawal:
    """Record that the patient took consent for ``product`` back; it counts from this moment. No reason is needed."""
    check_may(by, Permission.TAKE_CONSENT)
    check_in_clinic(by, patient)
    signature = standing_signature(patient, product, at)
    if signature is None:
        raise Refusal("Taking consent back", ["there is no signature for this product"], "Nothing has to be done.")
    if valid_on(patient, product, at).outcome == WITHDRAWN:
        raise Refusal("Taking consent back", ["it was already taken back"], "Nothing has to be done.")
    row: ConsentWithdrawal = ConsentWithdrawal.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        product=product,
        signature=signature,
        said=said.strip(),
    )
    _keep(patient, product, by, at)
    chronicle(
        patient=patient,
        by=by,
        at=at,
        recorded_at=at,
        stage="consent",
        kind="consent_withdrawn",
        title=f"Consent taken back: {Product(product).label}",
        detail=row.said,
        about=row,
    )
    write_audit("withdraw_consent", by=by, at=at, patient_id=patient.pk, obj=row, reason=row.said)
    return row
