"""What is due, and when: devices, readings of the observation grid, saturation, the earliest way out.

``checks`` gives every point of the session, done or not, for the time axis; ``what_is_due`` only what still waits.
Nothing here looks at an earlier session: history never thins the grid (SPR-MON-06).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from ketacore.evidence import Rule, Setting
from ketacore.treatment.course import (
    devices_planned,
    dosing_over_at,
    first_dose_at,
    infusion_ends_at,
    minutes_between,
    newest,
    pressures,
    readings,
)
from ketacore.treatment.events import DeviceGiven, Dissociation, Sedation
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import Phase, leave_not_before, phase
from ketacore.treatment.rules import DEVICE, RULES, stands


class DueState(StrEnum):
    """Where one point stands at a moment."""

    DONE = "done"
    LATER = "later"
    NOW = "now"
    OVERDUE = "overdue"
    MISSED = "missed"


class What(StrEnum):
    """What has to be done."""

    DEVICE = "device"
    BLOOD_PRESSURE = "blood_pressure"
    SEDATION = "sedation"
    SATURATION = "saturation"
    INFUSION_END = "infusion_end"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to do: from ``opens_at``, best at ``due_at``, overdue after ``closes_at`` (``None``: never).

    ``lost_at`` is when the next point of the grid takes its place; ``late`` tells that it was done after its window.
    """

    what: What
    title: str
    due_at: datetime
    opens_at: datetime
    closes_at: datetime | None
    rule: Rule
    lost_at: datetime | None = None
    done_at: datetime | None = None

    @property
    def late(self) -> bool:
        """Whether it was done, but after its window."""
        return self.done_at is not None and self.closes_at is not None and self.done_at > self.closes_at

    def state(self, at: datetime) -> DueState:
        """Return where this point stands at ``at``."""
        if self.done_at is not None:
            return DueState.DONE
        if self.lost_at is not None and at >= self.lost_at:
            return DueState.MISSED
        if self.closes_at is not None and at > self.closes_at:
            return DueState.OVERDUE
        return DueState.NOW if at >= self.opens_at else DueState.LATER

    def overdue(self, at: datetime) -> bool:
        """Return whether it should have been done by now."""
        return self.state(at) is DueState.OVERDUE

    def minutes_left(self, at: datetime) -> int:
        """Return whole minutes until it is due; negative when the moment has passed."""
        return minutes_between(at, self.due_at) if self.due_at >= at else -minutes_between(self.due_at, at)


_IN_CARE = (Phase.DOSING, Phase.INFUSION, Phase.OBSERVATION, Phase.LEAVING)


def what_is_due(facts: SessionFacts, at: datetime, setting: Setting) -> tuple[Due, ...]:
    """Return what still waits at ``at``, soonest first; a point whose place the next one has taken is not among it."""
    gone = (DueState.DONE, DueState.MISSED)
    return tuple(d for d in checks(facts, at, setting) if d.state(at) not in gone)


def checks(facts: SessionFacts, at: datetime, setting: Setting) -> tuple[Due, ...]:
    """Return every point of a session that has begun, done or not, by time."""
    if phase(facts, at) not in _IN_CARE:
        return ()
    points = [
        *_devices(facts),
        *_grid(facts, at, setting),
        *_saturation(facts, at, setting),
        *_infusion_end(facts, at),
        *_leave(facts, at),
    ]
    return tuple(sorted(points, key=lambda d: d.due_at))


def _devices(facts: SessionFacts) -> Iterable[Due]:
    """Yield the devices of the plan: the next ones five minutes after the one before."""
    rest = timedelta(minutes=DEVICE.number("rest_min"))
    given = [event.at for event, _ in facts.of(DeviceGiven)]
    planned = devices_planned(facts) or 0
    over = dosing_over_at(facts) is not None
    for number in range(1, max(planned, len(given)) + 1):
        title = f"Device {number} of {planned}"
        if number <= len(given):
            done = given[number - 1]
            yield Due(What.DEVICE, title, done, done, None, DEVICE, done_at=done)
        elif not over and given:
            due = given[-1] + rest * (number - len(given))
            yield Due(What.DEVICE, title, due, due, None, DEVICE)


def dosing_ends(facts: SessionFacts, at: datetime) -> datetime | None:
    """Return when drug last goes in: known once dosing is over, otherwise as it will be if nothing delays it."""
    over = dosing_over_at(facts)
    if over is not None:
        return over
    given = [event.at for event, _ in facts.of(DeviceGiven)]
    planned = devices_planned(facts)
    if given and planned is not None:
        return given[-1] + timedelta(minutes=DEVICE.number("rest_min")) * (planned - len(given))
    start = first_dose_at(facts)
    minutes = facts.infusion_min.value
    return infusion_ends_at(facts, at) or (start + timedelta(minutes=minutes) if start and minutes else None)


def _grid(facts: SessionFacts, at: datetime, setting: Setting) -> list[Due]:
    points = _nasal_grid(facts, at, setting) if facts.nasal else _infusion_grid(facts, at, setting)
    points = [replace(point, lost_at=following.opens_at) for point, following in pairwise(points)] + points[-1:]
    taken = [p.at for p in pressures(facts)]
    watched = [e.at for e in facts.events if isinstance(e.what, Sedation | Dissociation)]
    return [
        *(_done(p, taken) for p in points),
        *(_done(replace(p, what=What.SEDATION, title=_sedation_title(p.title)), watched) for p in points),
    ]


def _sedation_title(title: str) -> str:
    return title.replace("Blood pressure", "Sedation and dissociation").replace(" and heart rate", "")


def _done(point: Due, times: Iterable[datetime]) -> Due:
    """Return the point with the first time that falls on it, if any."""
    for moment in times:
        if moment >= point.opens_at and (point.lost_at is None or moment < point.lost_at):
            return replace(point, done_at=moment)
    return point


def _nasal_grid(facts: SessionFacts, at: datetime, setting: Setting) -> list[Due]:
    end = dosing_ends(facts, at)
    if end is None:
        return []
    first = _forty_minutes(end, setting)
    if not stands("SPR-MON-08", setting):
        return [first]
    rule = RULES["SPR-MON-08"]
    near = timedelta(minutes=rule.number("early_min"))
    points = [first]
    for minute in rule.words("grid_min")[1:]:
        due = end + timedelta(minutes=int(minute))
        title = f"Blood pressure, {minute} min after the last device"
        points.append(Due(What.BLOOD_PRESSURE, title, due, due - near, due + near, rule))
    return points + _repeats(facts, points[-1], rule, at)


def _forty_minutes(end: datetime, setting: Setting) -> Due:
    title = "Blood pressure, 40 min after the last device"
    if not stands("DEC-10", setting):
        rule = RULES["SPR-MON-02"]
        due = end + timedelta(minutes=rule.number("recheck_min"))
        return Due(What.BLOOD_PRESSURE, title, due, due, None, rule)
    rule = RULES["DEC-10"]
    due, opens, closes = (end + timedelta(minutes=rule.number(n)) for n in ("due_min", "from_min", "until_min"))
    return Due(What.BLOOD_PRESSURE, title, due, opens, closes, rule)


def _infusion_grid(facts: SessionFacts, at: datetime, setting: Setting) -> list[Due]:
    start, end = first_dose_at(facts), dosing_ends(facts, at)
    if start is None or end is None or not stands("IVK-MON-01-D", setting):
        return []
    rule = RULES["IVK-MON-01-D"]
    step = int(rule.number("during_every_min"))
    during = [start + timedelta(minutes=m) for m in range(0, minutes_between(start, end) + 1, step)]
    after = [end + timedelta(minutes=int(m)) for m in rule.words("after_end_min")]
    early, late = timedelta(minutes=rule.number("early_min")), timedelta(minutes=rule.number("late_min"))
    points = [
        Due(
            What.BLOOD_PRESSURE,
            f"Blood pressure and heart rate, minute {minutes_between(start, due)}",
            due,
            due - early,
            due + late,
            rule,
        )
        for due in (*during, *after)
    ]
    return points + _repeats(facts, points[-1], rule, at)


def _repeats(facts: SessionFacts, last: Due, rule: Rule, at: datetime) -> list[Due]:
    """Return the repeats after the grid's last point, as many as have begun, and one more."""
    step = timedelta(minutes=rule.number("repeat_every_min"))
    near = last.due_at - last.opens_at
    found: list[Due] = []
    due = last.due_at + step
    while due - step <= at:
        found.append(Due(What.BLOOD_PRESSURE, "Blood pressure, until the patient may leave", due, due - near,
                         due + near, rule))  # fmt: skip
        due += step
    return found


def _saturation(facts: SessionFacts, at: datetime, setting: Setting) -> list[Due]:
    start = first_dose_at(facts)
    if start is None or not stands("DEC-13", setting):
        return []
    rule = RULES["DEC-13"]
    last = newest([start, *(r.at for r in readings(facts, "oxygen_saturation") if r.at <= at)]) or start
    due = last + timedelta(minutes=rule.number("max_gap_min"))
    return [Due(What.SATURATION, "Oxygen saturation", due, last, due, rule)]


def _infusion_end(facts: SessionFacts, at: datetime) -> list[Due]:
    ends = infusion_ends_at(facts, at)
    if ends is None:
        return []
    return [Due(What.INFUSION_END, "Infusion complete", ends, ends, None, RULES["IVK-MON-01-D"])]


def _leave(facts: SessionFacts, at: datetime) -> list[Due]:
    soonest = leave_not_before(facts)
    if soonest is None or at >= soonest:
        return []
    rule = RULES["SPR-MON-01" if facts.nasal else "DIS-05-TIME"]
    return [Due(What.LEAVE, "Earliest way out", soonest, soonest, None, rule)]
