"""Collects rows of many invented patients and writes them at once.

A row written here has the fields and the timeline line that the room's own action gives it; tests compare the two.
Left out of what lies in the past: audit entries and stored decisions of the gates.
"""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from django.db import models, transaction

from ketaclinic.aftercare.models import InstructionsGiven, NextDayContact
from ketaclinic.consent.models import ConsentSignature
from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.maintenance.models import BenefitEvaluation
from ketaclinic.people.models import Caregiver, Patient, Staff
from ketaclinic.planning.models import Booking, Plan, PlanEnd
from ketaclinic.record.actions import DETAIL_LENGTH, TITLE_LENGTH
from ketaclinic.record.models import ClinicalRow, StoredDecision, TimelineEntry
from ketaclinic.screening.models import (
    AntidepressantTrial,
    CandidacyDecision,
    HistoryAnswer,
    Medication,
    Problem,
    VitalSign,
)
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.models import RemsEnrolment, Session, SessionEvent

ORDER: tuple[type[models.Model], ...] = (
    Patient,
    Caregiver,
    Problem,
    Medication,
    VitalSign,
    HistoryAnswer,
    AntidepressantTrial,
    StoredDecision,
    CandidacyDecision,
    ConsentSignature,
    RemsEnrolment,
    Plan,
    PlanEnd,
    Booking,
    Session,
    SessionEvent,
    InstructionsGiven,
    NextDayContact,
    ScaleAnswer,
    ScreenResult,
    BenefitEvaluation,
)
"""Every model after those it points to."""

_BATCH = 900
Row = TypeVar("Row", bound=ClinicalRow)


class Ledger:
    """Rows to be written, in memory until ``flush``."""

    def __init__(self) -> None:
        self.rows: dict[type[models.Model], list[Any]] = {model: [] for model in ORDER}
        self.lines: list[tuple[TimelineEntry, models.Model | None]] = []
        self.keys = count(1)

    def add(self, row: models.Model) -> None:
        """Keep a row that is no clinical row."""
        self.rows[type(row)].append(row)

    def row(self, model: type[Row], patient: Patient, at: datetime, by: Staff, **fields: Any) -> Row:
        """Keep a clinical row written down when it happened, and return it."""
        made = model(clinic_id=patient.clinic_id, patient=patient, at=at, recorded_at=at, recorded_by=by, **fields)
        self.rows[model].append(made)
        return made

    def line(
        self, about: ClinicalRow, stage: str, kind: str, title: str, detail: str = "", at: datetime | None = None
    ) -> None:
        """Keep the timeline line that speaks of a row."""
        entry = TimelineEntry(
            clinic_id=about.clinic_id,
            patient=about.patient,
            at=at or about.at,
            recorded_at=about.recorded_at,
            recorded_by=about.recorded_by,
            stage=stage,
            kind=kind,
            title=title[:TITLE_LENGTH],
            detail=detail[:DETAIL_LENGTH],
        )
        self.lines.append((entry, about))

    def key(self, about: str) -> str:
        """Return an entry key no tablet draws."""
        return f"demo-{about}-{next(self.keys)}"

    def flush(self) -> None:
        """Write everything in one transaction and forget it."""
        with transaction.atomic():
            for model in ORDER:
                model._default_manager.bulk_create(self.rows[model], batch_size=_BATCH)
                self.rows[model] = []
            for entry, about in self.lines:
                if about is not None:
                    entry.about_type, entry.about_id = about._meta.label, about.pk
            TimelineEntry.objects.bulk_create([entry for entry, _ in self.lines], batch_size=_BATCH)
            self.lines = []
