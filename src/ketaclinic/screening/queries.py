"""Reads of the history. Every one starts from a clinic, or from a patient that came from one."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.screening.models import (
    Allergy,
    AntidepressantTrial,
    CandidacyDecision,
    HistoryAnswer,
    Medication,
    Problem,
    Procedure,
    VitalSign,
)

OPEN_STATUS = (Medication.Status.ACTIVE, Medication.Status.ON_HOLD, Medication.Status.UNKNOWN)


def active_medications(patient: Patient, at: datetime) -> QuerySet[Medication]:
    """Return what the patient takes at ``at``; an unstated status counts as taken unless the period has ended."""
    day = patient.clinic.day_of(at)
    rows = Medication.objects.of(patient.clinic).current().filter(patient=patient, status__in=OPEN_STATUS, at__lte=at)
    return rows.filter(Q(ended_on__isnull=True) | Q(ended_on__gte=day)).order_by("display", "pk")


def problems(patient: Patient) -> QuerySet[Problem]:
    """Return the patient's problems, newest onset first, without those a clinician refuted."""
    rows = Problem.objects.of(patient.clinic).current().filter(patient=patient)
    return rows.exclude(status=Problem.Status.REFUTED).order_by("-onset_on", "-pk")


def refuted_problems(patient: Patient) -> QuerySet[Problem]:
    """Return the entries a clinician found to be wrong."""
    return Problem.objects.of(patient.clinic).current().filter(patient=patient, status=Problem.Status.REFUTED)


def allergies(patient: Patient) -> QuerySet[Allergy]:
    """Return the patient's allergies, without those a clinician refuted."""
    rows = Allergy.objects.of(patient.clinic).current().filter(patient=patient)
    return rows.exclude(status=Problem.Status.REFUTED).order_by("display", "pk")


def procedures(patient: Patient) -> QuerySet[Procedure]:
    """Return what was done to the patient, newest first."""
    return Procedure.objects.of(patient.clinic).current().filter(patient=patient).order_by("-performed_on", "-pk")


def latest_vital(patient: Patient, kind: str, at: datetime) -> VitalSign | None:
    """Return the newest measurement of a kind up to ``at``."""
    rows = VitalSign.objects.of(patient.clinic).current().filter(patient=patient, kind=kind, at__lte=at)
    newest: VitalSign | None = rows.order_by("-at", "-pk").first()
    return newest


def answers(patient: Patient, at: datetime) -> dict[str, HistoryAnswer]:
    """Return the newest answer to each question, with who wrote it down."""
    rows = HistoryAnswer.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    return {row.question: row for row in rows.select_related("recorded_by").order_by("at", "pk")}


def trials(patient: Patient, at: datetime) -> QuerySet[AntidepressantTrial]:
    """Return the antidepressants that were tried, in the order of their start."""
    rows = AntidepressantTrial.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    return rows.order_by("started_on", "pk")


def candidacy(patient: Patient, product: str, at: datetime) -> CandidacyDecision | None:
    """Return the newest decision about this product, or ``None`` while nobody has decided."""
    rows = CandidacyDecision.objects.of(patient.clinic).current().filter(patient=patient, product=product, at__lte=at)
    newest: CandidacyDecision | None = rows.select_related("recorded_by").order_by("-at", "-pk").first()
    return newest


def decisions(patient: Patient, at: datetime) -> QuerySet[CandidacyDecision]:
    """Return every decision about the patient, newest first."""
    rows = CandidacyDecision.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    return rows.select_related("recorded_by", "second_signer").order_by("-at", "-pk")


def awaiting_decision(clinic: Clinic, at: datetime) -> QuerySet[Patient]:
    """Return the living patients about whom nobody has decided anything, the longest waiting first."""
    decided = CandidacyDecision.objects.of(clinic).filter(patient=OuterRef("pk"), at__lte=at)
    rows = Patient.objects.of(clinic).filter(registered_at__lte=at, deceased_on__isnull=True)
    return rows.filter(~Exists(decided)).order_by("registered_at", "pk")


def row_in(clinic: Clinic, model: type[Problem] | type[Medication] | type[AntidepressantTrial], pk: int) -> object:
    """Return a current row of this clinic; raises ``Http404`` for one of another clinic, an amended one, or none."""
    row = model.objects.of(clinic).current().filter(pk=pk).select_related("patient", "clinic").first()
    if row is None:
        raise Http404("No such entry in this clinic.")
    return row
