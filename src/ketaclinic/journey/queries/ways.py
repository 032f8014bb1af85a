"""Where people are: flat reads of a few columns, put together in memory, however many patients are asked about."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import CharField, DateTimeField, Exists, F, IntegerField, Max, Min, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, JSONObject

from ketaclinic.consent.models import ConsentSignature, ConsentText, ConsentWithdrawal
from ketaclinic.journey.facts import Course, Given, Way
from ketaclinic.maintenance.facts import Judged
from ketaclinic.maintenance.models import BenefitEvaluation
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Booking, BookingChange, Plan
from ketaclinic.record.models import StoredDecision
from ketaclinic.screening.models import AntidepressantTrial, CandidacyDecision, HistoryAnswer, VitalSign
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.models import GIVING_KINDS, Session, SessionEvent
from ketaclinic.treatment.queries import GivenSession
from ketacore.consent import SignedConsent, Withdrawal
from ketacore.treatment import EventKind

TREAT = CandidacyDecision.Verdict.TREAT.value


def day_bounds(clinic: Clinic, at: datetime) -> tuple[datetime, datetime]:
    """Return the first moment of the clinic's calendar day and of the next."""
    day = clinic.day_of(at)
    start = datetime.combine(day, time(), clinic.zone)
    return start, datetime.combine(day + timedelta(days=1), time(), clinic.zone)


CLINIC_WIDE = 0
"""Where a milestone names no patient: it holds for the whole clinic."""


class Milestone(NamedTuple):
    """Something that happened: to whom, what kind, about what (a product, a course, a screen), when, and the rest."""

    patient_id: int
    kind: str
    about: str
    at: datetime
    more: str


def way_of(patient: Patient, at: datetime) -> Way:
    """Return the way of one patient."""
    return ways_of(patient.clinic, [patient], at)[patient.pk]


def ways_of(
    clinic: Clinic,
    patients: Collection[Patient],
    at: datetime,
    *,
    everybody: bool = False,
    sessions: Collection[GivenSession] | None = None,
    courses: bool = False,
) -> dict[int, Way]:
    """Return the ways of many patients, by patient, with three queries.

    ``everybody`` says that the patients are the whole clinic: the rows are then read without naming each of them.
    ``sessions`` are the sessions given, where the caller has read them already; ``courses`` asks for ``Way.course``.
    """
    ids = None if everybody else [p.pk for p in patients]
    ways = {p.pk: Way(p) for p in patients}
    marks: dict[int, list[Milestone]] = defaultdict(list)
    more = list(_of_courses(clinic, ids, at, sessions or ())) if courses else []
    for mark in map(Milestone._make, _milestones(clinic, ids, at, more)):
        marks[mark.patient_id].append(mark)
    plans: dict[int, list[Plan]] = defaultdict(list)
    for row in _plans(clinic, ids, at):
        plans[row.patient_id].append(row)
    given: dict[int, list[Given]] = defaultdict(list)
    for patient_id, one in _given(clinic, ids, at) if sessions is None else map(_as_given, sessions):
        given[patient_id].append(one)
    for pk, way in ways.items():
        course = _fill_plan(way, plans[pk])
        _fill_decisions(way, [m for m in marks[pk] if m.kind.startswith("verdict:")])
        way.product = way.product or (plans[pk][-1].product if plans[pk] else "")
        _fill_consent(way, marks[pk], marks[CLINIC_WIDE], clinic)
        way.screening_began_at = min((m.at for m in marks[pk] if m.kind == "asked"), default=None)
        way.next_session_at = min((m.at for m in marks[pk] if m.kind == "next"), default=None)
        way.course = _course(marks[pk], clinic) if courses else Course()
        way.given = [g for g in given[pk] if course is None or g.course == course]
    return ways


def _within(rows: QuerySet[Any], ids: list[int] | None) -> QuerySet[Any]:
    return rows if ids is None else rows.filter(patient_id__in=ids)


def _milestones(
    clinic: Clinic, ids: list[int] | None, at: datetime, more: list[QuerySet[Any]]
) -> Iterable[tuple[int, str, str, datetime, str]]:
    """Return decisions, consents, first screening facts and next bookings, in one query with all columns alike."""
    start, _ = day_bounds(clinic, at)
    decided = CandidacyDecision.objects.of(clinic).current().filter(at__lte=at)
    # What stood at the time, as the consent room reads it.
    signed = ConsentSignature.objects.of(clinic).filter(at__lte=at).exclude(amended_by__recorded_at__lte=at)
    taken_back = ConsentWithdrawal.objects.of(clinic).filter(at__lte=at).exclude(amended_by__recorded_at__lte=at)
    texts = ConsentText.objects.of(clinic).filter(
        renews_earlier=True, effective_from__lte=clinic.day_of(at), at__lte=at
    )
    bookings = (
        Booking.objects.of(clinic).standing().filter(starts_at__gte=start, session__isnull=True, plan__end__isnull=True)
    )
    parts = [
        *(_each(_within(decided.filter(verdict=v), ids), f"verdict:{v}", F("product")) for v in VERDICTS),
        _each(_within(signed, ids), "consent", F("product"), more=Cast(JSONObject(**_SIGNED), CharField())),
        _each(_within(taken_back, ids), "withdrawn", F("product")),
        _each(texts, "renews", F("product"), Cast("effective_from", DateTimeField()), whose=Value(CLINIC_WIDE)),
        _first(_within(HistoryAnswer.objects.of(clinic).filter(at__lte=at), ids), "asked"),
        _first(_within(AntidepressantTrial.objects.of(clinic).filter(at__lte=at), ids), "asked"),
        _first(_within(StoredDecision.objects.of(clinic).filter(at__lte=at, room="screening"), ids), "asked"),
        _first(_within(bookings, ids), "next", Min("starts_at")),
        *more,
    ]
    marks: Iterable[tuple[int, str, str, datetime, str]] = parts[0].union(*parts[1:], all=True)
    return marks


VERDICTS = CandidacyDecision.Verdict.values
_SIGNED = {
    "text_version": F("text__version"),
    "language": F("language"),
    "patient_name": F("patient_name"),
    "clinician_name": F("witness__display_name"),
    "copy_given": Cast("copy_given", IntegerField()),
    "dose_limit": F("text__dose_limit"),
    "dose_unit": F("text__dose_unit"),
}


def _of_courses(
    clinic: Clinic, ids: list[int] | None, at: datetime, sessions: Collection[GivenSession]
) -> Iterator[QuerySet[Any]]:
    """Yield what maintenance and surveillance ask beside the sessions: the parts of ``Way.course``."""
    missed = BookingChange.objects.of(clinic).current().filter(at__lte=at, kind=BookingChange.Kind.MISSED)
    yield _each(_within(missed, ids), "missed", _course_of("booking__plan"), F("booking__starts_at"))
    judged = BenefitEvaluation.objects.of(clinic).current().filter(at__lte=at)
    yield _each(_within(judged, ids), "judged", _course_of("plan"), more=F("benefit"))
    screens = ScreenResult.objects.of(clinic).current().filter(at__lte=at)
    yield _each(_within(screens, ids), "screen", F("kind"), more=F("result"))
    pressures = VitalSign.objects.of(clinic).current().filter(at__lte=at, kind=VitalSign.Kind.BLOOD_PRESSURE)
    yield _first(_within(pressures, ids), "pressure", Max("at"))
    # As surveillance does: the pressure before the dose of the newest session is one at rest, a later one is not.
    for given in sorted(sessions, key=lambda s: (s.opened_at, s.session_id))[-1:]:
        events = SessionEvent.objects.of(clinic).standing().filter(session_id=given.session_id, kind=EventKind.VITALS)
        before = events.filter(payload__systolic__gt=0, payload__systolic__lt=1000, at__lte=given.started_at)
        yield _first(before, "pressure", Max("at"))


def _course_of(plan: str) -> Cast:
    return Cast(Coalesce(f"{plan}__first_id", f"{plan}_id"), CharField())


def _word(text: str) -> Value:
    return Value(text, output_field=CharField())


_COLUMNS = ("m_whose", "m_kind", "m_about", "m_at", "m_more")


def _each(
    rows: QuerySet[Any], kind: str, about: Any, when: Any = None, *, more: Any = None, whose: Any = None
) -> QuerySet[Any]:
    columns = {
        "m_whose": whose or F("patient_id"),
        "m_kind": _word(kind),
        "m_about": about,
        "m_at": when or F("at"),
        "m_more": more or _word(""),
    }
    marked: QuerySet[Any] = rows.order_by().annotate(**columns).values_list(*_COLUMNS)
    return marked


def _first(rows: QuerySet[Any], kind: str, when: Any = None) -> QuerySet[Any]:
    grouped = rows.order_by().values("patient_id").annotate(m_kind=_word(kind), m_about=_word(""), m_more=_word(""))
    timed: QuerySet[Any] = grouped.annotate(m_whose=F("patient_id"), m_at=when or Min("at")).values_list(*_COLUMNS)
    return timed


def _plans(clinic: Clinic, ids: list[int] | None, at: datetime) -> Iterable[Plan]:
    rows = _within(Plan.objects.of(clinic).current().filter(at__lte=at), ids)
    return rows.select_related("end", "signed_by", "clinic").order_by("at", "pk")


def _ended_at(plan: Plan) -> datetime | None:
    end = getattr(plan, "end", None)
    return end.at if end is not None else None


def _as_given(session: GivenSession) -> tuple[int, Given]:
    row = session.session
    phase = row.booking.phase if row.booking is not None else ""
    return session.patient_id, Given(row.pk, row.at, row.plan.course_id, phase)


def _given(clinic: Clinic, ids: list[int] | None, at: datetime) -> Iterable[tuple[int, Given]]:
    giving = SessionEvent.objects.filter(session=OuterRef("pk"), kind__in=GIVING_KINDS, at__lte=at).standing()
    rows = _within(Session.objects.of(clinic).current().filter(at__lte=at), ids).filter(Exists(giving))
    columns = ("patient_id", "at", "pk", "plan_id", "plan__first_id", "booking__phase")
    # Sorted here: asked for an order by time, the database walks the whole clinic instead of these patients.
    for patient_id, opened, pk, plan_id, first_id, phase in sorted(rows.order_by().values_list(*columns), key=_by_time):
        yield patient_id, Given(pk, opened, first_id or plan_id, phase or "")


def _by_time(row: tuple[Any, ...]) -> tuple[datetime, int]:
    return row[1], row[2]


def _fill_plan(way: Way, plans: list[Plan]) -> int | None:
    """Take in the newest standing plan, or the newest that ended; return the course it belongs to."""
    standing = [plan for plan in plans if _ended_at(plan) is None]
    if standing:
        plan = standing[-1]
        way.plan, way.plan_at, way.product = plan, plan.at, plan.product
        return plan.course_id
    if not plans:
        return None
    last = max(plans, key=lambda plan: (_ended_at(plan) or plan.at, plan.pk))
    way.ended_at = _ended_at(last)
    return last.course_id


def _fill_decisions(way: Way, marks: list[Milestone]) -> None:
    """Under a plan the newest decision about its product counts; without one a decision to treat any product does."""
    newest: dict[str, Milestone] = {}
    for mark in sorted(marks, key=lambda m: m.at):
        newest[mark.about] = mark
    if way.plan is not None:
        counts = newest.get(way.product)
    else:
        treat = [m for m in newest.values() if m.kind == f"verdict:{TREAT}"]
        counts = max(treat or newest.values(), key=lambda m: m.at, default=None)
        way.product = counts.about if counts is not None and treat else ""
    if counts is not None:
        way.verdict, way.verdict_at = counts.kind.removeprefix("verdict:"), counts.at


def _fill_consent(way: Way, marks: list[Milestone], everywhere: list[Milestone], clinic: Clinic) -> None:
    way.signatures = [_signed(m, clinic) for m in marks if m.kind == "consent"]
    way.withdrawals = [Withdrawal(m.about, m.at.astimezone(clinic.zone)) for m in marks if m.kind == "withdrawn"]
    way.renewing = tuple(_date(m) for m in everywhere if m.kind == "renews" and m.about == way.product)


def _signed(mark: Milestone, clinic: Clinic) -> SignedConsent:
    said = json.loads(mark.more)
    limit = said.pop("dose_limit")
    return SignedConsent(
        product=mark.about,
        signed_at=mark.at.astimezone(clinic.zone),
        copy_given=bool(said.pop("copy_given")),
        dose_limit=None if limit is None else float(limit),
        **said,
    )


def _date(mark: Milestone) -> date:
    """Return the day of a mark that was cast from a day: the database puts it at midnight in its own zone."""
    return mark.at.astimezone(UTC).date()


def _course(marks: list[Milestone], clinic: Clinic) -> Course:
    course = Course()
    for mark in sorted(marks, key=lambda m: m.at):
        if mark.kind == "missed":
            course.missed.append((int(mark.about), mark.at))
        elif mark.kind == "judged":
            worse = mark.more == BenefitEvaluation.Benefit.WORSE
            course.judged[int(mark.about)] = Judged(clinic.day_of(mark.at), worse)
        elif mark.kind == "screen":
            course.screens[mark.about] = ScreenResult(kind=mark.about, result=mark.more, at=mark.at)
        elif mark.kind == "pressure":
            course.pressure_at = mark.at
    return course
