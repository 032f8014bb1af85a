"""The setting in which the core is asked: place, day, product, and the policies signed by then."""

from __future__ import annotations

from datetime import datetime

from ketaclinic.people.models import Clinic
from ketaclinic.policy.models import PolicySignature
from ketacore.evidence import Approval, Setting, SignedPolicies


def signed_policies(clinic: Clinic, at: datetime) -> SignedPolicies:
    """Return the clinic policies whose signature stands at ``at``."""
    newest: dict[tuple[str, int], PolicySignature] = {}
    rows = PolicySignature.objects.of(clinic).filter(at__lte=at).select_related("by").order_by("at", "pk")
    for row in rows:
        newest[row.rule_id, row.rule_version] = row
    return SignedPolicies(
        tuple(
            Approval(row.rule_id, row.rule_version, row.by.display_name, row.at)
            for row in newest.values()
            if row.signed
        )
    )


def setting_of(clinic: Clinic, at: datetime, product: str = "") -> Setting:
    """Return the setting for a question asked in this clinic at ``at``; the day is the clinic's own."""
    return Setting(
        jurisdiction=clinic.jurisdiction,
        on=clinic.day_of(at),
        product=product,
        policies=signed_policies(clinic, at),
    )
