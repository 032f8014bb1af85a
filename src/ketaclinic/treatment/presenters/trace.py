"""The anaesthesia record of a session: one time axis with doses, measured values, checks due and the leave gate.

Only what was measured is drawn in ink, and nothing is interpolated beyond a line between neighbouring readings. What
models expect stands behind it as a band in sand, labelled, dashed where it lies ahead. Limits appear only where the
clinic's signed policy gives them effect.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.safestring import SafeString

from ketaclinic.design.shapes import Shape, circle, drawing, horizontal, path, polyline, rect, text, vertical
from ketaclinic.pkpd.presenters.courses import NoCourse
from ketaclinic.treatment.presenters import expected
from ketaclinic.treatment.presenters.dues import clock
from ketaclinic.treatment.presenters.expected import Course
from ketacore.evidence import Setting
from ketacore.treatment.course import Flow, devices_planned, flows, infusion_ends_at, pressures, readings
from ketacore.treatment.events import DeviceGiven, Discharged, Stopped
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import leave_not_before
from ketacore.treatment.rules import DEVICE, RULES, stands

WIDTH, HEIGHT = 756, 326
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 740.0, 78.0, 268.0
_SCALE = _LEFT - 8
_SAT_TOP, _SAT_BOTTOM, _LANES = 30.0, 64.0, 71.0
_CHECKS_Y, _TIMES_Y = 290.0, 318.0
_EXPECTED_TOP = 150.0
"""Up to here the expected band rises: the readings above it stay free."""
_MIN_SPAN = timedelta(minutes=150)
AXIS_LOW, AXIS_HIGH = 50, 170
"""The range of pressures and rates that is always drawn; a value outside it widens the axis."""
SATURATION_LOW = 90
"""The lowest saturation that is always drawn."""
SILENCE = timedelta(minutes=45)
"""No line is drawn across a longer silence: nobody knows what was in between. Policy: just above the widest interval
of the observation grid."""


@dataclass(frozen=True, slots=True)
class DueMark:
    """A check of the observation grid: due at, its window, whether it is the next one."""

    at: datetime
    opens: datetime | None = None
    closes: datetime | None = None
    next: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """The picture and what a screen reader says instead of it."""

    shapes: SafeString
    words: str
    newest: int = 100
    """Where the newest moment stands, in hundredths of the width: what a narrow screen shows first."""
    width: int = WIDTH
    height: int = HEIGHT
    late: bool = False
    """Whether something on it was entered late."""
    expects: str = ""
    """What the band of expected concentrations spans; empty where none is drawn."""
    rises: str = ""
    """The expected rise of pressure, in words."""
    expects_nothing: str = ""
    """Why no band is drawn although something was given."""
    notes: tuple[str, ...] = ()
    """What to know about the band."""


@dataclass(frozen=True, slots=True)
class _Axes:
    start: datetime
    end: datetime
    low: float
    high: float
    sat_low: float

    def x(self, moment: datetime) -> float:
        share = (moment - self.start) / (self.end - self.start)
        return _LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _BOTTOM - (_BOTTOM - _TOP) * min(max(share, 0.0), 1.0)

    def sat_y(self, percent: float) -> float:
        share = (percent - self.sat_low) / (100.0 - self.sat_low)
        return _SAT_BOTTOM - (_SAT_BOTTOM - _SAT_TOP) * min(max(share, 0.0), 1.0)


def trace(
    facts: SessionFacts,
    setting: Setting,
    at: datetime,
    dues: Sequence[DueMark] = (),
    opened_at: datetime | None = None,
    late: Container[str] = (),
    course: Course | NoCourse | None = None,
) -> Trace:
    """Return the drawn record of one session at a moment; a closed session stands still at its end.

    ``late`` are the keys of the entries that were written down after the fact: their checks are ringed. ``course`` is
    what models expect of the doses given.
    """
    ended = closed_at(facts)
    at, dues = (ended, ()) if ended is not None else (at, dues)
    course, unasked = (None, course.because) if isinstance(course, NoCourse) else (course, "")
    gate = leave_not_before(facts)
    axes = _axes(facts, at, dues, gate, opened_at, closed=ended is not None)
    shapes: list[Shape] = []
    shapes += _future(axes, at) if ended is None else []
    shapes += _expected(axes, facts, course, at) if course else []
    shapes += _grid(axes)
    shapes += _limits(axes, facts, setting, at, gate)
    shapes += _saturation(axes, facts)
    shapes += _doses(axes, facts, at)
    shapes += _heart(axes, facts)
    shapes += _pressures(axes, facts)
    shapes += _gate(axes, gate)
    shapes += _checks(axes, facts, dues, late)
    shapes += _times(axes, at)
    shapes += _now(axes, at)
    entered = any(e.key in late for e in facts.events)
    told = "; ".join([words(facts, at, gate, late), *([course.words()] if course else [])])
    return Trace(
        drawing(shapes),
        told,
        round(100 * axes.x(at) / WIDTH),
        late=entered,
        expects=course.band_words() if course else "",
        rises=course.pressure_words() if course else "",
        expects_nothing=unasked,
        notes=course.found.notes if course else (),
    )


def closed_at(facts: SessionFacts) -> datetime | None:
    """Return when the patient left or the session was stopped, ``None`` while it is open."""
    ends = [e.at for e in facts.events if isinstance(e.what, Discharged | Stopped)]
    return ends[-1] if ends else None


def words(facts: SessionFacts, at: datetime, gate: datetime | None, late: Container[str] = ()) -> str:
    """Return the record as a sentence, for those who do not see the picture."""
    parts = [f"Session trace at {clock(at)}"]
    given = facts.of(DeviceGiven)
    if given:
        parts.append(f"{len(given)} devices, at {', '.join(clock(e.at) for e, _ in given)}")
    for flow in flows(facts)[:1]:
        parts.append(f"infusion from {clock(flow.since)}")
    taken = pressures(facts)
    if taken:
        parts.append("blood pressure " + ", ".join(f"{p.value} at {clock(p.at)}" for p in taken))
    for name, label in (("heart_rate", "heart rate"), ("oxygen_saturation", "SpO2")):
        values = readings(facts, name)
        if values:
            parts.append(f"last {label} {values[-1].value:g} at {clock(values[-1].at)}")
    if gate is not None:
        parts.append(f"may not leave before {clock(gate)}")
    entered = [clock(e.at) for e in facts.events if e.key in late]
    if entered:
        parts.append(f"entered late: what stands at {', '.join(dict.fromkeys(entered))}")
    return "; ".join(parts)


def _axes(
    facts: SessionFacts,
    at: datetime,
    dues: Sequence[DueMark],
    gate: datetime | None,
    opened_at: datetime | None,
    *,
    closed: bool,
) -> _Axes:
    moments = [e.at for e in facts.events] + [at] + ([opened_at] if opened_at else [])
    start = min(moments) - timedelta(minutes=5)
    ahead = [d.at for d in dues] + ([gate] if gate else []) + ([] if closed else [at + timedelta(minutes=15)])
    end = max([*ahead, *moments, start + _MIN_SPAN]) + timedelta(minutes=10)
    values = [v for p in pressures(facts) for v in (p.value.systolic, p.value.diastolic)]
    values += [int(r.value) for r in readings(facts, "heart_rate")]
    saturations = [r.value for r in readings(facts, "oxygen_saturation")]
    return _Axes(
        start=start,
        end=end,
        low=min([float(AXIS_LOW), *(v - 10.0 for v in values)]),
        high=max([float(AXIS_HIGH), *(v + 12.0 for v in values)]),
        sat_low=min([float(SATURATION_LOW), *(max(0.0, (s - 2) // 5 * 5) for s in saturations)]),
    )


def _expected(axes: _Axes, facts: SessionFacts, course: Course, at: datetime) -> list[Shape]:
    shapes = expected.drawn(course, at, axes.end, axes.x, _BOTTOM, _EXPECTED_TOP)
    before = [p.value.systolic for p in pressures(facts) if p.at <= course.since]
    return shapes + (expected.pressure_box(course, before[-1], at, axes.x, axes.y) if before else [])


def _future(axes: _Axes, at: datetime) -> list[Shape]:
    x = axes.x(at)
    return [rect("g-future", x, 24, _RIGHT - x, _BOTTOM - 24)]


def _grid(axes: _Axes) -> list[Shape]:
    shapes: list[Shape] = []
    step = 20 if axes.high - axes.low <= 160 else 40
    value = int(axes.low // step + 1) * step
    while axes.y(value) > _TOP + 6:
        y = axes.y(value)
        shapes += [horizontal("g-grid", _LEFT, _RIGHT, y), text("g-t end", _SCALE, y + 4, str(value))]
        value += step
    shapes.append(text("g-t end", _SCALE, axes.sat_y(100) + 4, "100 %"))
    shapes.append(text("g-t end", _SCALE, axes.sat_y(axes.sat_low) + 3, f"{axes.sat_low:g} %"))
    shapes.append(horizontal("g-axis", _LEFT, _RIGHT, _LANES))
    return shapes


_Span = tuple[float, float]
_BELOW = 18
"""How far below its point the words of a crowded last point stand."""
_PER_LETTER = 5.8
"""Width of a letter of the small labels, rounded up."""


def _limits(axes: _Axes, facts: SessionFacts, setting: Setting, at: datetime, gate: datetime | None) -> list[Shape]:
    shapes: list[Shape] = []
    upright = _upright(axes, facts, at, gate)
    for rule_id in ("IVK-MON-04-BP-SOFT", "IVK-MON-04-BP-HARD"):
        value = RULES[rule_id].number("systolic_from_mmhg")
        if not stands(rule_id, setting) or value > axes.high:
            continue
        y = axes.y(value)
        shapes += _limit(y, y - 4, f"clinic limit {value:g}", [*upright, *_bars_at(axes, facts, y)])
    if stands("IVK-MON-04-SPO2-SOFT", setting):
        value = RULES["IVK-MON-04-SPO2-SOFT"].number("below_percent")
        y = axes.sat_y(value)
        points = [(axes.x(r.at), axes.sat_y(r.value)) for r in readings(facts, "oxygen_saturation")]
        taken = [(x - 6, x + 6) for x, at_y in points if y - 4 < at_y < y + 20]
        taken += [_label_span(x) for x, at_y in points[-1:] if y - _BELOW - 4 < at_y < y + 20]
        shapes += _limit(y, y + 11, f"clinic limit {value:g} %", [*upright, *taken])
    return shapes


def _upright(axes: _Axes, facts: SessionFacts, at: datetime, gate: datetime | None) -> list[_Span]:
    """Return what the upright lines take of the width."""
    moments = [at, *(e.at for e, _ in facts.of(DeviceGiven)), *([gate] if gate is not None else [])]
    return [(axes.x(moment) - 6, axes.x(moment) + 6) for moment in moments]


def _bars_at(axes: _Axes, facts: SessionFacts, y: float) -> list[_Span]:
    """Return what the pressures, with the words above them, take of the width just above a height."""
    return [
        (axes.x(p.at) - 32, axes.x(p.at) + 32)
        for p in pressures(facts)
        if axes.y(p.value.systolic) - 26 < y < axes.y(p.value.diastolic) + 18
    ]


def _limit(y: float, words_y: float, label: str, taken: Sequence[_Span]) -> list[Shape]:
    """Return a limit with its words as far right as nothing crosses them; without such a place, at the edge."""
    width = _PER_LETTER * len(label)
    places = [_RIGHT - 4 - step for step in range(0, int(_RIGHT - _LEFT - width - 4), 4)]
    free = (end for end in places if all(end < left or end - width > right for left, right in taken))
    return [horizontal("g-lim", _LEFT, _RIGHT, y), text("g-t end", next(free, _RIGHT - 4), words_y, label)]


def _saturation(axes: _Axes, facts: SessionFacts) -> list[Shape]:
    values = readings(facts, "oxygen_saturation")
    points = [(axes.x(r.at), axes.sat_y(r.value)) for r in values]
    label = f"SpO₂ {values[-1].value:g} %" if values else ""
    return _series(points, [r.at for r in values], "g-ink", "g-dot", "g-value", label)


def _heart(axes: _Axes, facts: SessionFacts) -> list[Shape]:
    values = readings(facts, "heart_rate")
    points = [(axes.x(r.at), axes.y(r.value)) for r in values]
    label = f"Heart rate {values[-1].value:g}" if values else ""
    return _series(points, [r.at for r in values], "g-acc", "g-accf", "g-acct", label)


def _series(
    points: Sequence[_Span], moments: Sequence[datetime], line: str, dot: str, label: str, words: str
) -> list[Shape]:
    if not points:
        return []
    shapes = [polyline(line, run) for run in unbroken(points, moments) if len(run) > 1]
    shapes += [circle(dot, x, y, 3) for x, y in points]
    x, y = points[-1]
    crowded = _crowded(x)
    shapes.append(
        text(f"{label} end" if crowded else label, x - 10 if crowded else x + 10, y + (_BELOW if crowded else 4), words)
    )
    return shapes


def _crowded(x: float) -> bool:
    """Return whether the words of a last point have no room to its right: then they stand below, to its left."""
    return x > _RIGHT - 96


def _label_span(x: float) -> _Span:
    """Return what a last point with its words takes of the width."""
    return (x - 100, x + 6) if _crowded(x) else (x - 6, x + 100)


def unbroken(points: Sequence[_Span], moments: Sequence[datetime]) -> list[list[_Span]]:
    """Return the points in runs without a long silence between neighbours: a gap stays a gap."""
    runs: list[list[_Span]] = []
    for number, point in enumerate(points):
        if number == 0 or moments[number] - moments[number - 1] > SILENCE:
            runs.append([])
        runs[-1].append(point)
    return runs


def _pressures(axes: _Axes, facts: SessionFacts) -> list[Shape]:
    shapes: list[Shape] = []
    labelled: list[float] = []
    for p in reversed(pressures(facts)):
        x, top, foot = axes.x(p.at), axes.y(p.value.systolic), axes.y(p.value.diastolic)
        shapes.append(vertical("g-ink heavy", x, top, foot))
        shapes.append(path("g-ink heavy", f"M{x - 6:.1f} {top - 5:.1f}l6 6 6-6M{x - 6:.1f} {foot + 5:.1f}l6-6 6 6"))
        if all(abs(x - other) >= 50 for other in labelled):
            labelled.append(x)
            shapes.append(text("g-value mid", x, top - 10, str(p.value)))
    return shapes


def _doses(axes: _Axes, facts: SessionFacts, at: datetime) -> list[Shape]:
    shapes: list[Shape] = []
    devices = facts.of(DeviceGiven)
    for event, device in devices:
        x = axes.x(event.at)
        shapes += [
            vertical("g-acc thin", x, 24, _BOTTOM),
            circle("g-accf", x, 14, 9.5),
            text("g-onacc mid", x, 18, str(device.number)),
        ]
    if devices:
        planned = devices_planned(facts)
        count = f"{len(devices)} of {planned}" if planned and len(devices) < planned else f"{len(devices)}"
        label = f"{count} × {DEVICE.number('device_mg'):g} mg"
        shapes.append(text("g-acct", axes.x(devices[-1][0].at) + 15, 18, label))
    for flow in flows(facts):
        shapes += _flow(axes, facts, flow, at)
    return shapes


def _flow(axes: _Axes, facts: SessionFacts, flow: Flow, at: datetime) -> list[Shape]:
    x1, x2 = axes.x(flow.since), axes.x(flow.until or at)
    shapes = [rect("g-bar", x1, 8, max(x2 - x1, 2), 12, 6)]
    ends = infusion_ends_at(facts, at) if flow.until is None else None
    if ends is not None and ends > at:
        x3 = axes.x(ends)
        shapes.insert(0, rect("g-bar-rest", x1, 8, max(x3 - x1, 2), 12, 6))
        x2 = x3
    shapes.append(text("g-acct", x2 + 8, 18, f"{flow.mg_per_min:.3g} mg/min"))
    return shapes


def _gate(axes: _Axes, gate: datetime | None) -> list[Shape]:
    if gate is None:
        return []
    x = axes.x(gate)
    return [
        vertical("g-gate", x - 2.5, 24, 298),
        vertical("g-gate", x + 2.5, 24, 298),
        text("g-ts mid", x, 18, clock(gate)),
    ]


def _checks(axes: _Axes, facts: SessionFacts, dues: Iterable[DueMark], late: Container[str]) -> list[Shape]:
    shapes = [horizontal("g-axis", _LEFT, _RIGHT, _CHECKS_Y), text("g-t end", _SCALE, _CHECKS_Y + 4, "BP")]
    shapes += [circle("g-dot", axes.x(p.at), _CHECKS_Y, 5.5) for p in pressures(facts)]
    entered = dict.fromkeys(e.at for e in facts.events if e.key in late)
    shapes += [circle("g-late", axes.x(moment), _CHECKS_Y, 8.5) for moment in entered]
    for due in dues:
        x = axes.x(due.at)
        if due.next and due.opens and due.closes:
            left, right = axes.x(due.opens), axes.x(due.closes)
            shapes.append(rect("g-window", left, _CHECKS_Y - 9, max(right - left, 18), 18, 9))
        shapes.append(circle("g-due next" if due.next else "g-due", x, _CHECKS_Y, 5.5))
    return shapes


def _times(axes: _Axes, at: datetime) -> list[Shape]:
    span = axes.end - axes.start
    step = 15 if span <= timedelta(minutes=190) else 30 if span <= timedelta(minutes=420) else 60
    local = timezone.localtime(axes.start).replace(second=0, microsecond=0)
    moment = local + timedelta(minutes=step - local.minute % step)
    shapes: list[Shape] = []
    while moment < axes.end - timedelta(minutes=step / 5):
        x = axes.x(moment)
        if abs(x - axes.x(at)) > 40:
            shapes.append(text("g-t mid", x, _TIMES_Y, clock(moment)))
        moment += timedelta(minutes=step)
    return shapes


def _now(axes: _Axes, at: datetime) -> list[Shape]:
    x = axes.x(at)
    return [
        vertical("g-nowl", x, 24, 302),
        rect("g-now", x - 26, _TIMES_Y - 15, 52, 20, 10),
        text("g-nowt mid", x, _TIMES_Y - 1, clock(at)),
    ]
