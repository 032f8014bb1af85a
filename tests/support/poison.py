"""Hostile text in every free text field of every row of a clinic, past all forms, as if a form had let it through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models

from ketaclinic.people.models import Clinic

KNOWN_WORDS = frozenset(
    [
        "people.User.password",
        "people.User.username",
        "people.Clinic.time_zone",
        "people.Clinic.jurisdiction",
        "people.Patient.language",
        "people.Patient.record_number",
        "people.PatientCorrection.field",
        "record.TimelineEntry.stage",
        "record.TimelineEntry.kind",
        "record.TimelineEntry.about_type",
        "record.StoredDecision.room",
        "record.StoredDecision.question",
        "record.StoredDecision.outcome",
        "record.StoredDecision.rule_pack",
        "policy.PolicySignature.rule_id",
        "screening.VitalSign.unit",
        "screening.HistoryAnswer.question",
        "screening.HistoryAnswer.value",
        "consent.ConsentText.version",
        "consent.ConsentText.language",
        "consent.ConsentText.digest",
        "consent.ConsentText.dose_unit",
        "consent.ConsentSignature.language",
        "planning.Plan.protocol_id",
        "planning.Plan.product",
        "planning.Booking.phase",
        "treatment.Session.product",
        "treatment.Session.entry_key",
        "treatment.SessionEvent.entry_key",
        "aftercare.InstructionsGiven.entry_key",
        "followup.ScaleAnswer.instrument",
        "followup.ScaleAnswer.band",
        "followup.ScaleAnswer.entry_key",
        "followup.Alert.rule_id",
        "surveillance.ScreenResult.entry_key",
    ]
)
"""Text fields that hold words of the program: nobody types into them. A new field is free text until it is here."""
FREE_KEYS = frozenset({"lot", "note", "reason", "name", "words", "text", "escort", "detail", "title"})
"""What is free text inside a field of JSON, by its name there."""


def free_text() -> Iterator[tuple[type[models.Model], models.Field[Any, Any]]]:
    """Yield every field that holds what somebody typed."""
    for model in (
        m for m in apps.get_models() if m.__module__.startswith("ketaclinic.") and m._meta.app_label != "audit"
    ):
        for field in model._meta.concrete_fields:
            kind = isinstance(field, models.CharField | models.TextField) and not field.choices
            if kind and f"{model._meta.label}.{field.name}" not in KNOWN_WORDS:
                yield model, field


def poison(clinic: Clinic, texts: list[str]) -> int:
    """Write a hostile text over every free text field of every row; return how many. Rows only added to included."""
    written = 0
    for number, (model, field) in enumerate(free_text()):
        for place, (pk, stands) in enumerate(model._base_manager.values_list("pk", field.attname)):
            if stands or field.name == "note":
                text = _fitting(texts, number + place, field.max_length)
                _write(model, field.column, pk, text)
                written += 1
    for model in (m for m in apps.get_models() if m._meta.label == "treatment.SessionEvent"):
        for place, (pk, payload) in enumerate(model._base_manager.values_list("pk", "payload")):
            changed = {
                k: texts[place % len(texts)] if k in FREE_KEYS and isinstance(v, str) else v for k, v in payload.items()
            }
            if changed != payload:
                _write(model, "payload", pk, models.JSONField().get_prep_value(changed))
                written += 1
    assert clinic.pk
    return written


def _fitting(texts: list[str], number: int, longest: int | None) -> str:
    """Return a text that fits as it is; where none does, the shortest, cut."""
    turned = [texts[(number + n) % len(texts)] for n in range(len(texts))]
    return next((t for t in turned if longest is None or len(t) <= longest), min(texts, key=len)[:longest])


def _write(model: type[models.Model], column: str, pk: Any, value: Any) -> None:
    table, key = model._meta.db_table, model._meta.pk.column  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        if column == "payload":
            value = json.dumps(value)
        cursor.execute(f'UPDATE "{table}" SET "{column}" = %s WHERE "{key}" = %s', [value, pk])
