"""Reads of the history. Every one starts from a clinic, or from a patient that came from one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.queries import one_in
from ketaclinic.record.models import ClinicalRow
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


@dataclass(frozen=True, slots=True)
class History:
    """Everything the record holds about a candidate at one moment, read once."""

    patient: Patient
    at: datetime
    answers: dict[str, HistoryAnswer]
    problems: list[Problem]
    refuted: list[Problem]
    allergies: list[Allergy]
    medications: list[Medication]
    trials: list[AntidepressantTrial]
    pressure: VitalSign | None
    refuted_allergies: list[Allergy] = field(default_factory=list)


def candidate_in(clinic: Clinic, pk: int, at: datetime) -> Patient:
    """Return the patient of this clinic for the pages of this room; raises ``Http404`` as ``patient_in`` does.

    The newest blood pressure comes in the same read, where ``history_of`` finds it.
    """
    newest = _vitals(clinic, VitalSign.Kind.BLOOD_PRESSURE, at).filter(patient=OuterRef("pk")).values("pk")[:1]
    rows: QuerySet[Any] = Patient.objects.of(clinic).annotate(pressure_pk=Subquery(newest))
    joined = FilteredRelation("vitalsigns", condition=Q(vitalsigns__pk=F("pressure_pk")))
    rows = rows.annotate(newest_pressure=joined).select_related("newest_pressure")
    patient: Patient = one_in(rows, "patient in this clinic", pk)
    patient.clinic = clinic
    return patient


def history_of(patient: Patient, at: datetime) -> History:
    """Return the patient's history as it was known at ``at``."""
    of_patient = Problem.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    everything = list(of_patient.select_related("recorded_by").order_by("-onset_on", "-pk"))
    every_allergy = list(
        Allergy.objects.of(patient.clinic)
        .current()
        .filter(patient=patient, at__lte=at)
        .select_related("recorded_by")
        .order_by("display", "pk")
    )
    return History(
        patient=patient,
        at=at,
        answers=answers(patient, at),
        problems=[row for row in everything if row.status != Problem.Status.REFUTED],
        refuted=[row for row in everything if row.status == Problem.Status.REFUTED],
        allergies=[row for row in every_allergy if row.status != Problem.Status.REFUTED],
        refuted_allergies=[row for row in every_allergy if row.status == Problem.Status.REFUTED],
        medications=list(active_medications(patient, at)),
        trials=list(trials(patient, at)),
        pressure=_pressure(patient, at),
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


def allergies(patient: Patient) -> QuerySet[Allergy]:
    """Return the patient's allergies, without those a clinician refuted."""
    rows = Allergy.objects.of(patient.clinic).current().filter(patient=patient)
    return rows.exclude(status=Problem.Status.REFUTED).order_by("display", "pk")


def procedures(patient: Patient) -> QuerySet[Procedure]:
    """Return what was done to the patient, newest first."""
    return Procedure.objects.of(patient.clinic).current().filter(patient=patient).order_by("-performed_on", "-pk")


def latest_vital(patient: Patient, kind: str, at: datetime) -> VitalSign | None:
    """Return the newest measurement of a kind up to ``at``."""
    newest: VitalSign | None = _vitals(patient.clinic, kind, at).filter(patient=patient).first()
    return newest


def _vitals(clinic: Clinic, kind: str, at: datetime) -> QuerySet[VitalSign]:
    rows: QuerySet[VitalSign] = VitalSign.objects.of(clinic).current()
    return rows.filter(kind=kind, at__lte=at).order_by("-at", "-pk")


def _pressure(patient: Patient, at: datetime) -> VitalSign | None:
    if not hasattr(patient, "pressure_pk"):
        return latest_vital(patient, VitalSign.Kind.BLOOD_PRESSURE, at)
    found: VitalSign | None = getattr(patient, "newest_pressure", None)
    return found


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


def products_treated(patient: Patient, at: datetime) -> list[str]:
    """Return the products about which the newest decision is to treat."""
    rows = CandidacyDecision.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    newest = dict(rows.order_by("at", "pk").values_list("product", "verdict"))
    return [product for product, verdict in newest.items() if verdict == CandidacyDecision.Verdict.TREAT]


def decisions(patient: Patient, at: datetime) -> QuerySet[CandidacyDecision]:
    """Return every decision about the patient, newest first."""
    rows = CandidacyDecision.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    return rows.select_related("recorded_by", "second_signer").order_by("-at", "-pk")


def awaiting_decision(clinic: Clinic, at: datetime) -> QuerySet[Patient]:
    """Return the living patients about whom nobody has decided anything, the longest waiting first."""
    decided = CandidacyDecision.objects.of(clinic).filter(patient=OuterRef("pk"), at__lte=at)
    rows = Patient.objects.of(clinic).filter(registered_at__lte=at, deceased_on__isnull=True)
    return rows.filter(~Exists(decided)).order_by("registered_at", "pk")


def answer_in(patient: Patient, pk: int) -> HistoryAnswer:
    """Return a current answer of this patient; raises ``Http404`` for an amended one, or one of somebody else."""
    return _current(HistoryAnswer, patient, pk)


def problem_in(patient: Patient, pk: int) -> Problem:
    """Return a current problem of this patient; raises ``Http404`` otherwise."""
    return _current(Problem, patient, pk)


def medication_in(patient: Patient, pk: int) -> Medication:
    """Return a current medicine of this patient; raises ``Http404`` otherwise."""
    return _current(Medication, patient, pk)


def allergy_in(patient: Patient, pk: int) -> Allergy:
    """Return a current allergy of this patient; raises ``Http404`` otherwise."""
    return _current(Allergy, patient, pk)


def trial_in(patient: Patient, pk: int) -> AntidepressantTrial:
    """Return a current trial of this patient; raises ``Http404`` otherwise."""
    return _current(AntidepressantTrial, patient, pk)


Row = TypeVar("Row", bound=ClinicalRow)


def ever_written(model: type[Row], patient: Patient, pk: int) -> Row:
    """Return an entry of this patient, corrected since or not; raises ``Http404`` for anybody else's."""
    rows: QuerySet[Row] = model.objects.of(patient.clinic).select_related("recorded_by")
    return one_in(rows.filter(patient=patient), "entry of this patient", pk)


def _current(model: type[Row], patient: Patient, pk: int) -> Row:
    rows: QuerySet[Row] = model.objects.of(patient.clinic).current()
    return one_in(rows.filter(patient=patient), "entry of this patient", pk)
