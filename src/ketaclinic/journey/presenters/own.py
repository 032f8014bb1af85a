"""The pages of patients and caregivers in plain words: one thing to do, when to come, what to watch, whom to call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.safestring import SafeString

from ketaclinic.aftercare.actions import prepare_sheet
from ketaclinic.aftercare.presenters import Sheet
from ketaclinic.design.shapes import Shape, drawing, horizontal, rect, text
from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.followup.presenters import Call, call, crisis, ordered
from ketaclinic.journey.presenters.words import address
from ketaclinic.journey.queries.own import OwnCare, Visit, last_given_of, visit_of
from ketaclinic.people.models import Caregiver, Clinic, Patient
from ketaclinic.planning.models import Booking
from ketaclinic.planning.queries import next_booking
from ketaclinic.policy.queries import setting_of
from ketacore.scales import SCALES, Scale
from ketacore.treatment import Phase, leave_not_before
from ketacore.treatment.events import Arrived, EscortSeen

BARS = 8
"""How many forms the picture shows, the newest last."""
STANDING_EARLY = timedelta(minutes=10)
"""How long before the earliest way out a caregiver is asked to be there."""


@dataclass(frozen=True, slots=True)
class ToDo:
    """The one thing to do now; without an address there is nothing to open."""

    title: str
    text: str
    url: str = ""
    button: str = ""
    icon: str = "check"


@dataclass(frozen=True, slots=True)
class When:
    """A visit to come: its day and time in words, and what goes with it."""

    day: str
    time: str
    until: str
    today: bool


@dataclass(frozen=True, slots=True)
class How:
    """How somebody has been: the newest form in words, and a picture of the last ones."""

    words: str
    change: str
    picture: SafeString
    summary: str


@dataclass(frozen=True, slots=True)
class OwnPage:
    """What a patient's own page shows."""

    name: str
    now: ToDo
    visit: When | None
    how: How | None
    sheet: Sheet | None
    sheet_is_new: bool
    forms: tuple[tuple[str, str], ...]
    help: tuple[Call, ...]
    call_now: bool


def own_page(care: OwnCare, at: datetime) -> OwnPage:
    """Return the page of one patient."""
    clinic = care.patient.clinic
    here = care.visit is not None and care.visit.running
    sheet = prepare_sheet(care.last_given, at) if care.last_given is not None and not here else None
    return OwnPage(
        name=care.patient.given_name,
        now=_now(care, at, sheet),
        visit=_when(care.booking, at),
        how=_how(care.scores, clinic, at),
        sheet=sheet,
        sheet_is_new=care.last_given is not None and _is_tonight(care.last_given.at, clinic, at),
        forms=tuple((_form_words(s.measures), address("followup:own_answer", s.scale_id)) for s in _scales()),
        help=help_lines(clinic, at),
        call_now=care.spoke_of_suicide,
    )


def _now(care: OwnCare, at: datetime, sheet: Sheet | None) -> ToDo:
    clinic = care.patient.clinic
    if care.visit is not None and care.visit.running:
        return ToDo("You are at the clinic", "Rest. Tell the nurse at once if anything feels wrong.", icon="person")
    if sheet is not None and care.visit is not None and clinic.day_of(care.visit.session.at) == clinic.day_of(at):
        return ToDo("Rest today. Do not drive.", sheet.no_driving_date, "#sheet", "Read your sheet", "moon")
    if care.due:
        scale = care.due[0]
        words = f"{len(scale.items)} short questions about {scale.recall}. It takes about three minutes."
        return ToDo("Tell us how you have been", words, address("followup:own_answer", scale.scale_id), "Start", "flag")
    coming = _when(care.booking, at)
    if coming is not None and coming.today:
        words = "Do not drive. Ask somebody to take you home."
        return ToDo(f"Come to the clinic today at {coming.time}", words, icon="calendar")
    told = "Thank you for your answers today." if care.told_today else "You have done everything for now."
    return ToDo("Nothing to do now", told)


def _when(booking: Booking | None, at: datetime) -> When | None:
    if booking is None:
        return None
    zone = booking.patient.clinic.zone
    begin = booking.starts_at.astimezone(zone)
    end = begin + timedelta(minutes=booking.minutes)
    today = at.astimezone(zone).date()
    near = {today: "Today", today + timedelta(days=1): "Tomorrow"}.get(begin.date(), f"{begin:%A}")
    return When(f"{near}, {begin.day} {begin:%B}", f"{begin:%H:%M}", f"{end:%H:%M}", begin.date() == today)


def _scales() -> list[Scale]:
    return [SCALES[name] for name in ordered()]


def _form_words(measures: str) -> str:
    return f"Form about {({'depression': 'mood', 'anxiety': 'worry'}).get(measures, measures)}"


TROUBLE = {
    "minimal": "hardly any trouble",
    "mild": "a little trouble",
    "moderate": "some trouble",
    "moderately severe": "a lot of trouble",
    "severe": "very much trouble",
}
"""The bands of the scale as somebody says them who has never seen a scale."""


def _how(scores: list[ScaleAnswer], clinic: Clinic, at: datetime) -> How | None:
    if not scores:
        return None
    newest, first = scores[-1], scores[0]
    highest = SCALES[newest.instrument].highest
    words = (
        f"{_day(newest, clinic, at)}: {newest.total} points of {highest}. "
        f"That means {TROUBLE.get(newest.band, newest.band)}. Fewer points are better."
    )
    moved = (first.total or 0) - (newest.total or 0)
    change = ""
    if newest.pk != first.pk:
        how = f"{abs(moved)} points {'fewer' if moved > 0 else 'more'} than" if moved else "The same as"
        change = f"{how} on your first form ({first.total})."
    return How(words, change, _picture(scores[-BARS:], highest, clinic), _summary(scores[-BARS:], highest))


def _day(row: ScaleAnswer, clinic: Clinic, at: datetime) -> str:
    day = clinic.day_of(row.at)
    return "Today" if day == clinic.day_of(at) else f"{day.day} {day:%B}"


def _summary(scores: list[ScaleAnswer], highest: int) -> str:
    return f"Points of {highest} on your last forms, oldest first: {', '.join(str(s.total) for s in scores)}"


def _picture(scores: list[ScaleAnswer], highest: int, clinic: Clinic) -> SafeString:
    """Draw one bar a form, 320 wide and 140 high; the newest stands out."""
    step, floor, tall = 320 / BARS, 112.0, 92.0
    shapes: list[Shape] = []
    for n, row in enumerate(scores):
        height = max(tall * (row.total or 0) / highest, 2.0)
        x, newest = n * step + 6, row is scores[-1]
        shapes.append(rect("g-bar" if newest else "g-bar-rest", x, floor - height, step - 12, height, 4))
        shapes.append(text("g-ts mid" if newest else "g-t2 mid", x + step / 2 - 6, floor - height - 5, str(row.total)))
        if newest or n == 0:
            day = clinic.day_of(row.at)
            shapes.append(text("g-t mid", x + step / 2 - 6, floor + 18, f"{day.day} {day:%b}"))
    return drawing([*shapes, horizontal("g-axis", 0, 320, floor)])


def help_lines(clinic: Clinic, at: datetime) -> tuple[Call, ...]:
    """Return whom to call: the checked numbers of the place, the clinic by day, its contact at any hour."""
    found = crisis(clinic, setting_of(clinic, at))
    by_day = (call("Your clinic, by day", clinic.phone),) if clinic.phone else ()
    return (*found.lines, *by_day, found.clinic)


# ---- the caregiver -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stop:
    """One step of the visit: its word, when it was or will be, and its state (done, here, later)."""

    name: str
    note: str
    state: str


@dataclass(frozen=True, slots=True)
class WardPage:
    """What a caregiver's page shows; ``come`` and ``stops`` only while a session runs that they follow."""

    name: str
    headline: str
    text: str
    help: tuple[Call, ...]
    come: str = ""
    stops: tuple[Stop, ...] = ()
    visit: When | None = None
    tonight: Sheet | None = None


def ward_page(patient: Patient, caregiver: Caregiver, at: datetime) -> WardPage:
    """Return the page of one caregiver: no chart, no score, no dose."""
    clinic, visit, given = patient.clinic, visit_of(patient, at), last_given_of(patient, at)
    follows = visit is not None and _follows(visit, caregiver)
    followed = visit if visit is not None and visit.running and follows else None
    headline, words = _headline(visit, patient.given_name, follows)
    watching = given is not None and follows and _is_tonight(given.at, clinic, at)
    return WardPage(
        name=patient.given_name,
        headline=headline,
        text=words,
        help=help_lines(clinic, at),
        come=_come(followed, clinic) if followed else "",
        stops=_stops(followed, clinic) if followed else (),
        visit=_when(next_booking(patient, at), at) if followed is None else None,
        tonight=prepare_sheet(given, at) if given is not None and watching else None,
    )


def _follows(visit: Visit, caregiver: Caregiver) -> bool:
    """Return whether this caregiver takes the patient home: they may, and nobody else is written down for today."""
    named = visit.facts.last(EscortSeen)
    return caregiver.may_escort and (named is None or named[1].name.strip().lower() == caregiver.name.strip().lower())


def _is_tonight(given_at: datetime, clinic: Clinic, at: datetime) -> bool:
    return clinic.day_of(at) - clinic.day_of(given_at) <= timedelta(days=1)


_AT_THE_CLINIC = {
    Phase.ARRIVING: ("{name} is expected at the clinic.", "The visit has not begun."),
    Phase.READY: ("{name} has arrived.", "A nurse is with {name}. The medicine has not been given yet."),
    Phase.DOSING: ("{name} is being treated.", "A nurse is with {name}."),
    Phase.INFUSION: ("{name} is being treated.", "A nurse is with {name}."),
    Phase.OBSERVATION: ("{name} is resting.", "A nurse looks in often."),
    Phase.LEAVING: ("{name} can leave soon.", "A nurse checks once more that all is well."),
    Phase.LEFT: ("{name} has left the clinic.", "What to watch today and tonight stands below."),
    Phase.STOPPED: ("The visit is over.", "Please call the clinic if you have not spoken with them."),
}


def _headline(visit: Visit | None, name: str, follows: bool) -> tuple[str, str]:
    if visit is None:
        return f"{name} is not at the clinic now.", "When a visit begins, you can follow it here."
    if not follows:
        return (
            "This visit is not shown to you.",
            f"Somebody else is written down as taking {name} home. Call the clinic if that is wrong.",
        )
    headline, words = _AT_THE_CLINIC[visit.phase]
    return headline.format(name=name), words.format(name=name)


def _come(visit: Visit, clinic: Clinic) -> str:
    """Return when to be there: a little before the earliest way out, else the end of the booking."""
    soonest = leave_not_before(visit.facts)
    if soonest is not None:
        return f"{(soonest - STANDING_EARLY).astimezone(clinic.zone):%H:%M}"
    booking = visit.session.booking
    return f"{booking.ends_at.astimezone(clinic.zone):%H:%M}" if booking is not None else ""


_ORDER = (
    ("Arrived", (Phase.ARRIVING, Phase.READY)),
    ("Medicine", (Phase.DOSING, Phase.INFUSION)),
    ("Resting", (Phase.OBSERVATION,)),
    ("Leaving", (Phase.LEAVING,)),
)


def _stops(visit: Visit, clinic: Clinic) -> tuple[Stop, ...]:
    here = next((n for n, (_, phases) in enumerate(_ORDER) if visit.phase in phases), len(_ORDER))
    arrived, soonest = visit.facts.last(Arrived), leave_not_before(visit.facts)
    notes = [
        f"{arrived[0].at.astimezone(clinic.zone):%H:%M}" if arrived else "",
        "",
        "",
        f"from {soonest.astimezone(clinic.zone):%H:%M}" if soonest else "",
    ]
    states = ["done" if n < here else "here" if n == here else "later" for n in range(len(_ORDER))]
    return tuple(Stop(name, notes[n], states[n]) for n, (name, _) in enumerate(_ORDER))
