"""Reads of scores and alerts, always within one clinic; lists are read set by set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404

from ketaclinic.followup.models import Alert, AlertEvent, AlertQuerySet, ScaleAnswer
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.treatment.queries import given_sessions


def answers_of(patient: Patient, at: datetime, instrument: str = "") -> QuerySet[ScaleAnswer]:
    """Return the patient's forms that count, complete or not, oldest first."""
    rows = ScaleAnswer.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    rows = rows.filter(instrument=instrument) if instrument else rows
    return rows.select_related("recorded_by").order_by("at", "pk")


def scores_of(patient: Patient, instrument: str, at: datetime | None = None) -> list[ScaleAnswer]:
    """Return the patient's complete forms of one instrument, oldest first; a form without a number is not a score."""
    rows = ScaleAnswer.objects.of(patient.clinic).current().filter(patient=patient, instrument=instrument)
    rows = rows.filter(complete=True)
    rows = rows.filter(at__lte=at) if at is not None else rows
    return list(rows.select_related("recorded_by").order_by("at", "pk"))


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
    rows = ScaleAnswer.objects.of(clinic).select_related("patient", "patient__clinic", "recorded_by")
    row: ScaleAnswer | None = rows.filter(pk=pk).first()
    if row is None:
        raise Http404("No such form in this clinic.")
    return row


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
    rows = Alert.objects.of(clinic).with_loop().select_related("patient", "patient__clinic", "answer", "decision")
    alert: Alert | None = rows.filter(pk=pk).first()
    if alert is None:
        raise Http404("No such alert in this clinic.")
    return alert


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
