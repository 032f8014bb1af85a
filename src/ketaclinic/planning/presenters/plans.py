"""Plans and bookings as the pages show them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast

from ketaclinic.consent.queries import valid_on
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission
from ketaclinic.people.presenters import day_words, weekday_words
from ketaclinic.planning.actions import PlanChoices
from ketaclinic.planning.facts import weight_facts
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.planning.queries import (
    Visit,
    active_plan,
    all_bookings_of_course,
    bookings_of_course,
    closed_for,
    next_booking,
    plans_of,
    session_dose_mg,
    to_book,
    visits_of_course,
)
from ketaclinic.policy.queries import setting_of
from ketaclinic.screening.queries import candidacy
from ketacore.evidence import Rule, Setting
from ketacore.planning import (
    PROTOCOLS,
    DoseChoice,
    PlannedSession,
    Protocol,
    Series,
    WeightDose,
    allowed_doses,
    dose_for,
    phase_on,
    plan_series,
    planned_dose,
    unsigned_needs,
)

OUTCOME_WORDS = {
    "allowed": "fits the protocol",
    "needs_reason": "needs your reason",
    "refused": "not possible",
    "cannot_decide": "cannot be checked",
}


@dataclass(frozen=True, slots=True)
class ProtocolChoice:
    """One protocol to choose from, and what stands in its way for this person."""

    protocol: Protocol
    current: bool
    decided: str
    may_treat: bool
    unsigned: tuple[Rule, ...]
    holds_here: bool

    @property
    def open(self) -> bool:
        """Whether a plan could be signed."""
        return self.may_treat and self.holds_here and not self.unsigned


def protocol_choices(patient: Patient, at: datetime, chosen: str) -> tuple[ProtocolChoice, ...]:
    """Return every protocol with the prescriber's decision about its product."""
    place = patient.clinic.jurisdiction
    rows = []
    for protocol in PROTOCOLS.values():
        decided = candidacy(patient, protocol.product, at)
        rows.append(
            ProtocolChoice(
                protocol=protocol,
                current=protocol.protocol_id == chosen,
                decided=f"{decided.get_verdict_display()}, {decided.recorded_by}" if decided else "",
                may_treat=decided is not None and decided.verdict == "treat",
                unsigned=unsigned_needs(protocol, setting_of(patient.clinic, at, protocol.product)),
                holds_here=any(p in ("*", place, place.split("-")[0]) for p in protocol.jurisdiction),
            )
        )
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class Row:
    """One planned session of a preview."""

    session: PlannedSession
    phase: str
    dose: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """One session on the picture of the series."""

    x: float
    height: float
    number: int
    on: date


@dataclass(frozen=True, slots=True)
class Stretch:
    """One phase on the picture of the series."""

    x: float
    width: float
    title: str
    middle: float


@dataclass(frozen=True, slots=True)
class Picture:
    """The series on one axis of weeks; lengths are in the units of the drawing."""

    width: int
    strokes: tuple[Stroke, ...]
    stretches: tuple[Stretch, ...]
    weeks: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The dated series of a plan that is not signed yet."""

    rows: tuple[Row, ...]
    left_out: tuple[date, ...]
    closed: str
    picture: Picture
    weight: WeightDose | None


_WIDTH, _EDGE = 720, 12


def preview(patient: Patient, protocol: Protocol, choices: PlanChoices, at: datetime) -> Preview:
    """Return the dated series; raises ``Refusal`` where the days do not fit the protocol."""
    closed = closed_for(choices.weekdays, choices.starts_on)
    planned = plan_series(
        protocol,
        choices.starts_on,
        weekdays=choices.weekdays,
        interval_weeks=choices.interval_weeks,
        closed_weekdays=closed,
    )
    setting = setting_of(patient.clinic, at, protocol.product)
    weight = None
    if protocol.dose_unit == "mg/kg":
        facts = weight_facts(patient, at, confirmed=choices.weight_confirmed)
        weight = dose_for(protocol, float(choices.dose), facts, setting)
    rows = tuple(
        Row(s, protocol.phase(s.phase).title, _dose(protocol, s.number, choices.dose)) for s in planned.sessions
    )
    shut = " and ".join(_WEEKDAY[day] for day in closed)
    return Preview(rows, planned.left_out, shut, picture_of(protocol, planned, choices.starts_on), weight)


def _dose(protocol: Protocol, number: int, chosen: Decimal) -> str:
    return f"{planned_dose(protocol, number, float(chosen)):g} {protocol.dose_unit}"


def picture_of(protocol: Protocol, planned: Series, first_on: date) -> Picture:
    """Return the sessions as upright strokes over weeks, each phase with its name below."""
    weeks = max((s.week for s in planned.sessions), default=1)
    per_day = (_WIDTH - 2 * _EDGE) / (weeks * 7)

    def at_week(week: int) -> float:
        return round(_EDGE + (week - 1) * 7 * per_day, 1)

    strokes = tuple(
        Stroke(round(_EDGE + (s.on - first_on).days * per_day, 1), 22.0, s.number, s.on) for s in planned.sessions
    )
    stretches = []
    for phase in protocol.phases:
        last = min(phase.last_week or weeks, weeks)
        if phase.first_week <= weeks:
            x, end = at_week(phase.first_week), at_week(last + 1)
            stretches.append(Stretch(x, round(end - x - 6, 1), phase.title, round((x + end) / 2, 1)))
    ticks = tuple((at_week(week), week) for week in range(1, weeks + 1))
    return Picture(_WIDTH, strokes, tuple(stretches), ticks)


@dataclass(frozen=True, slots=True)
class DoseOption:
    """One dose in the list of choices."""

    choice: DoseChoice
    words: str
    value: str
    current: bool


def dose_options(
    protocol: Protocol, setting: Setting, chosen: Decimal | None, previous_mg: float | None = None
) -> tuple[DoseOption, ...]:
    """Return the doses one may think of after the first session, with why some are not offered."""
    phase = protocol.phases[0].phase_id
    before = protocol.first_dose if previous_mg is None else previous_mg
    return tuple(
        DoseOption(
            choice=choice,
            words=OUTCOME_WORDS[choice.outcome],
            value=f"{choice.dose:g}",
            current=chosen is not None and float(chosen) == choice.dose,
        )
        for choice in allowed_doses(protocol, phase, before, setting)
    )


@dataclass(frozen=True, slots=True)
class BookingLine:
    """One booking of a course; ``again`` when it was cancelled or missed and nothing took its place."""

    booking: Booking
    state: str
    badge: str
    why: str
    dose: str
    phase: str
    may_change: bool
    again: bool
    moved_from: datetime | None
    asks: bool


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One line of the history of plan and bookings."""

    at: datetime
    words: str
    detail: str
    who: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """The standing plan of a patient: ``lines`` to come or to settle, ``past`` newest first, ``to_book`` by hand."""

    plan: Plan
    protocol: Protocol
    facts: tuple[tuple[str, str], ...]
    may_change_to: str
    lines: tuple[BookingLine, ...]
    past: tuple[BookingLine, ...]
    to_book: tuple[PlannedSession, ...]
    standing: str
    consent_words: str
    consent_stands: bool


def plan_view(plan: Plan, staff: Staff, at: datetime) -> PlanView:
    """Return the standing plan for one reader; without the right to read charts nothing clinical is in it."""
    protocol = PROTOCOLS[plan.protocol_id]
    clinical = staff.may(Permission.SEE_CHART)
    lines, open_sessions = booking_lines(plan, protocol, staff, at), to_book(plan, at)
    dose = plan.dose_mg if plan.dose_mg_per_kg is None else plan.dose_mg_per_kg
    consent = valid_on(plan.patient, plan.product, at, None if dose is None else float(dose))
    return PlanView(
        plan=plan,
        protocol=protocol,
        facts=_facts(plan, protocol, plan.clinic.day_of(at)) if clinical else (),
        may_change_to=_may_change_to(protocol) if clinical else "",
        lines=tuple(line for line in lines if line.asks),
        past=tuple(line for line in reversed(lines) if not line.asks),
        to_book=open_sessions,
        standing=_standing_words(lines, open_sessions),
        consent_words=consent.outcome.replace("_", " "),
        consent_stands=consent.outcome == "valid",
    )


def _standing_words(lines: tuple[BookingLine, ...], open_sessions: tuple[PlannedSession, ...]) -> str:
    again = sum(line.again and line.asks for line in lines)
    words = [f"{len(open_sessions)} not booked yet"] if open_sessions else []
    words += [f"{again} cancelled or missed and not booked again"] if again else []
    return " · ".join(words) or "all booked"


def _facts(plan: Plan, protocol: Protocol, today: date) -> tuple[tuple[str, str], ...]:
    place = phase_on(protocol, plan.starts_on, today)
    where = "not begun" if place is None else f"week {place.week}, day {place.day}"
    if place is not None:
        where += f", {place.phase.title.lower()}" if place.phase else ", after the protocol's last week"
    days = ", ".join(_WEEKDAY[d] for d in plan.customised.get("weekdays", ()))
    rows = (
        ("Protocol", protocol.title),
        ("Basis", protocol.basis),
        ("Dose", dose_words(plan)),
        ("First day", weekday_words(plan.starts_on)),
        ("Now", where),
        ("Days", days),
        ("Reason for a departure", plan.customised.get("reason", "")),
        ("The patient's goals", plan.goals),
        ("Signed", f"{plan.signed_by.display_name}, {day_words(plan.clinic.day_of(plan.at))}"),
    )
    return tuple((word, value) for word, value in rows if value)


_WEEKDAY = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def dose_words(plan: Plan) -> str:
    """Return the dose as a person reads it, with the weight it rests on."""
    if plan.dose_mg_per_kg is not None and plan.weight_kg is not None:
        return f"{plan.dose_mg_per_kg.normalize():f} mg/kg: {plan.dose_mg:f} mg for {plan.weight_kg.normalize():f} kg"
    if plan.dose_mg is None:
        return ""
    first = session_dose_mg(plan, 1)
    after = f"{plan.dose_mg.normalize():f} mg"
    return after if first is None or first == plan.dose_mg else f"{first.normalize():f} mg on day 1, then {after}"


def _may_change_to(protocol: Protocol) -> str:
    if protocol.dose_unit == "mg":
        rule = protocol.phases[-1].rule
        return f"{rule.number('low_dose_mg'):g} or {rule.number('high_dose_mg'):g} mg; weekly or every 2 weeks later"
    rule = protocol.first_dose_rule
    low, high = rule.number("lowest_described_mg_per_kg"), rule.number("highest_described_mg_per_kg")
    return f"{low:g} to {high:g} mg/kg with a reason"


SETTLED_AFTER = timedelta(days=14)
"""How long a cancelled or missed session that nothing replaced stays among those that ask for something."""


def booking_lines(plan: Plan, protocol: Protocol, staff: Staff, at: datetime) -> tuple[BookingLine, ...]:
    """Return the bookings of the course that stand or were cancelled or missed, in the order of time."""
    bookings, visits = list(bookings_of_course(plan)), visits_of_course(plan, at)
    standing = {b.number for b in bookings if not hasattr(b, "change")}
    return tuple(_booking_line(b, plan, protocol, staff, at, visits.get(b.pk), b.number in standing) for b in bookings)


def _booking_line(
    booking: Booking, plan: Plan, protocol: Protocol, staff: Staff, at: datetime, visit: Visit | None, replaced: bool
) -> BookingLine:
    change = getattr(booking, "change", None)
    earlier = booking.amends
    clinical, open_ = staff.may(Permission.SEE_CHART), change is None and visit is None
    dose = session_dose_mg(plan, booking.number) if clinical and open_ else None
    state, badge = _state(booking, plan, at, visit)
    again = change is not None and not replaced
    return BookingLine(
        booking=booking,
        state=state,
        badge=badge,
        why=change.reason if change is not None else booking.amendment_reason,
        dose=f"{dose.normalize():f} mg" if dose is not None else "",
        phase=protocol.phase(booking.phase).title if clinical else "",
        may_change=staff.may(Permission.BOOK_SESSION) and open_,
        again=again,
        moved_from=earlier.starts_at if isinstance(earlier, Booking) else None,
        asks=open_ or visit is Visit.HERE or (again and booking.starts_at > at - SETTLED_AFTER),
    )


_VISIT_BADGES = {Visit.HERE: "on", Visit.GIVEN: "", Visit.NOTHING_GIVEN: "line"}


def _state(booking: Booking, plan: Plan, at: datetime, visit: Visit | None) -> tuple[str, str]:
    if hasattr(booking, "change"):
        return booking.change.get_kind_display().lower(), "unsure"
    if visit is not None:
        return visit.value, _VISIT_BADGES[visit]
    if booking.starts_at > at:
        return "planned", ""
    today = plan.clinic.day_of(booking.starts_at) == plan.clinic.day_of(at)
    return ("expected", "on") if today else ("nothing recorded", "med")


def settled_words(booking: Booking) -> str:
    """Return why nothing about a booking can be changed any more; empty while it can."""
    if hasattr(booking, "session"):
        return "The patient came and the session was opened"
    if hasattr(booking, "change"):
        return f"This session was {booking.change.get_kind_display().lower()}"
    return "This session was moved" if hasattr(booking, "amended_by") else ""


def history(patient: Patient, staff: Staff, at: datetime) -> tuple[ChangeLine, ...]:
    """Return what was signed, changed, ended, booked, moved, cancelled and missed, newest first."""
    lines: list[ChangeLine] = []
    for plan in plans_of(patient, at):
        if plan.first_id is None:
            lines += _bookings_told(plan, at)
        if staff.may(Permission.SEE_CHART):
            lines.append(_signed_line(plan))
            end = getattr(plan, "end", None)
            if end is not None:
                who = end.recorded_by.display_name
                lines.append(ChangeLine(end.at, f"Plan ended: {end.get_why_display().lower()}", end.reason, who))
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True))


def _signed_line(plan: Plan) -> ChangeLine:
    title = PROTOCOLS[plan.protocol_id].title
    if plan.amends is None:
        return ChangeLine(plan.at, f"Plan signed: {title}", dose_words(plan), plan.signed_by.display_name)
    before = dose_words(cast(Plan, plan.amends))
    changed = f"{dose_words(plan)} (was {before})" if before != dose_words(plan) else dose_words(plan)
    return ChangeLine(plan.at, "Plan changed", f"{changed}. {plan.amendment_reason}", plan.signed_by.display_name)


def _bookings_told(plan: Plan, at: datetime) -> list[ChangeLine]:
    """Return one line per deed: a series booked at once is one, so are the cancellations of one moment."""
    made: dict[tuple[datetime, str], list[Booking]] = defaultdict(list)
    undone: dict[tuple[datetime, str, str, str], list[Booking]] = defaultdict(list)
    lines = []
    for booking in all_bookings_of_course(plan):
        if booking.amends is None:
            made[booking.recorded_at, booking.recorded_by.display_name].append(booking)
        else:
            lines.append(_moved_line(booking, plan))
        change = getattr(booking, "change", None)
        if change is not None and change.at <= at:
            who = change.recorded_by.display_name
            undone[change.at, change.get_kind_display().lower(), change.reason, who].append(booking)
    lines += [ChangeLine(when, f"{_which(rows)} booked", _span(rows, plan), who) for (when, who), rows in made.items()]
    for (when, what, reason, who), rows in undone.items():
        told = f"{_span(rows, plan)}{f'. {reason}' if reason else ''}"
        lines.append(ChangeLine(when, f"{_which(rows)} {what}", told, who))
    return lines


def _which(bookings: list[Booking]) -> str:
    return f"Session {bookings[0].number}" if len(bookings) == 1 else f"{len(bookings)} sessions"


def _span(bookings: list[Booking], plan: Plan) -> str:
    if len(bookings) == 1:
        return f"{_moment(bookings[0], plan)}, chair {bookings[0].chair}"
    days = [plan.clinic.day_of(b.starts_at) for b in bookings]
    return f"{day_words(min(days))} to {day_words(max(days))}"


def _moment(booking: Booking, plan: Plan) -> str:
    local = booking.starts_at.astimezone(plan.clinic.zone)
    return f"{weekday_words(local.date())}, {local:%H:%M}"


def _moved_line(booking: Booking, plan: Plan) -> ChangeLine:
    before = _moment(cast(Booking, booking.amends), plan)
    told = f"Session {booking.number} moved from {before} to {_moment(booking, plan)}, chair {booking.chair}"
    return ChangeLine(booking.recorded_at, told, booking.amendment_reason, booking.recorded_by.display_name)


@dataclass(frozen=True, slots=True)
class ChartCard:
    """The plan on the patient's chart."""

    plan: Plan
    facts: tuple[tuple[str, str], ...]
    next_booking: Booking | None


def chart_card(patient: Patient, at: datetime) -> ChartCard | None:
    """Return the standing plan and the next session; ``None`` without a plan."""
    plan = active_plan(patient, at)
    if plan is None:
        return None
    protocol = PROTOCOLS[plan.protocol_id]
    rows = [row for row in _facts(plan, protocol, patient.clinic.day_of(at)) if row[0] in ("Protocol", "Dose", "Now")]
    rows.append(("May change to", _may_change_to(protocol)))
    return ChartCard(plan, tuple(rows), next_booking(patient, at))
