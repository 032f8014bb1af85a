"""Writing down what happened, and correcting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import check_in_clinic, check_may
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.actions import chronicle, keep_decision
from ketaclinic.treatment.actions.lines import chronicle_title, is_milestone
from ketaclinic.treatment.actions.paper import NeedsConfirming, Paper, check_paper_time, keep_paper, paper_of
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.models import CLOSING_KINDS, Session, SessionEvent
from ketaclinic.treatment.permissions import permission_for
from ketaclinic.treatment.presenters.words import correction_text
from ketaclinic.treatment.queries import UNDONE, newest_to_undo, open_sessions
from ketacore.evidence import Refusal, Setting, to_jsonable
from ketacore.treatment import (
    Event,
    EventKind,
    Payload,
    SessionFacts,
    check_event,
    first_dose_at,
    held_back,
    in_order,
    may_start,
    misfits,
    payload_as_json,
    read_payload,
    ready_for_discharge,
)
from ketacore.treatment.events import text_fault

CLOCKS_DIFFER = timedelta(minutes=2)
"""How far a tablet's clock may differ from the server's before its entry is refused."""
LONGEST_KEY = 64


def new_key() -> str:
    """Draw a key for an entry that came without one."""
    return uuid4().hex


def checked_key(key: str) -> str:
    """Return the key of an entry, a new one where it came without; raises ``Refusal`` for one no device has drawn."""
    if len(key) > LONGEST_KEY or text_fault(key, free=False):
        raise Refusal("Recording", ["the key of this entry cannot be read"], "Open the page again.")
    return key or new_key()


@transaction.atomic
def record_event(
    *,
    session: Session,
    kind: str,
    payload: Mapping[str, Any] | Payload,
    by: Staff,
    at: datetime,
    recorded_at: datetime | None = None,
    entry_key: str = "",
    paper: Paper | None = None,
) -> SessionEvent:
    """Write down one thing that happened at ``at``; the core says whether the session allows it.

    ``recorded_at`` is the moment of writing, when it differs: an entry kept on a tablet comes later than it happened.
    With ``paper`` it was written on paper while the server was gone: the gates are asked as they stood at ``at``, and
    what they would have refused is recorded with it. Returns the row that exists when the same entry comes again.
    """
    what = _read(kind, payload)
    check_may(by, permission_for(what.kind))
    check_in_clinic(by, session)
    recorded_at = recorded_at or at
    key = checked_key(entry_key)
    _lock(session)
    before = SessionEvent.objects.filter(session=session, entry_key=key).select_related("recorded_by").first()
    if before is not None:
        return _same_entry(before, what)
    _check_time(session, at, recorded_at)
    event = Event(at=at, what=what, key=key, by=by.display_name, by_role=by.role)
    setting = setting_of(session.clinic, at, session.product)
    facts = facts_of(session, max(at, recorded_at))
    by_then = replace(facts, events=tuple(e for e in facts.events if e.at <= at))
    if paper is not None:
        check_paper_time(at, recorded_at)
        by_then = facts_of(session, at)
    against = _check_allowed(by_then, event, setting, paper)
    _check_order(facts, event)
    _keep_decision(session, by_then, event, by=by, recorded_at=recorded_at)
    return _write(session, event, by=by, recorded_at=recorded_at, paper=paper, against=against)


def _check_allowed(facts: SessionFacts, event: Event, setting: Setting, paper: Paper | None) -> tuple[str, ...]:
    """Refuse what the core refuses; return what it would have refused of something that happened all the same."""
    if paper is None:
        check_event(facts, event, setting)
        return ()
    held = held_back(facts, event, setting)
    lines = tuple(line for h in held for line in h.because)
    if held and not paper.confirmed:
        raise NeedsConfirming(
            "Entering this from paper without a look at it",
            lines,
            "If it happened all the same, confirm that: it is recorded together with these lines.",
        )
    return lines


def _read(kind: str, payload: Mapping[str, Any] | Payload) -> Payload:
    """Return the payload as the core reads it; one that was made in Python is read like any other."""
    if isinstance(payload, Payload):
        return read_payload(payload.kind, payload_as_json(payload))
    return read_payload(kind, payload)


def _lock(session: Session) -> None:
    """Hold the session's row, so that two entries at once are judged one after the other (SQLite locks the file)."""
    list(Session.objects.select_for_update().filter(pk=session.pk).values_list("pk"))


def _same_entry(row: SessionEvent, what: Payload) -> SessionEvent:
    if row.kind != what.kind or row.payload != payload_as_json(what):
        raise Refusal("Recording", ["this entry's key was already used for something else"], "Open the page again.")
    return row


def _check_time(session: Session, at: datetime, recorded_at: datetime) -> None:
    if at > recorded_at + CLOCKS_DIFFER:
        raise Refusal("Recording", ["its time lies in the future"], "Check the clock of this device.")
    if at < session.at:
        raise Refusal("Recording", ["its time lies before the session was opened"], "Check the time.")


_DOSING = (
    EventKind.DEVICE,
    EventKind.DOSING_ENDED,
    EventKind.INFUSION_START,
    EventKind.INFUSION_PAUSE,
    EventKind.INFUSION_RESUME,
    EventKind.INFUSION_END,
    EventKind.DISCHARGED,
    EventKind.STOPPED,
)


def _check_order(facts: SessionFacts, event: Event) -> None:
    """Refuse a dose step that would fall before one already written down."""
    later = [e for e in facts.events if e.kind in _DOSING and e.at > event.at]
    if event.kind in _DOSING and later:
        raise Refusal(
            f"Recording {event.kind.replace('_', ' ')}",
            [f"{later[0].kind.replace('_', ' ')} is already written down at a later time"],
            "Amend the later entry first.",
        )


def _keep_decision(session: Session, facts: SessionFacts, event: Event, *, by: Staff, recorded_at: datetime) -> None:
    """Store what the gate said when the first dose or the way home was allowed."""
    setting = setting_of(session.clinic, event.at, session.product)
    if event.kind in (EventKind.DEVICE, EventKind.INFUSION_START) and first_dose_at(facts) is None:
        decision = may_start(facts, setting)
    elif event.kind is EventKind.DISCHARGED:
        decision = ready_for_discharge(facts, event.at, setting)
    else:
        return
    keep_decision(
        patient=session.patient,
        by=by,
        at=recorded_at,
        room="treatment",
        decision=decision,
        facts=to_jsonable(facts),
    )


def _write(
    session: Session,
    event: Event,
    *,
    by: Staff,
    recorded_at: datetime,
    paper: Paper | None = None,
    against: tuple[str, ...] = (),
    **amendment: Any,
) -> SessionEvent:
    try:
        row: SessionEvent = SessionEvent.objects.create(
            clinic=session.clinic,
            patient=session.patient,
            session=session,
            kind=event.kind.value,
            payload=payload_as_json(event.what),
            at=event.at,
            recorded_at=recorded_at,
            recorded_by=by,
            entry_key=event.key,
            **amendment,
        )
    except IntegrityError as error:
        raise Refusal("Recording", ["the same entry is just being written"], "Open the page again.") from error
    if paper is not None:
        keep_paper(session, paper, by=by, at=event.at, recorded_at=recorded_at, event=row, against=against)
    if is_milestone(event.what) or amendment or against:
        chronicle(
            patient=session.patient,
            by=by,
            at=event.at,
            recorded_at=recorded_at,
            stage="treatment",
            kind=event.kind.value,
            title=_title(event, amendment),
            detail="; ".join(filter(None, (str(amendment.get("amendment_reason", "")), _on_paper(paper, against)))),
            about=row,
            amends=amendment.get("amends"),
        )
    write_audit(
        "amend_event" if amendment else f"record_{event.kind}",
        by=by,
        at=recorded_at,
        patient_id=session.patient_id,
        obj=row,
        reason=str(amendment.get("amendment_reason", "")),
    )
    return row


def _title(event: Event, amendment: Mapping[str, Any]) -> str:
    """A correction names both values; what was taken back says so."""
    before = amendment.get("amends")
    if before is None or amendment.get("voided"):
        return chronicle_title(event.what, voided=before is not None)
    return correction_text(event.what, read_payload(before.kind, before.payload))


def _on_paper(paper: Paper | None, against: tuple[str, ...]) -> str:
    if paper is None:
        return ""
    return f"On paper, {paper.reason}" + (f"; the gate would have refused: {'; '.join(against)}" if against else "")


@transaction.atomic
def amend_event(
    *,
    event: SessionEvent,
    by: Staff,
    at: datetime,
    reason: str,
    payload: Mapping[str, Any] | None = None,
    happened_at: datetime | None = None,
    voided: bool = False,
    entry_key: str = "",
) -> SessionEvent:
    """Correct an entry: the old value, its author and the reason stay. ``voided`` takes it back (undo)."""
    session = event.session
    what = read_payload(event.kind, event.payload if payload is None else payload)
    check_may(by, permission_for(what.kind))
    check_in_clinic(by, session)
    key = checked_key(entry_key)
    _lock(session)
    before = SessionEvent.objects.filter(session=session, entry_key=key).first()
    if before is not None:
        return _same_amendment(before, what, event, voided=voided)
    _check_amendable(event, reason, voided=voided, at=at)
    moment = happened_at or event.at
    _check_time(session, moment, at)
    paper = None if voided else paper_of(event)
    corrected = Event(moment, what, key, by.display_name, by.role)
    against = _check_amendment(session, event, corrected, by=by, voided=voided, at=at, paper=paper)
    return _write(
        session,
        corrected,
        by=by,
        recorded_at=at,
        paper=paper,
        against=against,
        amends=event,
        amendment_reason=reason.strip(),
        voided=voided,
    )


def _same_amendment(row: SessionEvent, what: Payload, amended: SessionEvent, *, voided: bool) -> SessionEvent:
    if row.amends_id != amended.pk or row.voided != voided:
        raise Refusal("Amending", ["this entry's key was already used for something else"], "Open the page again.")
    return _same_entry(row, what)


def _check_amendable(row: SessionEvent, reason: str, *, voided: bool, at: datetime) -> None:
    """Refuse a correction without a reason, of an entry that no longer stands, or that would open a past day again."""
    refused = "Amending an entry"
    if not reason.strip():
        raise Refusal(refused, ["no reason was given"], "Say what was wrong with it.")
    fault = text_fault(reason)
    if fault:
        raise Refusal(refused, [f"reason: {fault}"], "Say it in other words.")
    if row.voided:
        raise Refusal(refused, ["it was taken back"], "Write down what happened as a new entry.")
    if SessionEvent.objects.filter(amends=row).exists():
        raise Refusal(refused, ["it was already amended"], "Amend the newer entry.")
    if voided and row.kind in CLOSING_KINDS:
        _check_may_reopen(row, at)


def _check_may_reopen(row: SessionEvent, at: datetime) -> None:
    """Refuse taking back the end of a session of an earlier day, or where somebody else has the chair by now."""
    session, refused = row.session, "Taking back the end of a session"
    if session.clinic.day_of(row.at) != session.clinic.day_of(at):
        raise Refusal(refused, ["it ended on an earlier day"], "Correct what was written, with a reason.")
    Clinic.objects.select_for_update().get(pk=session.clinic_id)
    for other in (o.session for o in open_sessions(session.clinic, at) if o.session.pk != session.pk):
        if other.chair == session.chair:
            raise Refusal(refused, [f"chair {other.chair} is taken by {other.patient}"], "Correct it with a reason.")
        if other.patient_id == session.patient_id:
            raise Refusal(refused, [f"{other.patient} is on the floor again"], "Correct it with a reason.")


def _check_amendment(
    session: Session,
    row: SessionEvent,
    event: Event,
    *,
    by: Staff,
    voided: bool,
    at: datetime,
    paper: Paper | None,
) -> tuple[str, ...]:
    """Refuse a correction after which the entries of the session would no longer follow one another.

    Returns what the gates would have refused of something that was kept on paper.
    """
    facts = facts_of(session, max(at, event.at))
    others = tuple(e for e in facts.events if e.key != row.entry_key)
    later = [e for e in others if e.kind in _DOSING and e.at > row.at]
    if voided and row.kind in (*_DOSING, EventKind.RELEASE_SIGNED) and later:
        raise Refusal(
            "Taking back an entry",
            [f"{later[-1].kind.replace('_', ' ')} was written down after it"],
            "Take back the later entries first.",
        )
    earlier = replace(facts_of(session, event.at), events=tuple(e for e in others if e.at <= event.at))
    against: tuple[str, ...] = ()
    if not voided:
        against = _check_allowed(earlier, event, setting_of(session.clinic, event.at, session.product), paper)
    result = others if voided else in_order((*others, event))
    accepted = {event.key} if against else set()
    _check_follows(session, facts, result, changed={row.entry_key, event.key}, accepted=accepted)
    if not voided:
        _keep_decision(session, earlier, event, by=by, recorded_at=at)
    return against


def _check_follows(
    session: Session, facts: SessionFacts, result: tuple[Event, ...], changed: set[str], accepted: set[str]
) -> None:
    """Refuse a result in which an entry no longer follows that did before; what never did is no reason."""
    setting = setting_of(session.clinic, session.at, session.product)
    known = {m.event.key for m in misfits(facts, setting)} - changed
    broken = [m for m in misfits(replace(facts, events=result), setting) if m.event.key not in known | accepted]
    if broken:
        raise Refusal(
            "Correcting an entry",
            [
                f"{m.event.kind.replace('_', ' ')} at {m.event.at.astimezone(session.clinic.zone):%H:%M} "
                f"would no longer follow: {'; '.join(m.because)}"
                for m in broken
            ],
            "Correct the later entries first.",
        )


UNDO_WITHIN = timedelta(minutes=15)
"""Later than this, an entry is corrected with a reason instead."""


@transaction.atomic
def undo_last(*, session: Session, by: Staff, at: datetime, entry_key: str = "") -> SessionEvent:
    """Take back the newest entry that the same person wrote; a correction goes back to what stood before it.

    The same undo sent twice is one undo, and what an undo has put back is not undone again.
    """
    check_in_clinic(by, session)
    key = checked_key(entry_key)
    _lock(session)
    done = SessionEvent.objects.filter(session=session, entry_key=key).first()
    if done is not None:
        return _same_undo(done, by)
    newest = newest_to_undo(session.clinic, session.pk, by)
    if newest is None or at - newest.recorded_at > UNDO_WITHIN:
        raise Refusal(
            "Undoing",
            ["there is no entry of yours from the last 15 minutes to take back"],
            "Correct an older entry with a reason.",
        )
    before = newest.amends
    if not isinstance(before, SessionEvent):
        return amend_event(event=newest, by=by, at=at, reason=UNDONE, voided=True, entry_key=key)
    return amend_event(
        event=newest,
        by=by,
        at=at,
        reason=UNDONE,
        payload=before.payload,
        happened_at=before.at,
        entry_key=key,
    )


def _same_undo(row: SessionEvent, by: Staff) -> SessionEvent:
    if row.amends_id is None or row.amendment_reason != UNDONE or row.recorded_by_id != by.pk:
        raise Refusal("Undoing", ["this entry's key was already used for something else"], "Open the page again.")
    return row
