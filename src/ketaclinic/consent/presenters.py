"""Consent as the pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ketaclinic.consent.data import ShippedText, shipped_texts
from ketaclinic.consent.models import ConsentSignature, ConsentText, Product
from ketaclinic.consent.queries import (
    signatures_of,
    standing_signature,
    text_in_force,
    texts_of,
    valid_on,
    withdrawals_of,
)
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Permission
from ketaclinic.people.presenters import day_words, with_day_words
from ketaclinic.policy.presenters import told
from ketaclinic.policy.queries import setting_of
from ketaclinic.screening.queries import decisions
from ketacore.consent import (
    EXPIRED,
    MISSING,
    OTHER_ROUTE,
    VALID,
    WITHDRAWN,
    elements_for,
    renewal_due_on,
)
from ketacore.evidence import Finding, Rule, Setting

_WORDS = {
    VALID: ("Consent stands", "fine", "on"),
    EXPIRED: ("Consent must be renewed", "caution", "med"),
    MISSING: ("No consent yet", "note", "unsure"),
    WITHDRAWN: ("Consent was taken back", "stop", "high"),
    OTHER_ROUTE: ("Consent was given for another product", "caution", "med"),
}


@dataclass(frozen=True, slots=True)
class ProductTab:
    """One product and how its consent stands."""

    product: str
    label: str
    words: str
    badge: str
    current: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the text with the checklist elements it covers."""

    heading: str
    paragraphs: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history."""

    at: datetime
    words: str
    detail: str
    who: str
    signature: ConsentSignature | None = None


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """The patient's consent for one product."""

    product: str
    product_label: str
    tabs: tuple[ProductTab, ...]
    findings: tuple[Finding, ...]
    words: str
    mark: str
    renew_on: date | None
    text: ConsentText | None
    sections: tuple[Section, ...]
    not_covered: tuple[Rule, ...]
    signature: ConsentSignature | None
    lines: tuple[Line, ...]
    may_take: bool
    may_withdraw: bool
    may_sign_off: bool


def product_for(patient: Patient, at: datetime, asked: str = "") -> str:
    """Return the product asked for, else the one a prescriber decided about last, else the first."""
    if asked in Product.values:
        return asked
    newest = decisions(patient, at).first()
    return newest.product if newest is not None else Product.ESKETAMINE_NASAL.value


def consent_page(patient: Patient, product: str, staff: Staff, at: datetime) -> ConsentPage:
    """Return the page of one patient and product for one reader."""
    clinic = patient.clinic
    verdicts = {value: valid_on(patient, value, at) for value in Product.values}
    decision = verdicts[product]
    words, mark, _ = _WORDS[decision.outcome]
    setting = decision.setting
    text = text_in_force(clinic, product, at, patient.language)
    signature = standing_signature(patient, product, at)
    may_take = staff.may(Permission.TAKE_CONSENT)
    return ConsentPage(
        product=product,
        product_label=Product(product).label,
        tabs=tuple(
            ProductTab(value, Product(value).label, _WORDS[v.outcome][0], _WORDS[v.outcome][2], value == product)
            for value, v in verdicts.items()
        ),
        findings=told(decision.findings),
        words=words,
        mark=mark,
        renew_on=_renew_on(signature, setting, clinic) if decision.outcome == VALID else None,
        text=text,
        sections=sections_of(text.sections, setting) if text else (),
        not_covered=not_covered(text.elements, setting) if text else (),
        signature=signature,
        lines=_history(patient, product, at),
        may_take=may_take and text is not None,
        may_withdraw=may_take and signature is not None and decision.outcome in (VALID, EXPIRED),
        may_sign_off=may_sign_off(staff),
    )


def may_sign_off(staff: Staff) -> bool:
    """Return whether this person may put a consent text into force."""
    return staff.is_medical_director and staff.may(Permission.SIGN_POLICY)


def _renew_on(signature: ConsentSignature | None, setting: Setting, clinic: Clinic) -> date | None:
    return None if signature is None else renewal_due_on(clinic.day_of(signature.at), setting)


def sections_of(sections: list[dict[str, Any]], setting: Setting) -> tuple[Section, ...]:
    """Return the parts of a text, each with the rules of the checklist that it answers."""
    rules = {_element(rule): rule for rule in elements_for(setting)}
    return tuple(
        Section(
            heading=part["heading"],
            paragraphs=tuple(part["paragraphs"]),
            rules=tuple(rules[e] for e in part["elements"] if e in rules),
        )
        for part in sections
    )


def not_covered(elements: tuple[str, ...], setting: Setting) -> tuple[Rule, ...]:
    """Return the elements of the checklist that a text leaves out."""
    return tuple(rule for rule in elements_for(setting) if _element(rule) not in elements)


def _element(rule: Rule) -> str:
    return "-".join(rule.rule_id.split("-")[:2])


def _history(patient: Patient, product: str, at: datetime) -> tuple[Line, ...]:
    signed = [
        Line(
            row.at,
            f"Signed by {row.patient_name}",
            f"version {row.text.version}, {row.language}, copy given",
            f"witnessed by {row.witness.display_name}",
            row,
        )
        for row in signatures_of(patient, at).filter(product=product)
    ]
    taken_back = [
        Line(row.at, "Taken back by the patient", row.said, f"recorded by {row.recorded_by.display_name}")
        for row in withdrawals_of(patient, at).filter(product=product)
    ]
    return tuple(sorted([*signed, *taken_back], key=lambda line: line.at, reverse=True))


@dataclass(frozen=True, slots=True)
class ChartCard:
    """Consent on the patient's chart."""

    product_label: str
    words: str
    mark: str
    badge: str
    detail: str
    url_product: str


def chart_card(patient: Patient, at: datetime) -> ChartCard | None:
    """Return how consent stands for the product that was decided about last; ``None`` before any decision."""
    newest = decisions(patient, at).first()
    if newest is None:
        return None
    decision = valid_on(patient, newest.product, at)
    words, mark, badge = _WORDS[decision.outcome]
    because = [b for f in decision.findings if f.rule.rule_id in ("CON-13", "CON-10") for b in f.because]
    return ChartCard(
        Product(newest.product).label, words, mark, badge, with_day_words("; ".join(because)), newest.product
    )


@dataclass(frozen=True, slots=True)
class ShippedLine:
    """A text that ships with the software and that this clinic has not signed off."""

    text: ShippedText
    label: str
    sections: tuple[Section, ...]
    not_covered: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class TextLine:
    """One text of the clinic and when it is in force."""

    text: ConsentText
    state: str
    badge: str


@dataclass(frozen=True, slots=True)
class TextsPage:
    """The clinic's consent texts."""

    texts: tuple[TextLine, ...]
    shipped: tuple[ShippedLine, ...]
    may_sign_off: bool
    tomorrow: date


def texts_page(clinic: Clinic, staff: Staff, at: datetime) -> TextsPage:
    """Return the clinic's texts and those that wait to be read and signed off."""
    texts = list(texts_of(clinic))
    have = {(t.product, t.language, t.version) for t in texts}
    setting = {p: setting_of(clinic, at, p) for p in Product.values}
    return TextsPage(
        texts=tuple(_text_line(text, texts, clinic.day_of(at)) for text in texts),
        shipped=tuple(
            ShippedLine(
                text=text,
                label=Product(text.product).label,
                sections=sections_of(text.sections, setting[text.product]),
                not_covered=not_covered(text.elements, setting[text.product]),
            )
            for text in shipped_texts()
            if (text.product, text.language, text.version) not in have
        ),
        may_sign_off=may_sign_off(staff),
        tomorrow=clinic.day_of(at) + timedelta(days=1),
    )


def _text_line(text: ConsentText, texts: list[ConsentText], today: date) -> TextLine:
    same = [t for t in texts if (t.product, t.language) == (text.product, text.language)]
    begun = [t for t in same if t.effective_from <= today]
    if text.effective_from > today:
        return TextLine(text, f"from {day_words(text.effective_from)}", "line")
    newest = max(begun, key=lambda t: (t.effective_from, t.at, t.pk))
    return TextLine(text, "in force" if newest.pk == text.pk else "replaced", "on" if newest.pk == text.pk else "")
