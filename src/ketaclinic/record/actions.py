"""Writing the timeline and keeping decisions; called by the actions of every stage, inside their transaction."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.http import HttpResponseBase

from ketaclinic.people.models import Clinic, Patient, Person, PersonalAccess, User
from ketaclinic.record.models import Intent, IntentAnswer, StoredDecision, TimelineEntry
from ketacore.evidence import Decision, decision_as_json, to_jsonable

LARGEST_ANSWER_KEPT = 256 * 1024
"""Bytes, compressed. A larger answer is not said again; that it was done still is."""
_SAID_AGAIN = ("Content-Type", "Content-Disposition", "Cache-Control", "Location")
TITLE_LENGTH = 200
DETAIL_LENGTH = 400


def written_by(by: Person) -> dict[str, Person]:
    """Return the author of an ``Authored`` row as its fields."""
    return {"told_by": by} if isinstance(by, PersonalAccess) else {"recorded_by": by}


def chronicle(
    *,
    patient: Patient,
    by: Person,
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
        **written_by(by),
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
    *, patient: Patient, by: Person, at: datetime, room: str, decision: Decision, facts: Any
) -> StoredDecision:
    """Store a decision of the core with its rule pack and the facts it used."""
    return StoredDecision.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        at=at,
        recorded_at=at,
        **written_by(by),
        room=room,
        question=decision.question,
        outcome=decision.outcome,
        rule_pack=decision.rule_pack,
        facts=to_jsonable(facts),
        decision=decision_as_json(decision),
    )


def wait_in_line(*names: str) -> None:
    """Let whoever asks for the same names be served one after the other, for no longer than the connection waits.

    PostgreSQL: a lock on each name until the transaction ends. SQLite has one writer, so whoever has begun a
    transaction to write is alone.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def keep_intent(
    *,
    user: User,
    clinic: Clinic | None,
    patient_id: int | None,
    at: datetime,
    key: str,
    route: str,
    path: str,
    fingerprint: str,
    response: HttpResponseBase,
    messages: Sequence[tuple[int, str]],
) -> Intent:
    """Write down that this intent has had its effect, and what it was answered; in the transaction of the effect."""
    intent: Intent = Intent.objects.create(
        user=user,
        clinic=clinic,
        patient_id=patient_id,
        at=at,
        key=key,
        route=route[:80],
        path=path[:300],
        fingerprint=fingerprint,
    )
    body = b"" if response.streaming else gzip.compress(getattr(response, "content", b""), 1)
    complete = not response.streaming and not hasattr(response, "said_once") and len(body) <= LARGEST_ANSWER_KEPT
    IntentAnswer.objects.create(
        intent=intent,
        clinic=clinic,
        at=at,
        status=response.status_code,
        headers={n: v for n, v in response.items() if n in _SAID_AGAIN or n.upper().startswith("HX-")},
        messages=list(messages),
        body=body if complete else b"",
        complete=complete,
    )
    return intent


def forget_answers(*, at: datetime, at_most: int = 500) -> int:
    """Remove answers older than ``settings.KEEP_ANSWERS_DAYS``; that the intents were done stays known for ever."""
    limit = at - timedelta(days=settings.KEEP_ANSWERS_DAYS)
    old = list(IntentAnswer.objects.filter(at__lt=limit).order_by("at").values_list("pk", flat=True)[:at_most])
    if old:
        IntentAnswer.objects.filter(pk__in=old).delete()
    return len(old)
