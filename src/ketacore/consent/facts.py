"""What the consent decisions are asked with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from ketacore.evidence import Fact


@dataclass(frozen=True, slots=True)
class SignedConsent:
    """One signature as the record holds it. ``dose_limit`` is the highest dose its text names, in ``dose_unit``."""

    product: str
    signed_at: datetime
    text_version: str
    language: str
    patient_name: str
    clinician_name: str
    copy_given: bool
    dose_limit: float | None = None
    dose_unit: str = ""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What a signature must have and this one has not."""
        parts = {
            "the version of the text": self.text_version,
            "the language": self.language,
            "the patient's name": self.patient_name,
            "the clinician's name": self.clinician_name,
            "a copy given to the patient": self.copy_given,
        }
        return tuple(name for name, there in parts.items() if not there)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The patient took consent for a product back."""

    product: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """Everything on record about one person's consent.

    ``renewing_texts`` are the days on which a text with a new material risk came into force for the product;
    ``planned_dose`` is the dose about to be given, in the unit of the text.
    """

    signatures: Fact[tuple[SignedConsent, ...]] = field(default_factory=Fact.not_asked)
    withdrawals: Fact[tuple[Withdrawal, ...]] = field(default_factory=Fact.not_asked)
    renewing_texts: Fact[tuple[date, ...]] = field(default_factory=Fact.not_asked)
    planned_dose: Fact[float] = field(default_factory=Fact.not_asked)


@dataclass(frozen=True, slots=True)
class RenewalFacts:
    """The signature that stands, and what may ask for a new one."""

    signature: SignedConsent
    renewing_texts: Fact[tuple[date, ...]]
    planned_dose: Fact[float]


@dataclass(frozen=True, slots=True)
class TextFacts:
    """The checklist elements that a text covers."""

    elements: frozenset[str]
