"""First pages, by role: one number, the lists behind it, and what each line leads to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ketaclinic.consent.queries import valid_for_products
from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.followup.queries import alerts_for, latest_scores, open_alerts
from ketaclinic.journey import queries
from ketaclinic.journey.presenters.words import address, count_words, day_words, waited
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.people.queries import emergencies_to_review, staff_of
from ketaclinic.planning.queries import awaiting_plan, bookings_between, bookings_on
from ketaclinic.policy.queries import standing_rules
from ketaclinic.screening.queries import awaiting_decision
from ketaclinic.surveillance.queries import overdue_count
from ketaclinic.treatment.queries import open_session_count, open_sessions
from ketacore.evidence import Grade, Standing
from ketacore.treatment import phase

SHOWN = 7
"""Lines of one list on a first page; what is beyond is counted."""


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One thing to do: what, about whom, how long it has waited, where it is done; no address, nothing to open."""

    title: str
    detail: str
    url: str
    tags: tuple[tuple[str, str], ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class WorkList:
    """One list of a first page; ``empty`` is said when nothing waits."""

    title: str
    count: int
    lines: tuple[WorkLine, ...]
    empty: str
    all_url: str = ""
    of_people: bool = True

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.lines)


@dataclass(frozen=True, slots=True)
class Opened:
    """The decision that lies open beside the list."""

    patient: Patient
    url: str
    findings_url: str


@dataclass(frozen=True, slots=True)
class FirstPage:
    """A first page: its title, its one number, figures, lists, and one thing opened."""

    title: str
    number: str
    words: str
    lists: tuple[WorkList, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    opened: Opened | None = None

    @property
    def people(self) -> int:
        """How many people the lists show."""
        return sum(len(one.lines) for one in self.lists if one.of_people)


def decisions_page(staff: Staff, at: datetime, opened: str) -> FirstPage:
    """What waits for a prescriber: alerts, releases, candidates, plans, policies."""
    clinic = staff.clinic
    candidates = queries.first_of(awaiting_decision(clinic, at), SHOWN)
    chosen = next((p for p in candidates.rows if str(p.pk) == opened), candidates.rows[0] if candidates.rows else None)
    lists = (
        _alerts(staff, at),
        _releases(clinic, at),
        WorkList(
            "Candidates to decide",
            candidates.count,
            tuple(_waiting(p, at, f"?open={p.pk}#opened", open=p is chosen) for p in candidates.rows),
            "Nobody waits for a decision.",
            _listed("to-decide"),
        ),
        _plans(clinic, at),
        *([_policies(clinic, at)] if staff.is_medical_director else []),
        *_emergencies(staff, at),
    )
    total = sum(one.count for one in lists)
    words = "waits for you" if total == 1 else "wait for you"
    return FirstPage("Decisions", str(total), words, lists, opened=_opened(chosen) if chosen else None)


def _listed(waiting: str) -> str:
    return f"{address('journey:patients')}?stage={waiting}"


def _alerts(staff: Staff, at: datetime) -> WorkList:
    rows = list(alerts_for(staff, at))
    lines = tuple(
        WorkLine(
            title=alert.title,
            detail=f"{alert.patient} · {waited(alert.at, at)} ago",
            url=address("followup:alert", alert.pk),
            tags=(_clock(alert.due_at, at),),
        )
        for alert in rows[:SHOWN]
    )
    return WorkList("Alerts that are mine", len(rows), lines, "No open alert.")


def _clock(due_at: datetime | None, at: datetime) -> tuple[str, str]:
    if due_at is None:
        return "no clock signed", "unsure"
    if due_at < at:
        return f"late by {waited(due_at, at)}", "high"
    return f"{waited(at, due_at)} left", "med"


def _releases(clinic: Clinic, at: datetime) -> WorkList:
    leaving = [o.session for o in open_sessions(clinic, at) if phase(o.facts, at) == "leaving"]
    lines = tuple(
        WorkLine(f"Release from chair {s.chair}", str(s.patient), address("treatment:session", s.pk)) for s in leaving
    )
    return WorkList("Releases waiting", len(leaving), lines, "Nobody is about to leave.")


def _plans(clinic: Clinic, at: datetime) -> WorkList:
    found = queries.first_of(awaiting_plan(clinic, at), SHOWN)
    lines = tuple(_waiting(p, at, address("planning:patient", p.pk)) for p in found.rows)
    return WorkList(
        "Plans to sign", found.count, lines, "Every candidate to be treated has a plan.", _listed("to-plan")
    )


def _policies(clinic: Clinic, at: datetime) -> WorkList:
    unsigned = [
        one for one in standing_rules(clinic, at) if one.rule.grade is Grade.D and one.standing is Standing.UNSIGNED
    ]
    lines = tuple(
        WorkLine(one.rule.title, one.rule.rule_id, address("policy:rule", one.rule.rule_id)) for one in unsigned[:SHOWN]
    )
    return WorkList("Policies to sign", len(unsigned), lines, "Every clinic policy is signed.", of_people=False)


def _emergencies(staff: Staff, at: datetime) -> tuple[WorkList, ...]:
    """Return the charts opened in an emergency that this person has to look at; no list where there is none."""
    rows = list(emergencies_to_review(staff))
    lines = tuple(
        WorkLine(
            f"{row.by} opened a chart",
            f"{row.patient} · {waited(row.at, at)} ago",
            address("people:emergency", row.pk),
            (("open now", "high") if row.ends_at > at else ("not reviewed", "med"),),
        )
        for row in rows[:SHOWN]
    )
    return (WorkList("Charts opened in an emergency", len(rows), lines, ""),) if rows else ()


def _waiting(patient: Patient, at: datetime, url: str, *, open: bool = False) -> WorkLine:
    detail = f"born {day_words(patient.birth_date)} · record {patient.record_number}"
    return WorkLine(str(patient), detail, url, ((waited(patient.registered_at, at), "line"),), open)


def _opened(patient: Patient) -> Opened:
    return Opened(patient, address("screening:patient", patient.pk), address("journey:findings", patient.pk))


def today_page(staff: Staff, at: datetime, opened: str) -> FirstPage:
    """The front desk's day: who comes when, which paper is missing, who fetches them. Nothing clinical."""
    clinic = staff.clinic
    bookings = list(bookings_on(clinic, clinic.day_of(at)))
    ids = [b.patient_id for b in bookings]
    fetched = queries.caregivers_by_patient(clinic, ids)
    asked = {
        product: [b.patient_id for b in bookings if b.plan.product == product]
        for product in {b.plan.product for b in bookings}
    }
    papers = valid_for_products(clinic, asked, at)
    here = queries.opened_bookings(clinic, [b.pk for b in bookings])
    lines = []
    for b in sorted(bookings, key=lambda b: b.starts_at):
        consent = papers[b.plan.product].get(b.patient_id)
        tags = [("in the clinic", "on")] if b.pk in here else []
        if consent is None or consent.outcome != "valid":
            tags.append(("consent missing", "med"))
        tags.append(
            (f"fetched by {fetched[b.patient_id]}", "line") if b.patient_id in fetched else ("no ride named", "med")
        )
        when = b.starts_at.astimezone(clinic.zone)
        detail = f"chair {here.get(b.pk, b.chair)} · record {b.patient.record_number}"
        lines.append(
            WorkLine(f"{when:%H:%M} {b.patient}", detail, address("people:patient", b.patient_id), tuple(tags))
        )
    open_ones = sum(1 for line in lines if any(kind == "med" for _, kind in line.tags))
    words = f"{'visit' if len(lines) == 1 else 'visits'} today, {open_ones} with something missing"
    listed = WorkList("Today", len(lines), tuple(lines), "Nobody is booked today.")
    return FirstPage("Today", str(len(lines)), words, (listed,))


def therapist_page(staff: Staff, at: datetime, opened: str) -> FirstPage:
    """The therapist's people: alerts, and whose session comes next, with the newest PHQ-9."""
    clinic = staff.clinic
    today = clinic.day_of(at)
    bookings = sorted(bookings_between(clinic, today, today + timedelta(days=6)), key=lambda b: b.starts_at)
    first = list({b.patient_id: b for b in reversed(bookings)}.values())[::-1]
    scores = latest_scores(clinic, [b.patient_id for b in first[:SHOWN]], "phq9", at)
    lines = tuple(
        WorkLine(
            str(b.patient),
            f"session on {b.starts_at.astimezone(clinic.zone):%a %-d %b, %H:%M}",
            address("journey:chart", b.patient_id),
            (_newest_total(scores.get(b.patient_id, [])),),
        )
        for b in first[:SHOWN]
    )
    alerts = _alerts(staff, at)
    listed = WorkList("Sessions of the next seven days", len(first), lines, "No session is booked this week.")
    return FirstPage("My day", str(len(first)), "people with a session this week", (alerts, listed))


def _newest_total(scores: Sequence[ScaleAnswer]) -> tuple[str, str]:
    return (f"PHQ-9 {scores[-1].total}", "line") if scores else ("no PHQ-9 yet", "unsure")


def overview_page(staff: Staff, at: datetime, opened: str) -> FirstPage:
    """How the clinic runs: load, loops, screens, certification; counts, not people."""
    clinic = staff.clinic
    today = clinic.day_of(at)
    week = list(bookings_between(clinic, today, today + timedelta(days=6)))
    by_day = Counter(clinic.day_of(b.starts_at) for b in week)
    alerts = list(open_alerts(clinic, at))
    late = sum(1 for a in alerts if a.due_at is not None and a.due_at < at)
    overdue = overdue_count(clinic, at)
    figures = (
        (str(open_session_count(clinic, at)), "on the floor now"),
        (str(len(alerts)), f"open alerts, {late} late"),
        (
            str(overdue.people),
            f"people with an overdue screen, counted at {overdue.counted_at.astimezone(clinic.zone):%H:%M}",
        ),
        (_certified(clinic, at), "REMS certification"),
    )
    lines = tuple(
        WorkLine(
            f"{day:%A} {day_words(day, today)}" if day != today else "Today",
            count_words(by_day[day], "session"),
            address("treatment:floor") if day == today else "",
        )
        for day in (today + timedelta(days=n) for n in range(7))
        if by_day[day]
    )
    load = WorkList("Days with sessions, of the next seven", len(lines), lines, "Nothing is booked.", of_people=False)
    lists = (*_emergencies(staff, at), load)
    return FirstPage("Overview", str(by_day[today]), "sessions booked today", lists, figures)


def _certified(clinic: Clinic, at: datetime) -> str:
    until = clinic.rems_certified_until
    if clinic.rems_certified_on is None:
        return "not recorded"
    if until is None:
        return "no end date"
    days = (until - clinic.day_of(at)).days
    return f"{count_words(days, 'day')} left" if days >= 0 else "expired"


def registry_page(staff: Staff, at: datetime, opened: str) -> FirstPage:
    """The researcher's page: no data set has been released, so nothing about anybody is shown."""
    return FirstPage("Registry", "0", "data sets released to researchers")


def house_page(staff: Staff, at: datetime, opened: str) -> FirstPage:
    """The administrator's page: people with access, and what the clinic still has to settle."""
    clinic = staff.clinic
    everybody = list(staff_of(clinic))
    active = [s for s in everybody if s.is_active]
    by_role = Counter(Role(s.role).label for s in active)
    lines = tuple(
        WorkLine(role, count_words(n, "person", "people"), address("access:staff"))
        for role, n in sorted(by_role.items())
    )
    open_ones = tuple(_unsettled(clinic, active, at))
    return FirstPage(
        "Administration",
        str(len(active)),
        "people may sign in",
        (
            WorkList(
                "To settle",
                len(open_ones),
                open_ones,
                "Nothing is open: contact, certification and director are set.",
                of_people=False,
            ),
            WorkList("Who has access", len(lines), lines, "Nobody but you.", of_people=False),
        ),
        ((_certified(clinic, at), "REMS certification"),),
    )


def _unsettled(clinic: Clinic, active: Iterable[Staff], at: datetime) -> Iterable[WorkLine]:
    settings = address("people:clinic")
    if not clinic.emergency_contact:
        yield WorkLine("No emergency contact", "It is printed on every aftercare sheet", settings)
    if clinic.rems_certified(clinic.day_of(at)) is not True:
        yield WorkLine("REMS certification is not current", "Esketamine sessions cannot start", settings)
    if not any(s.is_medical_director for s in active):
        yield WorkLine(
            "No medical director", "Clinic policies have no effect until one signs them", address("access:staff")
        )


FIRST_PAGES: Mapping[Role, Callable[[Staff, datetime, str], Any]] = {
    Role.PRESCRIBER: decisions_page,
    Role.FRONT_DESK: today_page,
    Role.THERAPIST: therapist_page,
    Role.MANAGER: overview_page,
    Role.RESEARCHER: registry_page,
    Role.ADMINISTRATOR: house_page,
}
"""The first page of each role; the nurse's is the floor board itself."""
