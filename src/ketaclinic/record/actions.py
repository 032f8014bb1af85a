"""Writing the timeline and keeping decisions; called by the actions of every stage, inside their transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from ketaclinic.people.models import Patient, Staff
from ketaclinic.record.models import StoredDecision, TimelineEntry
from ketacore.evidence import Decision, decision_as_json, to_jsonable

TITLE_LENGTH = 200
DETAIL_LENGTH = 400


def chronicle(
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    recorded_at: datetime,
    stage: str,
    kind: str,
    title: str,
    detail: str = "",
    about: models.Model | None = None,
    amends: models.Model | None = None,
) -> TimelineEntry:
    """Add a line to the patient's timeline.

    ``about`` is the row the line speaks of; ``amends`` the row it replaces, whose line is then marked as amended.
    """
    return TimelineEntry.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        at=at,
        recorded_at=recorded_at,
        recorded_by=by,
        stage=stage,
        kind=kind,
        title=title[:TITLE_LENGTH],
        detail=detail[:DETAIL_LENGTH],
        about_type=about._meta.label if about is not None else "",
        about_id=about.pk if about is not None else None,
        amends=_line_about(patient, amends) if amends is not None else None,
    )


def _line_about(patient: Patient, row: models.Model) -> TimelineEntry | None:
    return (
        TimelineEntry.objects.filter(patient=patient, about_type=row._meta.label, about_id=row.pk)
        .filter(amended_by__isnull=True)
        .order_by("pk")
        .first()
    )


def keep_decision(
    *, patient: Patient, by: Staff, at: datetime, room: str, decision: Decision, facts: Any
) -> StoredDecision:
    """Store a decision of the core with its rule pack and the facts it used."""
    return StoredDecision.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        room=room,
        question=decision.question,
        outcome=decision.outcome,
        rule_pack=decision.rule_pack,
        facts=to_jsonable(facts),
        decision=decision_as_json(decision),
    )
