"""What the chart of one patient shows, in as few reads as it can be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Case, CharField, DateField, F, OuterRef, Q, QuerySet, Subquery, Value, When

from ketaclinic.followup.models import Alert
from ketaclinic.journey.facts import Way
from ketaclinic.journey.queries.ways import day_bounds, ways_of
from ketaclinic.people.models import Caregiver, Clinic, Patient
from ketaclinic.people.queries import one_in
from ketaclinic.record.models import StoredDecision
from ketaclinic.screening.models import HistoryAnswer
from ketaclinic.screening.queries import active_medications, allergies, problems
from ketaclinic.treatment.models import Session
from ketaclinic.treatment.queries import GivenSession, given_sessions

ALLERGY_QUESTION = "hypersensitivity"


_URGENCY = Case(When(priority=Alert.Priority.HIGH, then=0), default=1)


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One patient with what the head of the chart shows: the way, caregiver, urgent alert, today's session."""

    patient: Patient
    way: Way
    sessions: list[GivenSession]
    caregiver: str
    alert_pk: int | None
    alert_title: str
    today_session: int | None
    today_chair: int | None
    allergy_asked_at: datetime | None
    allergy_answer: str
    screened_at: datetime | None
    screening: Any


def _newest(rows: QuerySet[Any], field: str) -> Subquery:
    return Subquery(rows.values(field)[:1])


def chart_row(clinic: Clinic, pk: int, at: datetime) -> ChartRow:
    """Return one patient of the clinic for the chart; raises ``Http404`` as ``patient_in`` does."""
    start, _ = day_bounds(clinic, at)
    mine = Q(patient=OuterRef("pk"))
    alerts = Alert.objects.filter(mine).open_at(at).order_by(_URGENCY, "due_at", "at", "pk")
    asked = HistoryAnswer.objects.current().filter(mine, question=ALLERGY_QUESTION, at__lte=at).order_by("-at")
    today = Session.objects.current().filter(mine, at__gte=start, at__lte=at).order_by("-at")
    screened = StoredDecision.objects.filter(mine, room="screening", at__lte=at).order_by("-at", "-pk")
    rows = Patient.objects.of(clinic).annotate(
        caregiver=_newest(Caregiver.objects.filter(mine).order_by("pk"), "name"),
        alert_pk=_newest(alerts, "pk"),
        alert_title=_newest(alerts, "title"),
        today_session=_newest(today, "pk"),
        today_chair=_newest(today, "chair"),
        allergy_asked_at=_newest(asked, "at"),
        allergy_answer=_newest(asked, "answer"),
        screened_at=_newest(screened, "at"),
        screening=_newest(screened, "decision"),
    )
    found: Any = one_in(rows, "patient in this clinic", pk)
    found.clinic = clinic
    sessions = given_sessions(found, at)
    return ChartRow(
        patient=found,
        way=ways_of(clinic, [found], at, sessions=sessions, courses=True)[found.pk],
        sessions=sessions,
        caregiver=found.caregiver or "",
        alert_pk=found.alert_pk,
        alert_title=found.alert_title or "",
        today_session=found.today_session,
        today_chair=found.today_chair,
        allergy_asked_at=found.allergy_asked_at,
        allergy_answer=found.allergy_answer or "",
        screened_at=found.screened_at,
        screening=found.screening,
    )


@dataclass(frozen=True, slots=True)
class Filed:
    """One medicine, problem or allergy as the chart lists it."""

    kind: str
    title: str
    detail: str
    since: date | None
    source: str


def filed(patient: Patient, at: datetime) -> list[Filed]:
    """Return medicines taken now, problems and allergies, in one query, by name and day."""
    parts = (
        (active_medications(patient, at), "medicine", F("display"), F("dose_text"), F("started_on")),
        (problems(patient), "problem", F("display"), F("status"), F("onset_on")),
        (allergies(patient), "allergy", F("display"), F("criticality"), Value(None, output_field=DateField())),
    )
    rows = [
        part.order_by()
        .annotate(
            sort=Value(sort, output_field=CharField()),
            label=label,
            more=more,
            day=day,
            origin=F("source_system"),
        )
        .values_list("sort", "label", "more", "day", "origin")
        for part, sort, label, more, day in parts
    ]
    found = [Filed(*row) for row in rows[0].union(*rows[1:], all=True)]
    return sorted(found, key=lambda f: (f.kind, f.title.lower(), f.since or date.min))
