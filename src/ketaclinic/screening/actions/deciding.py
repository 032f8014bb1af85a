"""Assessing a candidate and keeping the prescriber's decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.actions import chronicle, keep_decision
from ketaclinic.screening.actions.history import STAGE
from ketaclinic.screening.facts import candidate_facts
from ketaclinic.screening.models import PRODUCTS, CandidacyDecision
from ketacore.evidence import Decision, Refusal
from ketacore.screening import QUESTIONS, CandidateFacts, TreatNeeds, assess_candidacy, what_treating_needs


def assess(patient: Patient, product: str, at: datetime) -> tuple[Decision, CandidateFacts]:
    """Return the core's assessment for one product, and the facts it rests on. Stores nothing."""
    facts = candidate_facts(patient, at)
    return assess_candidacy(facts, setting_of(patient.clinic, at, product)), facts


@transaction.atomic
def decide_candidacy(
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    product: str,
    verdict: str,
    reason: str,
    overrides: Mapping[str, str] | None = None,
    second_signer: Staff | None = None,
    recorded_at: datetime | None = None,
    facts: CandidateFacts | None = None,
) -> CandidacyDecision:
    """Keep the prescriber's decision with the reason, the assessment and the facts as they stood.

    To treat, every fact of a stop must have been asked, and each stop that is passed needs a reason of its own in
    ``overrides`` (rule id to reason); those that ask for it need the signature of a second prescriber. To wait or to
    decline needs a reason only.
    """
    check_may(by, Permission.DECIDE_CANDIDACY)
    check_in_clinic(by, patient)
    if verdict not in CandidacyDecision.Verdict.values:
        raise Refusal("Deciding", [f"{verdict or 'nothing'} is not a verdict"], "Choose treat, wait or decline.")
    if not reason.strip():
        raise Refusal("Deciding", ["no reason was given"], "Write the reason in a sentence.")
    known = facts or candidate_facts(patient, at)
    assessed = assess_candidacy(known, setting_of(patient.clinic, at, product))
    given = {rule_id: words.strip() for rule_id, words in (overrides or {}).items() if words.strip()}
    if verdict == CandidacyDecision.Verdict.TREAT:
        _check_treating(what_treating_needs(assessed, known), given, by, second_signer)
    stored = keep_decision(patient=patient, by=by, at=at, room=STAGE, decision=assessed, facts=known)
    row: CandidacyDecision = CandidacyDecision.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=recorded_at or at,
        recorded_by=by,
        product=product,
        verdict=verdict,
        reason=reason.strip(),
        decision=stored,
        overrides=given if verdict == CandidacyDecision.Verdict.TREAT else {},
        second_signer=second_signer if verdict == CandidacyDecision.Verdict.TREAT else None,
    )
    _tell(row, by, recorded_at or at)
    return row


def _tell(row: CandidacyDecision, by: Staff, recorded_at: datetime) -> None:
    chronicle(
        patient=row.patient,
        by=by,
        at=row.at,
        recorded_at=recorded_at,
        stage=STAGE,
        kind="candidacy",
        title=f"{row.get_verdict_display()}: {PRODUCTS[row.product]}",
        detail=row.reason,
        about=row,
    )
    write_audit("decide_candidacy", by=by, at=recorded_at, patient_id=row.patient_id, obj=row, reason=row.reason)
    for rule_id, reason in row.overrides.items():
        write_audit(f"override {rule_id}", by=by, at=recorded_at, patient_id=row.patient_id, obj=row, reason=reason)


def _check_treating(needs: TreatNeeds, given: Mapping[str, str], by: Staff, second_signer: Staff | None) -> None:
    if needs.unasked:
        because = [f"not asked: {QUESTIONS[name].ask}" for name in needs.unasked]
        raise Refusal("Treating", because, "Ask, and write the answers down; “not known” is an answer.")
    if needs.barred:
        because = [f"{f.rule.title} ({f.rule.rule_id})" for f in needs.barred]
        raise Refusal("Treating", because, "No clinic policy lets a contraindication pass (DEC-01). Wait or decline.")
    unreasoned = [f"{f.rule.title} ({f.rule.rule_id})" for f in needs.reasons if f.rule.rule_id not in given]
    if unreasoned:
        raise Refusal("Treating", [f"no reason for {words}" for words in unreasoned], "Give a reason for each.")
    if needs.reasons:
        check_may(by, Permission.OVERRIDE_STOP)
    if needs.second_signature:
        _check_second(needs, by, second_signer)


def _check_second(needs: TreatNeeds, by: Staff, second: Staff | None) -> None:
    rules = ", ".join(f.rule.rule_id for f in needs.second_signature)
    if second is None:
        raise Refusal("Treating", [f"{rules} needs a second signature"], "Ask another prescriber to sign.")
    if second.pk == by.pk or second.clinic_id != by.clinic_id or not second.may(Permission.OVERRIDE_STOP):
        raise Refusal("Treating", [f"{second} cannot be the second to sign"], "Ask another prescriber of this clinic.")
