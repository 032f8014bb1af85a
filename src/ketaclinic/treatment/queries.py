"""Reads of sessions, always within one clinic; lists are read set by set, never patient by patient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.queries import one_in
from ketaclinic.planning.models import Booking
from ketaclinic.treatment.facts import course_of, with_gates
from ketaclinic.treatment.models import (
    CLOSING_KINDS,
    DOSING_KINDS,
    GIVING_KINDS,
    RemsEnrolment,
    Session,
    SessionEvent,
    as_event,
)
from ketaclinic.treatment.permissions import SIGNATURES
from ketacore.evidence import Setting
from ketacore.treatment import Event, SessionFacts, dose_given_mg, dosing_over_at, first_dose_at

OPEN_WITHIN = timedelta(days=7)
"""A session that nobody closed stays on the board for a week; after that it is history that was never closed."""

UNDONE = "Undone"
"""Why an entry was amended that its author took back at once."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session on the floor with its course."""

    session: Session
    facts: SessionFacts


@dataclass(frozen=True, slots=True)
class GivenSession:
    """A session in which drug was given."""

    session_id: int
    patient_id: int
    plan_id: int
    product: str
    opened_at: datetime
    started_at: datetime
    ended_at: datetime | None
    dose_mg: float
    session: Session


def _sessions(clinic: Clinic) -> QuerySet[Session]:
    return Session.objects.of(clinic).current().select_related("patient", "plan", "booking", "clinic", "recorded_by")


def _standing_rows(at: datetime) -> QuerySet[SessionEvent]:
    return SessionEvent.objects.filter(at__lte=at).standing().select_related("recorded_by").order_by("at", "pk")


def session_in(clinic: Clinic, pk: int) -> Session:
    """Return the session of this clinic; raises ``Http404`` for one of another clinic or none at all."""
    return one_in(_sessions(clinic), "session in this clinic", pk)


def event_in(session: Session, pk: int) -> SessionEvent:
    """Return one standing event of a session; raises ``Http404`` for any other."""
    rows: QuerySet[SessionEvent] = SessionEvent.objects.of(session.clinic).filter(session=session).standing()
    return one_in(rows.select_related("recorded_by"), "entry in this session that stands", pk)


def is_signature(clinic: Clinic, pk: int) -> bool:
    """Return whether this entry is a prescriber's signature; nothing about it is opened, and it may be missing."""
    return bool(SessionEvent.objects.of(clinic).filter(pk=pk, kind__in=SIGNATURES).exists())


def newest_to_undo(clinic: Clinic, session_pk: int, by: Staff) -> SessionEvent | None:
    """Return the newest standing entry of a session that this person wrote; what an undo has put back is none."""
    session = Session.objects.of(clinic).filter(pk=session_pk)  # a number no database holds is nobody's session
    rows = SessionEvent.objects.of(clinic).filter(session__in=session, recorded_by=by).standing()
    rows = rows.exclude(amends__isnull=False, amendment_reason=UNDONE)
    newest: SessionEvent | None = rows.select_related("amends").order_by("-recorded_at", "-pk").first()
    return newest


def ever_recorded(session: Session, pk: int) -> SessionEvent:
    """Return one event of a session, amended since or not; raises ``Http404`` for any other."""
    rows: QuerySet[SessionEvent] = SessionEvent.objects.of(session.clinic).filter(session=session)
    return one_in(rows.select_related("recorded_by", "patient"), "entry in this session", pk)


def open_sessions(clinic: Clinic, at: datetime) -> list[OpenSession]:
    """Return the sessions on the floor at ``at`` by chair, each with its course: two queries, however many chairs."""
    events = Prefetch("events", _standing_rows(at), to_attr="standing_events")
    sessions = _not_closed(clinic, at).prefetch_related(events).order_by("chair", "at", "pk")
    return [OpenSession(s, course_of(s, [row.as_event() for row in s.standing_events])) for s in sessions]


def open_session_of(patient: Patient, at: datetime) -> OpenSession | None:
    """Return the session in which a patient is on the floor at ``at``."""
    return next((o for o in open_sessions(patient.clinic, at) if o.session.patient_id == patient.pk), None)


def open_session_count(clinic: Clinic, at: datetime) -> int:
    """Return how many sessions are on the floor at ``at``."""
    return _not_closed(clinic, at).count()


def _not_closed(clinic: Clinic, at: datetime) -> QuerySet[Session]:
    """Return the sessions of the week without a closing entry that stands.

    Whether an entry stands costs another look per session, so it is asked only of sessions whose closing was corrected.
    """
    closings = SessionEvent.objects.filter(session=OuterRef("pk"), kind__in=CLOSING_KINDS, at__lte=at)
    since = at - OPEN_WITHIN
    lately = SessionEvent.objects.of(clinic).filter(kind__in=CLOSING_KINDS, at__gt=since)
    corrected = lately.filter(amended_by__isnull=False).values("session")
    still_open = ~Exists(closings) | (Q(pk__in=corrected) & ~Exists(closings.standing()))
    return _sessions(clinic).filter(at__lte=at, at__gt=since).filter(still_open)


def on_the_floor(
    clinic: Clinic, at: datetime, signed: Setting
) -> tuple[list[OpenSession], list[Booking], dict[int, SessionFacts]]:
    """Return the open sessions, today's arrivals, and per arrival the facts of the session that would be opened now.

    Sessions that have not begun carry what the start gate asks of other rooms; all of it is read set by set.
    """
    found, bookings = open_sessions(clinic, at), list(arrivals(clinic, at))
    before = [o for o in found if first_dose_at(o.facts) is None]
    drafts = [_as_if_opened(b, at) for b in bookings]
    asked = [(o.session, o.facts) for o in before] + [(d, SessionFacts(product=d.product)) for d in drafts]
    gates = with_gates(clinic, asked, at, signed) if asked else {}
    known = [OpenSession(o.session, gates.get(o.session.pk, o.facts)) for o in found]
    return known, bookings, {b.pk: gates[d.pk] for b, d in zip(bookings, drafts, strict=True)}


def session_on_chair(clinic: Clinic, chair: int, at: datetime) -> Session | None:
    """Return the session that occupies a chair, or ``None``."""
    return next((o.session for o in open_sessions(clinic, at) if o.session.chair == chair), None)


def events_of(session: Session, at: datetime) -> QuerySet[SessionEvent]:
    """Return everything written down in a session by ``at``, amended and voided entries too, newest first."""
    return (
        SessionEvent.objects.of(session.clinic)
        .filter(session=session, at__lte=at)
        .select_related("recorded_by", "amends", "amended_by", "amended_by__recorded_by", "on_paper")
        .order_by("-at", "-pk")
    )


def standing_events_of(session: Session, at: datetime) -> QuerySet[SessionEvent]:
    """Return the entries that count, oldest first."""
    return _standing_rows(at).filter(session=session)


def sessions_of(patient: Patient, at: datetime) -> QuerySet[Session]:
    """Return the patient's sessions, newest first."""
    return _sessions(patient.clinic).filter(patient=patient, at__lte=at)


def given_sessions(patient: Patient, at: datetime) -> list[GivenSession]:
    """Return the sessions in which the patient was given drug, oldest first."""
    return given_sessions_of(patient.clinic, [patient.pk], at).get(patient.pk, [])


def given_sessions_of(clinic: Clinic, patient_ids: Collection[int], at: datetime) -> dict[int, list[GivenSession]]:
    """Return the given sessions of many patients, oldest first, with two queries.

    A course of years is a thousand rows: the events come as columns, without who wrote them, which no dose depends on.
    They are sorted here: asked for an order by time, the database walks the whole clinic instead of these patients.
    """
    giving = SessionEvent.objects.filter(session=OuterRef("pk"), kind__in=GIVING_KINDS, at__lte=at).standing()
    sessions = Session.objects.of(clinic).current().filter(Exists(giving), patient_id__in=patient_ids, at__lte=at)
    rows = sorted(sessions.select_related("plan", "booking").order_by(), key=lambda session: (session.at, session.pk))
    events = _dosing_events(rows, at)
    found: dict[int, list[GivenSession]] = defaultdict(list)
    for session in rows:
        found[session.patient_id].append(_given(session, course_of(session, events[session.pk]), at))
    return dict(found)


def _dosing_events(sessions: Collection[Session], at: datetime) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = defaultdict(list)
    rows = SessionEvent.objects.filter(session__in=sessions, kind__in=DOSING_KINDS, at__lte=at).standing().order_by()
    for session_id, when, kind, payload, key in rows.values_list("session_id", "at", "kind", "payload", "entry_key"):
        found[session_id].append(as_event(when, kind, payload, key))
    return found


def _given(session: Session, course: SessionFacts, at: datetime) -> GivenSession:
    return GivenSession(
        session_id=session.pk,
        patient_id=session.patient_id,
        plan_id=session.plan_id,
        product=session.product,
        opened_at=session.at,
        started_at=first_dose_at(course) or session.at,
        ended_at=dosing_over_at(course),
        dose_mg=dose_given_mg(course, at),
        session=session,
    )


def last_session_given(patient: Patient, at: datetime) -> GivenSession | None:
    """Return the newest session in which the patient was given drug, or ``None``."""
    found = given_sessions(patient, at)
    return found[-1] if found else None


def arrivals(clinic: Clinic, at: datetime) -> QuerySet[Booking]:
    """Return today's bookings for which no session was opened yet, by time."""
    day = at.astimezone(clinic.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        Booking.objects.of(clinic)
        .standing()
        .filter(starts_at__gte=day, starts_at__lt=day + timedelta(days=1), session__isnull=True)
        .select_related("patient", "plan", "clinic")
        .order_by("starts_at", "pk")
    )


def booking_today(patient: Patient, at: datetime) -> Booking | None:
    """Return the patient's booking of today that has no session yet."""
    found: Booking | None = arrivals(patient.clinic, at).filter(patient=patient).first()
    return found


def enrolment_of(patient: Patient, at: datetime) -> RemsEnrolment | None:
    """Return the newest word on the patient's REMS enrolment."""
    rows = RemsEnrolment.objects.of(patient.clinic).filter(patient=patient, at__lte=at).current()
    found: RemsEnrolment | None = rows.select_related("recorded_by").order_by("-at", "-pk").first()
    return found


def _as_if_opened(booking: Booking, at: datetime) -> Session:
    """Return an unsaved session of a booking, for asking only; its key is negative so that it meets no row's."""
    plan = booking.plan
    return Session(
        pk=-booking.pk,
        clinic=booking.clinic,
        patient=booking.patient,
        plan=plan,
        booking=booking,
        product=plan.product,
        chair=booking.chair,
        dose_mg=plan.dose_mg,
        at=at,
    )
