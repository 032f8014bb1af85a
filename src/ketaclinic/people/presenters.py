"""Template-ready values about people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from ketaclinic.people.models import Caregiver, EmergencyAccess, Patient, PatientCorrection, PersonalAccess

FIELD_WORDS = {
    "given_name": "Given name",
    "family_name": "Family name",
    "birth_date": "Date of birth",
    "sex": "Sex in the record",
    "phone": "Telephone",
    "email": "E-mail",
    "language": "Language",
    "deceased_on": "Date of death",
    "name": "Name",
    "relationship": "Relationship",
    "may_escort": "May take the patient home",
}


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """A corrected field: what it was, what it is, who changed it and why."""

    field: str
    old: str
    new: str
    reason: str
    by: str
    at: datetime


def day_words(day: date | None) -> str:
    """Return a day as people write it: ``14 Mar 1984``."""
    return f"{day.day} {day:%b %Y}" if day else ""


def weekday_words(day: date) -> str:
    """Return a day with its weekday: ``Tue 24 Nov 2026``."""
    return f"{day:%a} {day_words(day)}"


_ISO_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


def with_day_words(text: str) -> str:
    """Return a text of the core with its days as people write them: ``last on 7 Nov 2026``."""
    return _ISO_DAY.sub(lambda found: day_words(date.fromisoformat(found[0])), text)


def details_of(patient: Patient, on: date) -> list[tuple[str, str]]:
    """Return who a patient is as pairs of word and value."""
    rows = [
        ("Born", f"{day_words(patient.birth_date)} ({patient.age_on(patient.deceased_on or on)})"),
        ("Sex in the record", patient.get_sex_display()),
        ("Telephone", patient.phone),
        ("E-mail", patient.email),
        ("Language", {"en": "English", "es": "Spanish"}.get(patient.language, patient.language)),
        ("In care since", day_words(patient.registered_at.astimezone(patient.clinic.zone).date())),
    ]
    return [*rows, ("Died", day_words(patient.deceased_on))] if patient.deceased_on else rows


def correction_lines(corrections: Iterable[PatientCorrection]) -> list[CorrectionLine]:
    """Return what was corrected about a patient and their caregivers, for display."""
    return [
        CorrectionLine(_field(c), _value(c.old_value), _value(c.new_value), c.reason, str(c.by), c.at)
        for c in corrections
    ]


def _field(correction: PatientCorrection) -> str:
    word = FIELD_WORDS.get(correction.field, correction.field)
    return f"Caregiver {correction.caregiver}, {word.lower()}" if correction.caregiver else word


def _value(stored: str) -> str:
    return {"True": "yes", "False": "no"}.get(stored, stored)


@dataclass(frozen=True, slots=True)
class AccessLine:
    """The patient, or somebody who looks after them, and where their sign-in stands: none, open or closed."""

    caregiver_pk: int | None
    name: str
    who: str
    state: str
    username: str = ""
    access_pk: int | None = None
    has_password: bool = False
    last_seen: datetime | None = None


def access_lines(
    patient: Patient, caregivers: Iterable[Caregiver], accesses: Iterable[PersonalAccess]
) -> list[AccessLine]:
    """Return everybody who could see this patient's care with a sign-in, the patient first."""
    given = {access.caregiver_id: access for access in accesses}
    lines = [_access_line(None, str(patient), "patient", given.get(None))]
    for person in caregivers:
        who = person.relationship or "caregiver"
        lines.append(_access_line(person.pk, person.name, who, given.get(person.pk)))
    return lines


def _access_line(caregiver_pk: int | None, name: str, who: str, access: PersonalAccess | None) -> AccessLine:
    if access is None:
        return AccessLine(caregiver_pk, name, who, "none")
    return AccessLine(
        caregiver_pk,
        name,
        who,
        "open" if access.is_active else "closed",
        access.user.username,
        access.pk,
        access.user.has_usable_password(),
        access.user.last_login,
    )


@dataclass(frozen=True, slots=True)
class EmergencyLine:
    """One emergency access: who opened whose chart, why, until when, and what somebody else made of it."""

    pk: int
    patient: str
    record_number: str
    by: str
    reason: str
    at: datetime
    until: datetime
    open: bool
    review: str = ""
    note: str = ""


def emergency_line(access: EmergencyAccess, at: datetime) -> EmergencyLine:
    """Return one emergency access for display; it was read with its review and what closed it."""
    review = getattr(access, "review", None)
    return EmergencyLine(
        access.pk,
        str(access.patient),
        access.patient.record_number,
        str(access.by),
        access.reason,
        access.at,
        access.ends_at,
        access.at <= at < access.ends_at,
        str(review) if review else "",
        review.note if review else "",
    )
