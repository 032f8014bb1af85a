"""Reads of scores and alerts, always within one clinic; lists are read set by set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import QuerySet

from ketaclinic.followup.models import Alert, AlertEvent, AlertQuerySet, ScaleAnswer
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.queries import one_in
from ketaclinic.treatment.queries import given_sessions
from ketacore.scales import SCALES, Scale

ASKED_AGAIN_AFTER = timedelta(days=14)
"""Each form asks about "the last 2 weeks" (``recall`` of the scale): sooner, it would ask about the same days again."""


def answers_of(patient: Patient, at: datetime, instrument: str = "") -> QuerySet[ScaleAnswer]:
    """Return the patient's forms that count, complete or not, oldest first."""
    rows = ScaleAnswer.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    rows = rows.filter(instrument=instrument) if instrument else rows
    return rows.select_related("recorded_by", "told_by__patient").order_by("at", "pk")


def scores_of(patient: Patient, instrument: str, at: datetime | None = None) -> list[ScaleAnswer]:
    """Return the patient's complete forms of one instrument, oldest first; a form without a number is not a score."""
    rows = ScaleAnswer.objects.of(patient.clinic).current().filter(patient=patient, instrument=instrument)
    rows = rows.filter(complete=True)
    rows = rows.filter(at__lte=at) if at is not None else rows
    return list(rows.select_related("recorded_by", "told_by__patient").order_by("at", "pk"))


def baseline_of(patient: Patient, instrument: str, at: datetime) -> ScaleAnswer | None:
    """Return the score the others are compared with: the last one before the first session, else the first of all."""
    given = given_sessions(patient, at)
    return baseline_among(scores_of(patient, instrument, at), given[0].started_at if given else None)


def baseline_among(scores: Collection[ScaleAnswer], first_session_at: datetime | None) -> ScaleAnswer | None:
    """Return the baseline among scores in the order of time; without a session so far, the newest of them."""
    before = [row for row in scores if first_session_at is None or row.at <= first_session_at]
    return before[-1] if before else next(iter(scores), None)


def latest_scores(
    clinic: Clinic, patient_ids: Collection[int], instrument: str, at: datetime
) -> dict[int, list[ScaleAnswer]]:
    """Return the scores of many patients, oldest first, in one query."""
    found: dict[int, list[ScaleAnswer]] = defaultdict(list)
    rows = ScaleAnswer.objects.of(clinic).current().filter(instrument=instrument, complete=True, at__lte=at)
    for row in rows.filter(patient_id__in=patient_ids).order_by("at", "pk"):
        found[row.patient_id].append(row)
    return dict(found)


def answer_in(clinic: Clinic, pk: int) -> ScaleAnswer:
    """Return a form of this clinic; raises ``Http404`` for any other."""
    rows: QuerySet[ScaleAnswer] = ScaleAnswer.objects.of(clinic)
    beside = ("patient", "patient__clinic", "recorded_by", "told_by__patient")
    return one_in(rows.select_related(*beside), "form in this clinic", pk)


def forms_due(patient: Patient, at: datetime) -> list[Scale]:
    """Return the forms the patient should fill in now: depression, and whatever they were asked before.

    A form is due once the days it was last asked about lie behind.
    """
    newest: dict[str, datetime] = {}
    for instrument, answered_at in answers_of(patient, at).values_list("instrument", "at"):
        newest[instrument] = answered_at
    asked = [s for s in SCALES.values() if s.measures == "depression" or s.scale_id in newest]
    day = patient.clinic.day_of
    return [
        scale
        for scale in asked
        if scale.scale_id not in newest or day(newest[scale.scale_id]) <= day(at) - ASKED_AGAIN_AFTER
    ]


def correction_of(row: ScaleAnswer) -> ScaleAnswer | None:
    """Return the form that corrects this one, if any."""
    later: ScaleAnswer | None = ScaleAnswer.objects.filter(amends=row).first()
    return later


def versions_before(row: ScaleAnswer) -> list[int]:
    """Return the keys of the forms this one corrects, the newest first: a correction may itself be corrected."""
    found: list[int] = []
    earlier = row.amends_id
    while earlier is not None:
        found.append(earlier)
        earlier = ScaleAnswer.objects.of(row.clinic).values_list("amends_id", flat=True).get(pk=earlier)
    return found


def answer_entered(clinic: Clinic, entry_key: str) -> ScaleAnswer | None:
    """Return the form that was sent with this key, if it was sent before."""
    row: ScaleAnswer | None = ScaleAnswer.objects.of(clinic).filter(entry_key=entry_key).first()
    return row


def alert_in(clinic: Clinic, pk: int) -> Alert:
    """Return an alert of this clinic with its loop; raises ``Http404`` for any other."""
    rows: QuerySet[Alert] = Alert.objects.of(clinic).with_loop()
    return one_in(rows.select_related("patient", "patient__clinic", "answer", "decision"), "alert in this clinic", pk)


def steps_of(alert: Alert) -> QuerySet[AlertEvent]:
    """Return what became of an alert, oldest first."""
    return AlertEvent.objects.of(alert.clinic).filter(alert=alert).select_related("recorded_by").order_by("at", "pk")


def open_alerts(clinic: Clinic, at: datetime) -> AlertQuerySet:
    """Return the clinic's alerts that nobody has closed, the most urgent clock first."""
    rows = Alert.objects.of(clinic).open_at(at).with_loop().select_related("patient", "answer")
    return rows.order_by("due_at", "at", "pk")


def alerts_for(staff: Staff, at: datetime) -> QuerySet[Alert]:
    """Return the open alerts this person owns by role, those that passed to the role at a deadline included."""
    return open_alerts(staff.clinic, at).owned_by(staff.role, at)


def alerts_of(patient: Patient, at: datetime) -> QuerySet[Alert]:
    """Return all alerts of a patient, newest first, with where their loop stands."""
    rows = Alert.objects.of(patient.clinic).filter(patient=patient, at__lte=at).with_loop()
    return rows.select_related("answer").order_by("-at", "-pk")


def loop_report(clinic: Clinic, since: datetime, at: datetime) -> dict[str, int]:
    """Count the alerts raised in a period: open, late (acknowledged after the deadline or not at all), closed."""
    rows = list(Alert.objects.of(clinic).filter(at__gte=since, at__lte=at).with_loop())
    late = [a for a in rows if a.due_at is not None and (a.acknowledged_at or at) > a.due_at]
    closed = [a for a in rows if a.closed_at is not None and a.closed_at <= at]
    return {"raised": len(rows), "open": len(rows) - len(closed), "late": len(late), "closed": len(closed)}
