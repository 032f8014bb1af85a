"""Where people are: flat reads of a few columns, put together in memory, however many patients are asked about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import CharField, Exists, F, Min, OuterRef, QuerySet, Value

from ketaclinic.consent.models import ConsentSignature, ConsentWithdrawal
from ketaclinic.journey.facts import Given, Way
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.record.models import StoredDecision
from ketaclinic.screening.models import AntidepressantTrial, CandidacyDecision, HistoryAnswer
from ketaclinic.treatment.models import GIVING_KINDS, Session, SessionEvent
from ketaclinic.treatment.queries import GivenSession

TREAT = CandidacyDecision.Verdict.TREAT.value


def day_bounds(clinic: Clinic, at: datetime) -> tuple[datetime, datetime]:
    """Return the first moment of the clinic's calendar day and of the next."""
    day = clinic.day_of(at)
    start = datetime.combine(day, time(), clinic.zone)
    return start, datetime.combine(day + timedelta(days=1), time(), clinic.zone)


Milestone = tuple[int, str, str, datetime]


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
) -> dict[int, Way]:
    """Return the ways of many patients, by patient, with three queries.

    ``everybody`` says that the patients are the whole clinic: the rows are then read without naming each of them.
    ``sessions`` are the sessions given, where the caller has read them already.
    """
    ids = None if everybody else [p.pk for p in patients]
    ways = {p.pk: Way(p) for p in patients}
    marks: dict[int, list[Milestone]] = defaultdict(list)
    for mark in _milestones(clinic, ids, at):
        marks[mark[0]].append(mark)
    plans: dict[int, list[Plan]] = defaultdict(list)
    for row in _plans(clinic, ids, at):
        plans[row.patient_id].append(row)
    given: dict[int, list[Given]] = defaultdict(list)
    for patient_id, one in _given(clinic, ids, at) if sessions is None else map(_as_given, sessions):
        given[patient_id].append(one)
    for pk, way in ways.items():
        course = _fill_plan(way, plans[pk])
        _fill_decisions(way, [m for m in marks[pk] if m[1].startswith("verdict:")])
        way.product = way.product or (plans[pk][-1].product if plans[pk] else "")
        _fill_marks(way, marks[pk])
        way.given = [g for g in given[pk] if course is None or g.course == course]
    return ways


def _within(rows: QuerySet[Any], ids: list[int] | None) -> QuerySet[Any]:
    return rows if ids is None else rows.filter(patient_id__in=ids)


def _milestones(clinic: Clinic, ids: list[int] | None, at: datetime) -> Iterable[Milestone]:
    """Yield patient, kind, product and time of decisions, consents, first screening facts and next bookings."""
    start, _ = day_bounds(clinic, at)
    withdrawn = ConsentWithdrawal.objects.filter(signature=OuterRef("pk"), at__lte=at)

    def word(text: str) -> Value:
        return Value(text, output_field=CharField())

    def first(rows: QuerySet[Any], kind: str, when: str = "at") -> QuerySet[Any]:
        grouped = _within(rows, ids).order_by().values("patient_id").annotate(kind=word(kind), what=word(""))
        timed: QuerySet[Any] = grouped.annotate(when=Min(when)).values_list("patient_id", "kind", "what", "when")
        return timed

    def each(rows: QuerySet[Any], kind: str) -> QuerySet[Any]:
        marked = _within(rows, ids).order_by().annotate(kind=word(kind), what=F("product"), when=F("at"))
        timed: QuerySet[Any] = marked.values_list("patient_id", "kind", "what", "when")
        return timed

    decided = CandidacyDecision.objects.of(clinic).current().filter(at__lte=at)
    parts = [
        *(each(decided.filter(verdict=v), f"verdict:{v}") for v in CandidacyDecision.Verdict.values),
        each(ConsentSignature.objects.of(clinic).current().filter(~Exists(withdrawn), at__lte=at), "consent"),
        each(ConsentWithdrawal.objects.of(clinic).filter(at__lte=at), "withdrawn"),
        first(HistoryAnswer.objects.of(clinic).filter(at__lte=at), "asked"),
        first(AntidepressantTrial.objects.of(clinic).filter(at__lte=at), "asked"),
        first(StoredDecision.objects.of(clinic).filter(at__lte=at, room="screening"), "asked"),
        first(
            Booking.objects.of(clinic)
            .standing()
            .filter(starts_at__gte=start, session__isnull=True, plan__end__isnull=True),
            "next",
            "starts_at",
        ),
    ]
    return parts[0].union(*parts[1:], all=True)


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
    """A decision to treat counts until another decision about the same product follows it."""
    newest: dict[str, Milestone] = {}
    for mark in sorted(marks, key=lambda m: m[3]):
        newest[mark[2]] = mark
        way.verdict, way.verdict_at = mark[1].removeprefix("verdict:"), mark[3]
    treat = [m for m in newest.values() if m[1] == f"verdict:{TREAT}"]
    if treat:
        last = max(treat, key=lambda m: m[3])
        way.treat_at = last[3]
        way.product = way.product or last[2]


def _fill_marks(way: Way, marks: list[Milestone]) -> None:
    of_product = [m for m in marks if m[2] == way.product]
    way.consent_at = max((m[3] for m in of_product if m[1] == "consent"), default=None)
    way.withdrawn_at = max((m[3] for m in of_product if m[1] == "withdrawn"), default=None)
    way.screening_began_at = min((m[3] for m in marks if m[1] == "asked"), default=None)
    way.next_session_at = min((m[3] for m in marks if m[1] == "next"), default=None)
