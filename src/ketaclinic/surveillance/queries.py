"""Reads of screens, always within one clinic; the list of what is overdue is read set by set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.http import Http404

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Plan
from ketaclinic.planning.queries import active_plan, active_plans
from ketaclinic.policy.queries import setting_of, signed_policies
from ketaclinic.screening.models import VitalSign
from ketaclinic.screening.queries import latest_vital
from ketaclinic.surveillance.facts import surveillance_facts
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.models import GIVING_KINDS, Session, SessionEvent
from ketacore.evidence import Setting
from ketacore.surveillance import ScreenDue, screens_here
from ketacore.surveillance import screens_due as screens_of


def results_of(patient: Patient, at: datetime) -> QuerySet[ScreenResult]:
    """Return the patient's screens that count, newest first."""
    rows = ScreenResult.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    return rows.select_related("recorded_by").order_by("-at", "-pk")


def result_in(clinic: Clinic, pk: int) -> ScreenResult:
    """Return a result of this clinic; raises ``Http404`` for any other."""
    rows = ScreenResult.objects.of(clinic).select_related("patient", "patient__clinic", "recorded_by")
    row: ScreenResult | None = rows.filter(pk=pk).first()
    if row is None:
        raise Http404("No such result in this clinic.")
    return row


def result_entered(clinic: Clinic, entry_key: str) -> ScreenResult | None:
    """Return the result that was sent with this key, if it was sent before."""
    row: ScreenResult | None = ScreenResult.objects.of(clinic).filter(entry_key=entry_key).first()
    return row


@dataclass(frozen=True, slots=True)
class PatientScreens:
    """The screens of one patient under the plan that stands."""

    patient: Patient
    plan: Plan
    screens: tuple[ScreenDue, ...]

    @property
    def overdue(self) -> tuple[ScreenDue, ...]:
        """The screens that should have been done by now."""
        return tuple(s for s in self.screens if s.overdue)

    @property
    def longest_overdue_on(self) -> date:
        """The oldest day on which one of them fell due."""
        return min(s.due_on for s in self.overdue if s.due_on is not None)


def screens_due(patient: Patient, at: datetime) -> tuple[ScreenDue, ...]:
    """Return where every screen stands under the plan that stands at ``at``; none without a plan."""
    plan = active_plan(patient, at)
    if plan is None:
        return ()
    clinic = patient.clinic
    given = _given_days(clinic, [patient.pk], at).get(patient.pk, [])
    newest = _newest(clinic, [patient.pk], at).get(patient.pk, [])
    pressure = latest_vital(patient, VitalSign.Kind.BLOOD_PRESSURE, at)
    facts = surveillance_facts(plan, given, newest, pressure.at if pressure else None, clinic, at)
    return screens_of(facts, setting_of(clinic, at, plan.product))


def screens_of_clinic(clinic: Clinic, at: datetime) -> list[PatientScreens]:
    """Return the screens of everybody with a standing plan: five queries, however many people."""
    plans = list({plan.patient_id: plan for plan in active_plans(clinic, at).order_by("at", "pk")}.values())
    people = [plan.patient_id for plan in plans]
    given, newest = _given_days(clinic, people, at), _newest(clinic, people, at)
    measured, policies, on = _pressures(clinic, people, at), signed_policies(clinic, at), clinic.day_of(at)
    settings = {p: Setting(clinic.jurisdiction, on, p, policies) for p in {plan.product for plan in plans}}
    here = {product: screens_here(setting) for product, setting in settings.items()}
    found = []
    for plan in plans:
        who = plan.patient_id
        facts = surveillance_facts(plan, given.get(who, []), newest.get(who, []), measured.get(who), clinic, at)
        found.append(PatientScreens(plan.patient, plan, screens_of(facts, settings[plan.product], here[plan.product])))
    return found


def overdue_screens(clinic: Clinic, at: datetime) -> list[PatientScreens]:
    """Return the patients with an overdue screen, the longest overdue first."""
    late = [entry for entry in screens_of_clinic(clinic, at) if entry.overdue]
    return sorted(late, key=lambda entry: (entry.longest_overdue_on, entry.patient.pk))


COUNT_HOLDS = timedelta(minutes=15)
"""Counting walks every course in the clinic, so the count of the first page is kept this long, with its moment."""


@dataclass(frozen=True, slots=True)
class OverdueCount:
    """How many people had an overdue screen, and when that was counted."""

    people: int
    counted_at: datetime


def overdue_count(clinic: Clinic, at: datetime) -> OverdueCount:
    """Return how many patients have an overdue screen, counted at most ``COUNT_HOLDS`` ago on the same day."""
    key = f"surveillance-overdue-{clinic.pk}-{clinic.day_of(at)}"
    kept: OverdueCount | None = cache.get(key)
    if kept is not None and timedelta(0) <= at - kept.counted_at < COUNT_HOLDS:
        return kept
    counted = OverdueCount(len(overdue_screens(clinic, at)), at)
    cache.set(key, counted, COUNT_HOLDS.total_seconds())
    return counted


def _newest(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, list[ScreenResult]]:
    found: dict[int, dict[str, ScreenResult]] = defaultdict(dict)
    rows = ScreenResult.objects.of(clinic).current().filter(patient_id__in=patient_ids, at__lte=at)
    for row in rows.order_by("at", "pk"):
        found[row.patient_id][row.kind] = row
    return {patient_id: list(by_kind.values()) for patient_id, by_kind in found.items()}


def _pressures(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, datetime]:
    rows = VitalSign.objects.of(clinic).current().filter(patient_id__in=patient_ids, at__lte=at)
    rows = rows.filter(kind=VitalSign.Kind.BLOOD_PRESSURE)
    return dict(rows.values("patient_id").annotate(newest_at=Max("at")).values_list("patient_id", "newest_at"))


def _given_days(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, list[tuple[int, date]]]:
    """Return, per patient, the course and day of each session in which drug was given, oldest first; one query."""
    giving = SessionEvent.objects.filter(session=OuterRef("pk"), kind__in=GIVING_KINDS, at__lte=at).standing()
    rows = Session.objects.of(clinic).current().filter(Exists(giving), patient_id__in=patient_ids, at__lte=at)
    columns = ("at", "patient_id", "plan_id", "plan__first_id")
    found: dict[int, list[tuple[int, date]]] = defaultdict(list)
    for opened_at, patient_id, plan_id, first_id in sorted(rows.order_by().values_list(*columns), key=_by_time):
        found[patient_id].append((first_id or plan_id, clinic.day_of(opened_at)))
    return dict(found)


def _by_time(row: tuple[Any, ...]) -> datetime:
    when: datetime = row[0]
    return when
