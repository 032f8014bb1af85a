"""Is consent valid now, for this product; must it be renewed; does a text cover what it must.

Whether a signature exists, whether it was taken back, and for which product it was given are facts about the record:
``missing``, ``withdrawn`` and ``other_route`` follow from them alone and need no signed policy. *When* a signature
must be renewed (twelve months, a higher dose, a new material risk) is clinic policy, grade D: it acts only while the
medical director's signature stands. Unsigned, a standing signature is ``valid`` and the renewal rules are listed in
the decision as not evaluated – the age of the signature is told, nobody can take silence for a check, and a policy
the clinic never set does not close its doors. Signed, a renewal that cannot be checked for a missing fact does not
count as passed either: it stays in ``not_evaluated`` and ``missing`` names the fact.
"""

from ketacore.consent.decide import (
    EXPIRED,
    MISSING,
    OTHER_ROUTE,
    VALID,
    WITHDRAWN,
    assess_text,
    consent_valid,
    elements_for,
    renewal_due_on,
)
from ketacore.consent.facts import ConsentFacts, SignedConsent, Withdrawal
from ketacore.consent.rules import RULES

__all__ = [
    "EXPIRED",
    "MISSING",
    "OTHER_ROUTE",
    "RULES",
    "VALID",
    "WITHDRAWN",
    "ConsentFacts",
    "SignedConsent",
    "Withdrawal",
    "assess_text",
    "consent_valid",
    "elements_for",
    "renewal_due_on",
]
