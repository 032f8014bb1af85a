"""Recording a form, correcting it, and the loop of an alert: acknowledge, note, close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.followup import queries
from ketaclinic.followup.facts import score_facts
from ketaclinic.followup.models import Alert, AlertEvent, ScaleAnswer
from ketaclinic.people.models import Patient, Person, PersonalAccess, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.actions import chronicle, keep_decision, written_by
from ketaclinic.record.models import StoredDecision
from ketaclinic.treatment.queries import given_sessions
from ketacore import followup
from ketacore.evidence import Decision, Finding, Refusal, Setting, State
from ketacore.scales import SCALES, Incomplete, Scale, check_answers, score

STAGE = "followup"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a form: the row, and the alerts it raised (none for a form that was sent twice)."""

    answer: ScaleAnswer
    alerts: tuple[Alert, ...] = field(default=())


def scale_named(instrument: str) -> Scale:
    """Return the instrument; raises ``Refusal`` for one this release does not have."""
    if instrument not in SCALES:
        raise Refusal(
            "Recording answers", [f"there is no instrument {instrument}"], f"Use one of: {', '.join(SCALES)}."
        )
    return SCALES[instrument]


@transaction.atomic
def record_answers(
    *,
    patient: Patient,
    instrument: str,
    answers: Mapping[str, int | None],
    entry_key: str,
    by: Person,
    at: datetime,
    answered_at: datetime | None = None,
) -> Recorded:
    """Store one form with its score, or without a number when an item is missing; raise the alerts it asks for.

    The same ``entry_key`` sent twice is one form. ``answered_at`` is when the patient answered, if not now.
    ``by`` is the member of staff who wrote the answers down, or the patient who tapped them in their own sign-in.
    """
    check_may(by, Permission.ANSWER_OWN_FORM if isinstance(by, PersonalAccess) else Permission.RECORD_SCORE)
    check_in_clinic(by, patient)
    scale = scale_named(instrument)
    before = queries.answer_entered(patient.clinic, entry_key)
    if before is not None:
        if (before.patient_id, before.instrument) != (patient.pk, instrument):
            raise Refusal("Recording answers", ["this form was sent for someone else before"], "Open a new form.")
        return Recorded(before, tuple(before.alerts.all()))
    happened = answered_at or at
    if happened > at:
        raise Refusal("Recording answers", ["the time lies in the future"], "Give the time of the answers.")
    row = _write(patient, scale, answers, entry_key, by=by, at=at, happened=happened, amends=None, reason="")
    return Recorded(row, _raise_alerts(row, scale, by=by, at=at))


@transaction.atomic
def amend_answers(
    *, answer: ScaleAnswer, answers: Mapping[str, int | None], reason: str, entry_key: str, by: Staff, at: datetime
) -> Recorded:
    """Correct a form: the old one is kept with the reason. An alert it raised stays open until a person closes it."""
    check_may(by, Permission.RECORD_SCORE)
    check_in_clinic(by, answer)
    if not reason.strip():
        raise Refusal("Correcting answers", ["no reason was given"], "Say why the answers change.")
    before = queries.answer_entered(answer.clinic, entry_key)
    if before is not None and before.amends_id == answer.pk:
        return Recorded(before, tuple(before.alerts.all()))
    if before is not None:
        raise Refusal("Correcting answers", ["this form was sent for something else before"], "Open a new form.")
    if ScaleAnswer.objects.of(answer.clinic).filter(amends=answer).exists():
        raise Refusal("Correcting answers", ["this form was corrected already"], "Correct the newest one.")
    scale = scale_named(answer.instrument)
    row = _write(
        answer.patient,
        scale,
        answers,
        entry_key,
        by=by,
        at=at,
        happened=answer.at,
        amends=answer,
        reason=reason.strip(),
    )
    return Recorded(row, _raise_alerts(row, scale, by=by, at=at))


def _write(
    patient: Patient,
    scale: Scale,
    answers: Mapping[str, int | None],
    entry_key: str,
    *,
    by: Person,
    at: datetime,
    happened: datetime,
    amends: ScaleAnswer | None,
    reason: str,
) -> ScaleAnswer:
    check_answers(scale, answers)
    given = {key: value for key, value in answers.items() if value is not None}
    if not given:
        raise Refusal("Recording answers", ["no item was answered"], "Answer at least one, or close the form.")
    result = score(scale, given)
    complete = not isinstance(result, Incomplete)
    row: ScaleAnswer = ScaleAnswer.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=happened,
        recorded_at=at,
        **written_by(by),
        amends=amends,
        amendment_reason=reason,
        instrument=scale.scale_id,
        version=scale.version,
        answers=given,
        total=None if isinstance(result, Incomplete) else result.total,
        band="" if isinstance(result, Incomplete) else result.band.name,
        complete=complete,
        entry_key=entry_key,
    )
    if isinstance(result, Incomplete):
        count = len(result.missing)
        title = f"{scale.name}: no number, {count} answer{'s' if count > 1 else ''} missing"
    else:
        title = f"{scale.name}: {result.total} of {scale.highest}, {result.band.name}"
    chronicle(
        patient=patient,
        by=by,
        at=happened,
        recorded_at=at,
        stage=STAGE,
        kind="score",
        title=title,
        detail=reason,
        about=row,
        amends=amends,
    )
    deed = "amend_answers" if amends else "record_answers"
    write_audit(deed, by=by, at=at, patient_id=patient.pk, obj=row, reason=reason)
    return row


def _raise_alerts(row: ScaleAnswer, scale: Scale, *, by: Person, at: datetime) -> tuple[Alert, ...]:
    """Ask the core what the form asks for; what it could not decide is kept as well, and a person has to ask."""
    setting = setting_of(row.clinic, at)
    raised: list[Alert | None] = []
    if scale.suicide_items:
        decision = followup.item9_alert(scale, row.answers, setting)
        kind = _SUICIDE_KINDS.get(decision.outcome)
        if kind is not None:
            kept = keep_decision(patient=row.patient, by=by, at=at, room=STAGE, decision=decision, facts=row.answers)
            raised.append(_raise_alert(row, kind, decision, kept, setting, by=by, at=at))
    sessions_at = [s.started_at for s in given_sessions(row.patient, row.at)]
    facts = score_facts(row.instrument, queries.scores_of(row.patient, row.instrument, row.at), row, sessions_at)
    decision = followup.worse_after_session(facts, setting)
    if decision.outcome != followup.NO_ALERT:
        told = {"previous": facts.previous.value, "now": facts.now.value, "scale": scale.scale_id}
        kept = keep_decision(patient=row.patient, by=by, at=at, room=STAGE, decision=decision, facts=told)
        if decision.outcome == followup.ALERT:
            raised.append(_raise_alert(row, Alert.Kind.WORSENING, decision, kept, setting, by=by, at=at))
    return tuple(alert for alert in raised if alert is not None)


_SUICIDE_KINDS = {
    followup.ALERT: Alert.Kind.SUICIDE_ITEM,
    followup.CANNOT_DECIDE: Alert.Kind.ITEM_UNDECIDED,
}
_ANSWERED_BY = {
    Alert.Kind.SUICIDE_ITEM: (Alert.Kind.SUICIDE_ITEM,),
    Alert.Kind.ITEM_UNDECIDED: (Alert.Kind.ITEM_UNDECIDED, Alert.Kind.SUICIDE_ITEM),
    Alert.Kind.WORSENING: (Alert.Kind.WORSENING,),
}
"""Which open alerts of an earlier version of the form ask for the same already."""
_TITLES = {
    Alert.Kind.SUICIDE_ITEM: "{scale} item about suicide answered: assess today",
    Alert.Kind.ITEM_UNDECIDED: "{scale} item about suicide {why}: ask",
    Alert.Kind.WORSENING: "{scale} is worse after a session: review today",
}
_PRIORITY = {
    Alert.Kind.SUICIDE_ITEM: Alert.Priority.HIGH,
    Alert.Kind.ITEM_UNDECIDED: Alert.Priority.MEDIUM,
    Alert.Kind.WORSENING: Alert.Priority.MEDIUM,
}


def _raised_before(row: ScaleAnswer, kind: Alert.Kind) -> bool:
    """Return whether an earlier version of the same form raised an alert that asks for this and is still open."""
    versions = queries.versions_before(row)
    before = queries.open_alerts(row.clinic, row.recorded_at).filter(answer_id__in=versions)
    return bool(versions) and before.filter(kind__in=_ANSWERED_BY[kind]).exists()


def _raise_alert(
    row: ScaleAnswer,
    kind: Alert.Kind,
    decision: Decision,
    kept: StoredDecision,
    setting: Setting,
    *,
    by: Person,
    at: datetime,
) -> Alert | None:
    """Raise an alert with its owner; ``None`` where an earlier version of the form has raised it."""
    if _raised_before(row, kind):
        return None
    cause = _cause(decision)
    owned = followup.ownership(at, setting)
    told = "; ".join(cause.because) or f"not answered: {', '.join(cause.missing)}"
    alert: Alert = Alert.objects.create(
        clinic=row.clinic,
        patient=row.patient,
        at=at,
        recorded_at=at,
        **written_by(by),
        kind=kind,
        priority=_PRIORITY[kind],
        title=_TITLES[kind].format(
            scale=scale_named(row.instrument).name, why="not answered" if decision.missing else "could not be judged"
        ),
        value=told[:80],
        rule_id=cause.rule.rule_id,
        rule_version=cause.rule.rule_version,
        answer=row,
        decision=kept,
        owner_role=owned.owner_role,
        backup_role=owned.backup_role,
        due_at=owned.due_at,
    )
    _tell(alert, "alert", alert.title, told, by=by, at=at)
    write_audit("raise_alert", by=by, at=at, patient_id=row.patient_id, obj=alert)
    return alert


def _cause(decision: Decision) -> Finding:
    """Return the task that fired; where none did, the one that could not be evaluated."""
    nothing = Finding(followup.RULES["RS-01-S"], State.NOT_EVALUATED, ("no rule about this item holds on this day",))
    tasks = (f for f in (*decision.fired, *decision.not_evaluated) if f.rule.effect == "task")
    return next(tasks, nothing)


def _tell(alert: Alert, kind: str, title: str, detail: str, *, by: Person, at: datetime) -> None:
    chronicle(
        patient=alert.patient,
        by=by,
        at=at,
        recorded_at=at,
        stage=STAGE,
        kind=kind,
        title=title,
        detail=detail,
        about=alert,
    )


@transaction.atomic
def acknowledge_alert(*, alert: Alert, by: Staff, at: datetime) -> AlertEvent:
    """Take an alert by name. The first name stands: a second person is told who has it."""
    check_may(by, Permission.OWN_ALERT)
    check_in_clinic(by, alert)
    taken = queries.steps_of(alert).filter(kind=AlertEvent.Kind.ACKNOWLEDGED).first()
    if taken is not None and taken.recorded_by_id == by.pk:
        return taken
    if taken is not None:
        raise Refusal(
            "Acknowledging", [f"{taken.recorded_by.display_name} has taken it"], "Speak with them, or add a note."
        )
    _check_open(alert, "Acknowledging")
    return _step(alert, AlertEvent.Kind.ACKNOWLEDGED, f"Alert acknowledged by {by.display_name}", by=by, at=at)


@transaction.atomic
def note_on_alert(*, alert: Alert, note: str, by: Staff, at: datetime) -> AlertEvent:
    """Add a note to an open alert."""
    check_may(by, Permission.OWN_ALERT)
    check_in_clinic(by, alert)
    _check_open(alert, "Adding a note")
    if not note.strip():
        raise Refusal("Adding a note", ["it is empty"], "Write what was done.")
    return _step(alert, AlertEvent.Kind.NOTE, "Note on an alert", note=note, by=by, at=at)


@transaction.atomic
def close_alert(*, alert: Alert, outcome: str, note: str, by: Staff, at: datetime) -> AlertEvent:
    """Close an alert with what came of it; whoever closes an alert nobody took acknowledges it with that."""
    check_may(by, Permission.OWN_ALERT)
    check_in_clinic(by, alert)
    _check_open(alert, "Closing the alert")
    if outcome not in AlertEvent.Outcome.values:
        raise Refusal("Closing the alert", ["no outcome was chosen"], "Say what came of it.")
    if not note.strip():
        raise Refusal("Closing the alert", ["nothing says what was done"], "Write what was done and agreed.")
    if not queries.steps_of(alert).filter(kind=AlertEvent.Kind.ACKNOWLEDGED).exists():
        _step(alert, AlertEvent.Kind.ACKNOWLEDGED, f"Alert acknowledged by {by.display_name}", by=by, at=at)
    title = f"Alert closed: {AlertEvent.Outcome(outcome).label}"
    return _step(alert, AlertEvent.Kind.CLOSED, title, outcome=outcome, note=note, by=by, at=at)


def _check_open(alert: Alert, refused: str) -> None:
    if queries.steps_of(alert).filter(kind=AlertEvent.Kind.CLOSED).exists():
        raise Refusal(refused, ["the alert is closed"], "Open the patient's follow-up page.")


def _step(
    alert: Alert, kind: str, title: str, *, by: Staff, at: datetime, outcome: str = "", note: str = ""
) -> AlertEvent:
    step: AlertEvent = AlertEvent.objects.create(
        clinic=alert.clinic,
        patient=alert.patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        alert=alert,
        kind=kind,
        outcome=outcome,
        note=note.strip(),
    )
    _tell(alert, f"alert_{kind}", title, note.strip(), by=by, at=at)
    write_audit(f"alert_{kind}", by=by, at=at, patient_id=alert.patient_id, obj=step)
    return step
