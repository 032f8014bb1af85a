"""The page on which the entries of a paper sheet are typed in, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import datetime
from typing import Any

from ketaclinic.people.models import Patient, Staff
from ketaclinic.treatment.models import Session, SessionEvent
from ketaclinic.treatment.permissions import permission_for
from ketaclinic.treatment.presenters.happened import CorrectField, Line, fields_of, lines
from ketaclinic.treatment.presenters.words import PHASE_WORDS, product_line
from ketacore.treatment import NASAL, PAYLOADS, RULES, EventKind, SessionFacts, phase, questions_of

_DEVICE = (EventKind.DEVICE, EventKind.DOSING_ENDED)
_INFUSION = (
    EventKind.INFUSION_START,
    EventKind.INFUSION_PAUSE,
    EventKind.INFUSION_RESUME,
    EventKind.INFUSION_END,
)
READINGS = "pad"
"""A line of the vitals sheet: whatever of it was measured becomes an entry of its own."""
_IN_A_LINE = (EventKind.VITALS, EventKind.SEDATION, EventKind.DISSOCIATION)
_WORDS = {
    READINGS: "Line of readings",
    EventKind.ARRIVED: "Arrival",
    EventKind.ANSWER: "Question of a gate",
    EventKind.DEVICE: "Device given",
    EventKind.ESCORT: "Escort",
    EventKind.INSTRUCTIONS: "Aftercare sheet given",
    EventKind.PRESCRIBER_DECISION: "Prescriber’s decision",
    EventKind.RELEASE_SIGNED: "Release signed",
    EventKind.DISCHARGED: "Went home",
    EventKind.STOPPED: "Closed without release",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entry somebody may type in."""

    value: str
    words: str
    here: bool


@dataclass(frozen=True, slots=True)
class PaperPage:
    """Everything the page shows."""

    session: Session
    patient: Patient
    product: str
    phase: str
    kinds: tuple[Kind, ...]
    kind: str
    words: str
    fields: tuple[CorrectField, ...]
    lines: tuple[Line, ...]


def paper_page(
    session: Session,
    facts: SessionFacts,
    rows: Sequence[SessionEvent],
    *,
    kind: str,
    typed: Mapping[str, Any],
    staff: Staff,
    at: datetime,
) -> PaperPage:
    """Return the page with the form of one kind of entry; ``typed`` are the values to keep in it."""
    offered = _offered(session, staff)
    chosen = kind if kind in offered else offered[0]
    return PaperPage(
        session=session,
        patient=session.patient,
        product=product_line(session.product, session.dose_mg),
        phase=PHASE_WORDS[phase(facts, at).value],
        kinds=tuple(Kind(k, _words(k), k == chosen) for k in offered),
        kind=chosen,
        words=_words(chosen),
        fields=_fields(chosen, typed, session),
        lines=lines(rows),
    )


def _fields(kind: str, typed: Mapping[str, Any], session: Session) -> tuple[CorrectField, ...]:
    if kind != READINGS:
        named = EventKind(kind)
        return tuple(_with_options(f, session) for f in fields_of(named, typed or _begin(named)))
    line = [f for part in _IN_A_LINE for f in fields_of(part, typed)]
    return tuple(replace(f, options=(("", "–"), *f.options)) if f.type == "select" else f for f in line)


def _begin(kind: EventKind) -> dict[str, Any]:
    """Return what an entry says unless somebody says otherwise."""
    return {f.name: f.default for f in fields(PAYLOADS[kind]) if f.default is not MISSING}


def _offered(session: Session, staff: Staff) -> list[str]:
    """Return the kinds that this product has and this person may write; nobody acknowledges an alert afterwards."""
    other = _INFUSION if session.product == NASAL else _DEVICE
    left_out = (*other, *_IN_A_LINE, EventKind.ALERT_ACKNOWLEDGED)
    found = [k.value for k in EventKind if k not in left_out and staff.may(permission_for(k))]
    return [READINGS, *found]


def _words(kind: str) -> str:
    return _WORDS.get(kind, kind.replace("_", " ").capitalize())


def _with_options(field: CorrectField, session: Session) -> CorrectField:
    """Return a field whose values are names of the core with their words to choose from."""
    if field.name == "question":
        asked = [*questions_of(session.product, "start"), *questions_of(session.product, "release")]
        return replace(field, type="select", options=tuple((q.question, q.text) for q in asked))
    if field.name == "about":
        rules = [rule for rule in RULES if rule.override.roles]
        return replace(field, type="select", options=tuple((r.rule_id, f"{r.title} ({r.rule_id})") for r in rules))
    return field
