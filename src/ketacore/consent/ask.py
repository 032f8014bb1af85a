"""Consent from the shell: ``ketacore consent < facts.json``.

The document holds the setting and what is on record::

    {"jurisdiction": "US", "on": "2026-11-24", "product": "ketamine-iv", "signed": ["CON-13-RENEW"],
     "facts": {"signatures": [{"product": "ketamine-iv", "signed_at": "2026-01-05T10:00:00-05:00",
                               "text_version": "1", "language": "en", "patient_name": "A Person",
                               "clinician_name": "A Clinician", "copy_given": true}],
               "withdrawals": [{"product": "ketamine-iv", "at": "2026-02-01T10:00:00-05:00"}],
               "renewing_texts": [], "planned_dose": 0.5}}

A fact that is left out was not asked, ``null`` was asked and not known; an empty list says that there is none.
``signed`` names the clinic policies (grade D) in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ketacore.consent.decide import consent_valid, renewal_due_on
from ketacore.consent.facts import ConsentFacts, SignedConsent, Withdrawal
from ketacore.consent.rules import RULES
from ketacore.evidence import decision_as_json
from ketacore.evidence.asking import (
    a_day,
    a_fact,
    a_list,
    a_moment,
    a_number,
    a_setting,
    a_thing,
    a_word,
    refusal,
    refuse_unknown,
    yes_or_no,
)

_TEXTS = ("text_version", "language", "patient_name", "clinician_name")
_SIGNATURE = ("product", "signed_at", "copy_given", "dose_limit", "dose_unit", *_TEXTS)


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decision as JSON, with the day each signature is due anew; raises ``Refusal`` for what is unclear."""
    refuse_unknown(document, ("jurisdiction", "on", "product", "signed", "facts"), "the document")
    if "product" not in document:
        raise refusal("product is missing", "Give product; consent is for one product.")
    setting = a_setting(document, RULES)
    facts = _facts(a_thing("facts", document.get("facts", {})))
    mine = [s for s in facts.signatures.value or () if s.product == setting.product]
    due = [renewal_due_on(s.signed_at.date(), setting) for s in mine]
    return {
        **decision_as_json(consent_valid(facts, setting)),
        "renewal_due_on": [day.isoformat() if day else None for day in due],
    }


def _facts(given: Mapping[str, Any]) -> ConsentFacts:
    refuse_unknown(given, ("signatures", "withdrawals", "renewing_texts", "planned_dose"), "facts")
    return ConsentFacts(
        signatures=a_fact("signatures", given, lambda n, v: tuple(_signature(s) for s in a_list(n, v))),
        withdrawals=a_fact("withdrawals", given, lambda n, v: tuple(_withdrawal(w) for w in a_list(n, v))),
        renewing_texts=a_fact("renewing_texts", given, lambda n, v: tuple(a_day(n, d) for d in a_list(n, v))),
        planned_dose=a_fact("planned_dose", given, a_number),
    )


def _signature(given: Any) -> SignedConsent:
    entry = a_thing("a signature", given)
    refuse_unknown(entry, _SIGNATURE, "a signature")
    limit = entry.get("dose_limit")
    return SignedConsent(
        product=a_word("product of a signature", entry.get("product")),
        signed_at=a_moment("signed_at", entry.get("signed_at")),
        **{name: _perhaps(name, entry) for name in _TEXTS},
        copy_given=yes_or_no("copy_given", entry.get("copy_given", False)),
        dose_limit=None if limit is None else a_number("dose_limit", limit),
        dose_unit=_perhaps("dose_unit", entry),
    )


def _perhaps(name: str, entry: Mapping[str, Any]) -> str:
    """Read a text that may be lacking: a signature without it counts as incomplete, not as unreadable."""
    return a_word(name, entry[name]) if entry.get(name) else ""


def _withdrawal(given: Any) -> Withdrawal:
    entry = a_thing("a withdrawal", given)
    refuse_unknown(entry, ("product", "at"), "a withdrawal")
    return Withdrawal(a_word("product of a withdrawal", entry.get("product")), a_moment("at", entry.get("at")))
