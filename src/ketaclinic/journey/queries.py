"""Reads across the rooms, set-based: a list of 10,000 patients costs as many queries as a list of ten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    DateField,
    Exists,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncDate
from django.db.models.lookups import LessThanOrEqual

from ketaclinic.consent.models import ConsentSignature, ConsentWithdrawal
from ketaclinic.followup.models import Alert
from ketaclinic.people.models import Caregiver, Clinic, Patient
from ketaclinic.people.queries import patient_in, patients_named
from ketaclinic.planning.models import Booking, Plan, PlanEnd
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.models import StoredDecision, TimelineEntry
from ketaclinic.record.queries import timeline_of
from ketaclinic.screening.models import PRODUCTS, AntidepressantTrial, CandidacyDecision, HistoryAnswer
from ketaclinic.screening.queries import active_medications, allergies, problems
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.models import GIVING_KINDS, Session, SessionEvent
from ketacore.evidence import Setting
from ketacore.journey import INDUCTION_PHASES, JourneyFacts, Outcome, Stage, review_due_on

PAGE_SIZE = 50
ALLERGY_QUESTION = "hypersensitivity"


def day_bounds(clinic: Clinic, at: datetime) -> tuple[datetime, datetime]:
    """Return the first moment of the clinic's calendar day and of the next."""
    day = clinic.day_of(at)
    start = datetime.combine(day, time(), clinic.zone)
    return start, datetime.combine(day + timedelta(days=1), time(), clinic.zone)


# ---- where people are ----------------------------------------------------------------------------------------------


def with_facts(clinic: Clinic, at: datetime) -> QuerySet[Patient]:
    """Return the clinic's patients with what ``journey.facts.facts_of`` reads: one query for a whole list."""
    patients: QuerySet[Patient] = Patient.objects.of(clinic)
    return (
        patients.annotate(**_screening(at))
        .annotate(**_plan(at))
        .annotate(product=Coalesce("plan_product", "treat_product", "ended_product", Value("")))
        .annotate(**_consent(at), **_sessions(at), next_session_at=_newest(_bookings(clinic, at), "starts_at"))
    )


def _newest(rows: QuerySet[Any], field: str) -> Subquery:
    return Subquery(rows.values(field)[:1])


def _screening(at: datetime) -> dict[str, Any]:
    mine = Q(patient=OuterRef("pk"), at__lte=at)
    decided = CandidacyDecision.objects.current().filter(mine)
    changed_since = CandidacyDecision.objects.current().filter(
        ~Q(verdict=CandidacyDecision.Verdict.TREAT),
        patient=OuterRef("patient"),
        product=OuterRef("product"),
        at__gt=OuterRef("at"),
        at__lte=at,
    )
    treat = decided.filter(~Exists(changed_since), verdict=CandidacyDecision.Verdict.TREAT).order_by("-at", "-pk")
    newest = decided.order_by("-at", "-pk")
    return {
        "screening_began_at": Coalesce(
            _newest(HistoryAnswer.objects.filter(mine).order_by("at"), "at"),
            _newest(AntidepressantTrial.objects.filter(mine).order_by("at"), "at"),
            _newest(StoredDecision.objects.filter(mine, room="screening").order_by("at"), "at"),
        ),
        "treat_at": _newest(treat, "at"),
        "treat_product": _newest(treat, "product"),
        "newest_verdict": _newest(newest, "verdict"),
        "newest_verdict_at": _newest(newest, "at"),
    }


def _plan(at: datetime) -> dict[str, Any]:
    standing = Plan.objects.standing_at(at).filter(patient=OuterRef("pk")).order_by("-at", "-pk")
    ended = PlanEnd.objects.filter(patient=OuterRef("pk"), at__lte=at).order_by("-at", "-pk")
    return {
        "plan_at": _newest(standing, "at"),
        "plan_product": _newest(standing, "product"),
        "ended_at": _newest(ended, "at"),
        "ended_product": _newest(ended, "plan__product"),
        "course": Coalesce(
            Subquery(standing.annotate(course=Coalesce("first_id", "pk")).values("course")[:1]),
            Subquery(ended.annotate(course=Coalesce("plan__first_id", "plan_id")).values("course")[:1]),
        ),
    }


def _consent(at: datetime) -> dict[str, Any]:
    mine = Q(patient=OuterRef("pk"), product=OuterRef("product"), at__lte=at)
    withdrawn = ConsentWithdrawal.objects.filter(signature=OuterRef("pk"), at__lte=at)
    signed = ConsentSignature.objects.current().filter(mine).filter(~Exists(withdrawn)).order_by("-at")
    return {
        "consent_at": _newest(signed, "at"),
        "withdrawn_at": _newest(ConsentWithdrawal.objects.filter(mine).order_by("-at"), "at"),
    }


def _sessions(at: datetime) -> dict[str, Any]:
    given = SessionEvent.objects.standing().filter(
        Q(session__plan_id=OuterRef("course")) | Q(session__plan__first_id=OuterRef("course")),
        patient=OuterRef("pk"),
        kind__in=GIVING_KINDS,
        at__lte=at,
    )
    counted = given.order_by().values("patient").annotate(n=Count("session", distinct=True))
    later = given.filter(session__booking__isnull=False).exclude(session__booking__phase__in=INDUCTION_PHASES)
    return {
        "sessions_given": Coalesce(Subquery(counted.values("n")), 0),
        "first_given_at": _newest(given.order_by("at"), "at"),
        "last_given_at": _newest(given.order_by("-at"), "at"),
        "last_given_session": _newest(given.order_by("-at"), "session_id"),
        "last_phase": _newest(given.order_by("-at"), "session__booking__phase"),
        "maintenance_at": _newest(later.order_by("at"), "at"),
    }


def _bookings(clinic: Clinic, at: datetime) -> QuerySet[Booking]:
    start, _ = day_bounds(clinic, at)
    mine: QuerySet[Booking] = Booking.objects.standing().filter(
        patient=OuterRef("pk"), starts_at__gte=start, session__isnull=True, plan__end__isnull=True
    )
    return mine.order_by("starts_at")


def with_stage(clinic: Clinic, at: datetime) -> QuerySet[Patient]:
    """Return the patients of ``with_facts`` with ``stage``, in the words of the core (an outcome goes before a stage).

    The database answers the same as ``ketacore.journey.where``; a test holds the two together.
    """
    undecided = Q(treat_at__isnull=True)
    day = {name: TruncDate(name, tzinfo=clinic.zone) for name in ("treat_at", "ended_at")}
    over = Q(ended_at__isnull=False) & (undecided | LessThanOrEqual(day["treat_at"], day["ended_at"]))
    standing = Q(plan_at__isnull=False)
    cases = [
        (Q(deceased_on__isnull=False), Outcome.DECEASED),
        (standing & Q(consent_at__isnull=True), Stage.CONSENT),
        (standing & Q(sessions_given=0), Stage.PLAN),
        *((standing & due, Stage.REVIEW) for due in _reviews_due(clinic, at)),
        (standing & ~Q(last_phase__in=("", *INDUCTION_PHASES)) & Q(last_phase__isnull=False), Stage.MAINTENANCE),
        (standing, Stage.INDUCTION),
        (undecided & Q(newest_verdict=CandidacyDecision.Verdict.DECLINE), Outcome.DECLINED),
        (over, Outcome.ENDED),
        (~undecided & Q(consent_at__isnull=False), Stage.PLAN),
        (~undecided, Stage.CONSENT),
        (Q(newest_verdict__isnull=False) | Q(screening_began_at__isnull=False), Stage.SCREENING),
    ]
    stage = Case(
        *(When(condition, then=Value(word.value)) for condition, word in cases),
        default=Value(Stage.REFERRAL.value),
        output_field=CharField(),
    )
    return with_facts(clinic, at).annotate(stage=stage)


def _reviews_due(clinic: Clinic, at: datetime) -> list[Q]:
    """Return, for each product whose review has a date, which plans are due: those signed on or before a day."""
    setting = setting_of(clinic, at)
    due = []
    for product in PRODUCTS:
        last = _last_plan_day_due(product, setting)
        if last is not None:
            end = datetime.combine(last + timedelta(days=1), time(), clinic.zone)
            due.append(Q(product=product, plan_at__lt=end))
    return due


def _last_plan_day_due(product: str, setting: Setting) -> date | None:
    day = setting.on
    while True:
        due = review_due_on(JourneyFacts(registered_on=day, plan_signed_on=day, product=product), setting)
        if due is None or due <= setting.on:
            return day if due else None
        day -= timedelta(days=1)


# ---- lists ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PatientPage:
    """A page of the list of patients; ``before`` and ``after`` are the keys of its neighbours."""

    patients: tuple[Patient, ...]
    before: int | None
    after: int | None


def patient_page(
    clinic: Clinic, at: datetime, words: str = "", stage: str = "", after: int | None = None, before: int | None = None
) -> PatientPage:
    """Return a page of patients by name, with ``journey.facts.facts_of`` ready to read.

    ``after`` and ``before`` name the patient whose neighbours are asked for; one of another clinic is ignored.
    """
    rows = with_stage(clinic, at) if stage else with_facts(clinic, at)
    if words:
        rows = rows.filter(pk__in=patients_named(clinic, words).values("pk"))
    if stage:
        rows = rows.filter(stage=stage)
    backwards = before is not None
    key = before if backwards else after
    anchor = Patient.objects.of(clinic).filter(pk=key).first() if key is not None else None
    if anchor is not None:
        rows = rows.filter(_beyond(anchor, backwards))
    order = ["family_name", "given_name", "pk"]
    rows = rows.order_by(*(f"-{name}" for name in order)) if backwards else rows.order_by(*order)
    found = list(rows[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    page = tuple(reversed(found[:PAGE_SIZE])) if backwards else tuple(found[:PAGE_SIZE])
    earlier = more if backwards else anchor is not None
    later = anchor is not None if backwards else more
    return PatientPage(
        page,
        before=page[0].pk if page and earlier else None,
        after=page[-1].pk if page and later else None,
    )


def _beyond(anchor: Patient, backwards: bool) -> Q:
    side = "lt" if backwards else "gt"
    family, given = anchor.family_name, anchor.given_name
    return (
        Q(**{f"family_name__{side}": family})
        | Q(**{"family_name": family, f"given_name__{side}": given})
        | Q(**{"family_name": family, "given_name": given, f"pk__{side}": anchor.pk})
    )


def patient_for_chart(clinic: Clinic, pk: int, at: datetime) -> Patient:
    """Return one patient with what the chart's head shows, in one query; raises ``Http404`` as ``patient_in`` does.

    Besides the facts of the journey: ``caregiver``, the most urgent open alert (``alert_pk``, ``alert_title``),
    today's session (``today_session``), and the answer about an allergy to the drug (``allergy_asked_at``).
    """
    start, _ = day_bounds(clinic, at)
    mine = Q(patient=OuterRef("pk"))
    alerts = Alert.objects.filter(mine).open_at(at).order_by("due_at", "at", "pk")
    asked = HistoryAnswer.objects.current().filter(mine, question=ALLERGY_QUESTION, at__lte=at).order_by("-at")
    today = Session.objects.current().filter(mine, at__gte=start, at__lte=at).order_by("-at")
    rows = with_facts(clinic, at).annotate(
        caregiver=_newest(Caregiver.objects.filter(mine).order_by("pk"), "name"),
        alert_pk=_newest(alerts, "pk"),
        alert_title=_newest(alerts, "title"),
        today_session=_newest(today, "pk"),
        today_chair=_newest(today, "chair"),
        allergy_asked_at=_newest(asked, "at"),
        allergy_answer=_newest(asked, "answer"),
    )
    return rows.filter(pk=pk).first() or patient_in(clinic, pk)


@dataclass(frozen=True, slots=True)
class Filed:
    """One medicine, problem or allergy as the chart lists it."""

    kind: str
    title: str
    detail: str
    since: date | None
    source: str


def filed(patient: Patient, at: datetime) -> list[Filed]:
    """Return medicines taken now, problems and allergies in one query, by name."""
    parts = (
        (active_medications(patient, at), "medicine", "dose_text", "started_on"),
        (problems(patient), "problem", "status", "onset_on"),
        (allergies(patient), "allergy", "criticality", None),
    )
    rows = [
        part.order_by()
        .annotate(
            kind=Value(kind, output_field=CharField()),
            more=F(detail),
            day=F(since) if since else Value(None, output_field=DateField()),
        )
        .values_list("kind", "display", "more", "day", "source_system")
        for part, kind, detail, since in parts
    ]
    found = rows[0].union(*rows[1:], all=True)
    return [Filed(*row) for row in sorted(found, key=lambda r: (r[0], r[1].lower()))]


def screening_decision(patient: Patient, at: datetime) -> StoredDecision | None:
    """Return the newest assessment of candidacy that was kept, or ``None``."""
    rows = StoredDecision.objects.of(patient.clinic).filter(patient=patient, room="screening", at__lte=at)
    newest: StoredDecision | None = rows.order_by("-at", "-pk").first()
    return newest


def given_days(patient: Patient, at: datetime) -> list[date]:
    """Return the days on which the patient was given drug in the present course, oldest first."""
    course = getattr(patient, "course", None)
    rows = (
        SessionEvent.objects.of(patient.clinic)
        .standing()
        .filter(Q(session__plan_id=course) | Q(session__plan__first_id=course))
        .filter(patient=patient, kind__in=GIVING_KINDS, at__lte=at)
        .order_by("session_id")
        .values_list("session_id")
        .annotate(first=Min("at"))
    )
    return sorted({patient.clinic.day_of(first) for _session, first in rows})


def screens_done(patient: Patient, at: datetime) -> dict[str, ScreenResult]:
    """Return the newest result of each long-term screen."""
    rows = ScreenResult.objects.of(patient.clinic).current().filter(patient=patient, at__lte=at)
    return {row.kind: row for row in rows.order_by("at", "pk")}


def stage_counts(clinic: Clinic, at: datetime) -> dict[str, int]:
    """Return how many patients are at each stage or outcome."""
    rows = with_stage(clinic, at).order_by().values("stage").annotate(n=Count("pk"))
    return {row["stage"]: row["n"] for row in rows}


# ---- the timeline --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """A stretch of the timeline, newest first; ``after`` is the key of the next, older stretch."""

    lines: tuple[TimelineEntry, ...]
    after: int | None


def timeline_page(patient: Patient, stage: str = "", after: int | None = None, size: int = PAGE_SIZE) -> TimelinePage:
    """Return the patient's timeline, newest first; amended lines stand beside what replaced them.

    ``after`` is the last line of the page before; one of another patient is ignored.
    """
    lines = timeline_of(patient)
    if stage:
        lines = lines.filter(stage=stage)
    anchor = TimelineEntry.objects.filter(patient=patient, pk=after).first() if after is not None else None
    if anchor is not None:
        lines = lines.filter(Q(at__lt=anchor.at) | Q(at=anchor.at, pk__lt=anchor.pk))
    found = list(lines[: size + 1])
    page = tuple(found[:size])
    return TimelinePage(page, page[-1].pk if len(found) > size else None)


def timeline_stages(patient: Patient) -> list[str]:
    """Return the stages that have lines on the patient's timeline."""
    return list(TimelineEntry.objects.filter(patient=patient).order_by().values_list("stage", flat=True).distinct())
