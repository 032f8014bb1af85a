"""Reads of screens, always within one clinic; the list of what is overdue is read set by set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.queries import one_in
from ketaclinic.planning.models import Plan
from ketaclinic.planning.queries import active_plan, active_plans
from ketaclinic.policy.queries import setting_of, signed_policies
from ketaclinic.screening.models import VitalSign
from ketaclinic.surveillance.facts import surveillance_facts
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.models import GIVING_KINDS, Session, SessionEvent
from ketacore.evidence import Setting
from ketacore.surveillance import ScreenDue, screens_here
from ketacore.surveillance import screens_due as screens_of
from ketacore.treatment.events import EventKind


def results_of(patient: Patient, at: datetime) -> QuerySet[ScreenResult]:
    """Return the patient's screens that count, newest first."""
    rows = ScreenResult.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    return rows.select_related("recorded_by").order_by("-at", "-pk")


def result_in(clinic: Clinic, pk: int) -> ScreenResult:
    """Return a result of this clinic; raises ``Http404`` for any other."""
    rows: QuerySet[ScreenResult] = ScreenResult.objects.of(clinic)
    return one_in(rows.select_related("patient", "patient__clinic", "recorded_by"), "result in this clinic", pk)


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
    given = _given(clinic, [patient.pk], at)
    newest = _newest(clinic, [patient.pk], at).get(patient.pk, [])
    pressure_at = _pressures(clinic, [patient.pk], given, at).get(patient.pk)
    facts = surveillance_facts(plan, given[patient.pk].days, newest, pressure_at, clinic, at)
    return screens_of(facts, setting_of(clinic, at, plan.product))


def screens_of_clinic(clinic: Clinic, at: datetime) -> list[PatientScreens]:
    """Return the screens of everybody with a standing plan: six queries, however many people."""
    plans = list({plan.patient_id: plan for plan in active_plans(clinic, at).order_by("at", "pk")}.values())
    people = [plan.patient_id for plan in plans]
    given, newest = _given(clinic, people, at), _newest(clinic, people, at)
    measured, policies, on = _pressures(clinic, people, given, at), signed_policies(clinic, at), clinic.day_of(at)
    settings = {p: Setting(clinic.jurisdiction, on, p, policies) for p in {plan.product for plan in plans}}
    here = {product: screens_here(setting) for product, setting in settings.items()}
    found = []
    for plan in plans:
        who = plan.patient_id
        facts = surveillance_facts(plan, given[who].days, newest.get(who, []), measured.get(who), clinic, at)
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


@dataclass(slots=True)
class Given:
    """The sessions in which one patient was given drug: the course and day of each, and the newest of them."""

    days: list[tuple[int, date]] = field(default_factory=list)
    newest_id: int = 0


def _pressures(
    clinic: Clinic, patient_ids: Collection[int], given: Mapping[int, Given], at: datetime
) -> dict[int, datetime]:
    """Return, per patient, when the blood pressure was last measured at rest: two queries.

    That is a measurement written down in screening, or the one before the dose of the newest session given: what is
    measured after a dose says how the drug raised it, not how it is at rest.
    """
    rows = VitalSign.objects.of(clinic).current().filter(patient_id__in=patient_ids, at__lte=at)
    rows = rows.filter(kind=VitalSign.Kind.BLOOD_PRESSURE)
    newest = dict(rows.values("patient_id").annotate(newest_at=Max("at")).values_list("patient_id", "newest_at"))
    for who, measured_at in _before_dosing(given, at).items():
        newest[who] = max(measured_at, newest.get(who, measured_at))
    return newest


def _before_dosing(given: Mapping[int, Given], at: datetime) -> dict[int, datetime]:
    """Return, per patient, the last blood pressure before the first dose of the newest session given."""
    sessions = {entry.newest_id: who for who, entry in given.items() if entry.newest_id}
    kinds = (EventKind.VITALS.value, *GIVING_KINDS)
    # Not asked by clinic: these sessions are the clinic's, and its index would walk every event there ever was.
    events = SessionEvent.objects.filter(session_id__in=sessions, kind__in=kinds, at__lte=at).standing().order_by()
    wanted = Q(kind__in=GIVING_KINDS) | Q(payload__systolic__gt=0, payload__systolic__lt=1000)
    measured: dict[int, list[datetime]] = defaultdict(list)
    dosed: dict[int, datetime] = {}
    for session_id, kind, when in events.filter(wanted).values_list("session_id", "kind", "at"):
        if kind in GIVING_KINDS:
            dosed[session_id] = min(when, dosed.get(session_id, when))
        else:
            measured[session_id].append(when)
    before = {s: [when for when in times if when <= dosed[s]] for s, times in measured.items() if s in dosed}
    return {sessions[s]: max(times) for s, times in before.items() if times}


def _given(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, Given]:
    """Return, per patient, the sessions in which drug was given, oldest first; one query."""
    giving = SessionEvent.objects.filter(session=OuterRef("pk"), kind__in=GIVING_KINDS, at__lte=at).standing()
    rows = Session.objects.of(clinic).current().filter(Exists(giving), patient_id__in=patient_ids, at__lte=at)
    columns = ("at", "patient_id", "plan_id", "plan__first_id", "pk")
    found: dict[int, Given] = defaultdict(Given)
    for opened_at, patient_id, plan_id, first_id, pk in sorted(rows.order_by().values_list(*columns), key=_by_time):
        entry = found[patient_id]
        entry.days.append((first_id or plan_id, clinic.day_of(opened_at)))
        entry.newest_id = pk
    return found


def _by_time(row: tuple[Any, ...]) -> datetime:
    when: datetime = row[0]
    return when
