"""The score course: scores and sessions on one axis, with the lines that mean something, ready for a template.

The chart of a patient draws the same picture: ``score_course(patient, at)`` and ``followup/_course.html``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ketaclinic.followup.facts import score_facts
from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.followup.presenters.axes import Frame, Tick, day_ticks, day_words, point_ticks
from ketaclinic.followup.presenters.words import Words, outcome_words
from ketaclinic.followup.queries import baseline_among, scores_of
from ketaclinic.people.models import Patient
from ketaclinic.policy.queries import setting_of
from ketaclinic.treatment.queries import GivenSession, given_sessions
from ketacore.evidence import Setting
from ketacore.planning import PROTOCOLS, phase_on
from ketacore.scales import SCALES, Scale

WIDE, NARROW = 938, 400
FEW_POINTS = 30


@dataclass(frozen=True, slots=True)
class Point:
    """One score in the picture."""

    x: float
    y: float
    total: int
    label: str = ""
    newest: bool = False
    label_y: float = 0
    anchor: str = "mid"


@dataclass(frozen=True, slots=True)
class Line:
    """A level that means something."""

    y: float
    label: str
    label_y: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A session, or a stretch of days."""

    x: float
    width: float
    y: float
    height: float
    label: str = ""
    middle: float = 0


@dataclass(frozen=True, slots=True)
class Drawing:
    """The geometry of one width of the picture."""

    width: int
    height: int
    frame: Frame
    path: str
    points: tuple[Point, ...]
    radius: float
    sessions: tuple[Bar, ...]
    lines: tuple[Line, ...]
    days: tuple[Tick, ...]
    levels: tuple[Tick, ...]
    today_x: float
    near_start: Bar | None
    proposed: Bar | None
    phases: tuple[Bar, ...]

    @property
    def future_width(self) -> float:
        """How much of the axis lies after today."""
        return round(self.frame.right - self.today_x, 1)

    @property
    def proposed_x(self) -> float:
        """Where the words about the proposal stand."""
        bar = self.proposed
        return 0 if bar is None else bar.x + bar.width if self.proposed_anchor == "end" else bar.middle

    @property
    def proposed_anchor(self) -> str:
        """How those words are anchored, so that they stay inside the picture."""
        return "end" if self.proposed is not None and self.proposed.middle > self.frame.right - 70 else "mid"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table that says the same as the picture."""

    on: date
    what: str
    total: int | None
    band: str
    change: str
    by: str
    answer_id: int | None = None


@dataclass(frozen=True, slots=True)
class ScoreCourse:
    """Everything ``followup/_course.html`` shows. Without any score ``drawings`` is empty."""

    scale: Scale
    words: Words
    summary: str
    drawings: tuple[Drawing, ...]
    rows: tuple[Row, ...]
    count: int
    baseline: ScaleAnswer | None
    newest: ScaleAnswer | None

    @property
    def wide(self) -> Drawing | None:
        """The drawing for a desk or tablet."""
        return self.drawings[0] if self.drawings else None

    @property
    def narrow(self) -> Drawing | None:
        """The drawing for a telephone."""
        return self.drawings[-1] if self.drawings else None


def score_course(
    patient: Patient,
    at: datetime,
    instrument: str = "phq9",
    proposed: tuple[date, date] | None = None,
    setting: Setting | None = None,
    sessions: Sequence[GivenSession] | None = None,
    scores: Sequence[ScaleAnswer] | None = None,
) -> ScoreCourse:
    """Return the course of one instrument, with the sessions given and, when handed one, a proposed window.

    ``setting`` is the clinic's setting, ``sessions`` are those given and ``scores`` those of the instrument in the
    order of time, where the caller has read them already.
    """
    scale = SCALES[instrument]
    scores = scores_of(patient, instrument, at) if scores is None else scores
    sessions = given_sessions(patient, at) if sessions is None else sessions
    clinic = patient.clinic
    newest = scores[-1] if scores else None
    baseline = baseline_among(scores, sessions[0].started_at if sessions else None)
    facts = score_facts(instrument, scores, newest, [s.started_at for s in sessions])
    words = outcome_words(facts, setting or setting_of(clinic, at), newest, baseline, clinic.day_of(at), clinic)
    given = [(clinic.day_of(s.started_at), s) for s in sessions]
    drawings: tuple[Drawing, ...] = ()
    if scores:
        dated = [(clinic.day_of(s.at), s.total) for s in scores if s.total is not None]
        today = clinic.day_of(at)
        start = baseline.total if baseline else None
        drawings = tuple(_draw(width, scale, dated, given, today, start, proposed) for width in (WIDE, NARROW))
    return ScoreCourse(
        scale=scale,
        words=words,
        summary=_summary(scale, scores, given, patient),
        drawings=drawings,
        rows=_rows(scores, given, baseline, patient),
        count=len(scores),
        baseline=baseline,
        newest=newest,
    )


def _draw(
    width: int,
    scale: Scale,
    scores: Sequence[tuple[date, int]],
    given: Sequence[tuple[date, GivenSession]],
    today: date,
    start: int | None,
    proposed: tuple[date, date] | None,
) -> Drawing:
    first = min([scores[0][0], *(day for day, _ in given[:1])])
    last = max(today, proposed[1] if proposed else today)
    pad = max((last - first).days // 24, 2)
    frame = Frame(
        width=width,
        left=34,
        right=width - 16,
        top=26,
        bottom=284,
        first_on=first - timedelta(days=pad),
        last_on=last + timedelta(days=pad),
        highest=scale.highest,
    )
    points = _points(frame, scores, start, today)
    return Drawing(
        width=width,
        height=364,
        frame=frame,
        path="M" + "L".join(f"{p.x} {p.y}" for p in points),
        points=points,
        radius=4.5 if len(points) <= FEW_POINTS else 2.5,
        sessions=tuple(_session(frame, day, session) for day, session in given),
        lines=_lines(frame, scale, start),
        days=day_ticks(frame, today, 8 if width == WIDE else 4),
        levels=point_ticks(frame),
        today_x=frame.x(today),
        near_start=_near_start(frame, scale, start, today),
        proposed=_stretch(frame, *proposed, f"proposed {_days(*proposed)}") if proposed else None,
        phases=_phases(frame, given),
    )


def _points(frame: Frame, scores: Sequence[tuple[date, int]], start: int | None, today: date) -> tuple[Point, ...]:
    points = []
    for number, (day, total) in enumerate(scores):
        newest = number == len(scores) - 1
        label = str(total) if number == 0 or newest else ""
        if newest:
            label = f"{total} {'today' if day == today else 'on ' + day_words(day)}"
        x, y = frame.x(day), frame.y(total)
        near_right = newest and x > frame.right - 90
        points.append(
            Point(
                x=x,
                y=y,
                total=total,
                label=label,
                newest=newest,
                label_y=y - 14 if y > frame.top + 20 else y + 24,
                anchor="end" if near_right else "mid",
            )
        )
    return tuple(points)


def _session(frame: Frame, day: date, session: GivenSession) -> Bar:
    label = f"{session.dose_mg:g} mg on {day_words(day)}"
    return Bar(x=round(frame.x(day) - 2.5, 1), width=5, y=295, height=15, label=label)


def _lines(frame: Frame, scale: Scale, start: int | None) -> tuple[Line, ...]:
    lines: list[Line] = []
    if start:
        y = frame.y(start / 2)
        lines.append(Line(y, "half the starting score (response)", y - 6))
    if scale.remission is not None:
        y = frame.y(scale.remission.below - 0.5)
        close = any(abs(y - line.y) < 18 for line in lines)
        lines.append(Line(y, f"below {scale.remission.below} (remission)", y + 15 if close else y - 6))
    return tuple(lines)


def _near_start(frame: Frame, scale: Scale, start: int | None, today: date) -> Bar | None:
    threshold = scale.change("treatment-resistant depression")
    if threshold is None or start is None or start <= threshold.points:
        return None
    y = frame.y(start - threshold.points)
    width = round(frame.x(today) - frame.left, 1)
    label = f"less than {threshold.points:g} points better than at the start"
    return Bar(x=frame.left, width=width, y=frame.top, height=round(y - frame.top, 1), label=label)


def _stretch(frame: Frame, first: date, last: date, label: str) -> Bar:
    x, end = frame.x(first), frame.x(last)
    width = max(end - x, 6)
    return Bar(x=x, width=round(width, 1), y=295, height=15, label=label, middle=round(x + width / 2, 1))


def _days(first: date, last: date) -> str:
    if first == last:
        return day_words(first)
    return f"{first.day}–{day_words(last)}" if first.month == last.month else f"{day_words(first)}–{day_words(last)}"


def _phases(frame: Frame, given: Sequence[tuple[date, GivenSession]]) -> tuple[Bar, ...]:
    """Return the phases of the newest course under its sessions, those wide enough to carry their name."""
    if not given:
        return ()
    course = given[-1][1].session.plan.course_id
    days = [day for day, session in given if session.session.plan.course_id == course]
    protocol = PROTOCOLS.get(given[-1][1].session.plan.protocol_id)
    if protocol is None:
        return ()
    spans: list[tuple[str, date, date]] = []
    for number, day in enumerate(days):
        place = phase_on(protocol, days[0], day, given=number)
        title = place.phase.title if place and place.phase else "After the protocol"
        if spans and spans[-1][0] == title:
            spans[-1] = (title, spans[-1][1], day)
        else:
            spans.append((title, day, day))
    bars = [_stretch(frame, first, last, title.lower()) for title, first, last in spans]
    return tuple(bar for bar in bars if bar.width > 6.2 * len(bar.label))


def _summary(
    scale: Scale, scores: Sequence[ScaleAnswer], given: Sequence[tuple[date, GivenSession]], patient: Patient
) -> str:
    if not scores:
        return f"No {scale.name} score yet."
    first, last = scores[0], scores[-1]
    day_of = patient.clinic.day_of
    told = f"{scale.name} from {first.total} on {day_of(first.at):%d %B %Y}"
    told += f" to {last.total} on {day_of(last.at):%d %B %Y}, {len(scores)} scores" if len(scores) > 1 else ""
    return f"{told}, {len(given)} session{'' if len(given) == 1 else 's'} given."


def _rows(
    scores: Sequence[ScaleAnswer],
    given: Sequence[tuple[date, GivenSession]],
    baseline: ScaleAnswer | None,
    patient: Patient,
) -> tuple[Row, ...]:
    rows = [(s.started_at, Row(day, f"Session, {s.dose_mg:g} mg", None, "", "", "")) for day, s in given]
    for score in scores:
        change = ""
        if baseline is not None and score.total is not None and baseline.total is not None and score != baseline:
            change = f"{score.total - baseline.total:+d}".replace("-", "−")
        what = "Score, baseline" if score == baseline else "Score"
        row = Row(
            on=patient.clinic.day_of(score.at),
            what=what,
            total=score.total,
            band=score.band,
            change=change,
            by=score.author_name,
            answer_id=score.pk,
        )
        rows.append((score.at, row))
    return tuple(row for _, row in sorted(rows, key=lambda pair: pair[0], reverse=True))
