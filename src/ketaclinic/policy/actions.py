"""Signing a clinic policy, and withdrawing the signature."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Staff
from ketaclinic.people.permissions import Permission, check_may
from ketaclinic.policy.models import PolicySignature
from ketaclinic.policy.queries import unsigned_policies
from ketacore.evidence import Grade, Refusal, Rule


@transaction.atomic
def sign_policy(*, rule: Rule, by: Staff, at: datetime, signed: bool = True, reason: str = "") -> PolicySignature:
    """Put the medical director's signature under ``rule``, or take it back (``signed=False``, with a reason)."""
    check_may(by, Permission.SIGN_POLICY)
    if not by.is_medical_director:
        raise PermissionDenied("Only the medical director signs clinic policies.")
    if rule.grade is not Grade.D:
        raise Refusal(
            "Signing",
            [f"{rule.rule_id} is not a clinic policy (grade {rule.grade})"],
            "Choose a grade D rule.",
        )
    if not signed and not reason.strip():
        raise Refusal("Withdrawing", ["no reason was given"], "Say why the policy no longer holds.")
    row: PolicySignature = PolicySignature.objects.create(
        clinic=by.clinic,
        rule_id=rule.rule_id,
        rule_version=rule.rule_version,
        signed=signed,
        by=by,
        at=at,
        reason=reason,
    )
    write_audit("sign_policy" if signed else "withdraw_policy", by=by, at=at, obj=row, reason=reason)
    return row


@transaction.atomic
def sign_room(*, room: str, rule_ids: Collection[str], by: Staff, at: datetime) -> tuple[PolicySignature, ...]:
    """Sign all clinic policies of a room at once.

    ``rule_ids`` are those the director was shown: refused when the room's unsigned policies have changed since,
    so that nobody signs a policy unseen.
    """
    check_may(by, Permission.SIGN_POLICY)
    unsigned = unsigned_policies(by.clinic, at, room)
    if not unsigned or {rule.rule_id for rule in unsigned} != set(rule_ids):
        raise Refusal(
            "Signing the policies of this room",
            ["the policies that wait for a signature are not those that were shown"],
            "Open the list again, read it, and sign then.",
        )
    return tuple(sign_policy(rule=rule, by=by, at=at) for rule in unsigned)
