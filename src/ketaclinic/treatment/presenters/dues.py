"""What is due next, as one number, one line and one action; the same for board, wall and session screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils import timezone

from ketacore.evidence import Decision
from ketacore.treatment.due import Due, DueState, What

_SHORT = {
    What.BLOOD_PRESSURE: "Blood pressure",
    What.SEDATION: "sedation",
    What.SATURATION: "SpO₂",
}
_CHECKS = (What.BLOOD_PRESSURE, What.SEDATION, What.SATURATION)


@dataclass(frozen=True, slots=True)
class Next:
    """The one thing to do next: a number or a word, what it is, when, and how it should look.

    ``tone`` is empty (later), ``now``, ``late``, ``urgent`` or ``open`` (things still open, no time).
    ``number`` may be empty; then ``word`` stands in its place.
    """

    tone: str
    number: str
    unit: str
    word: str
    title: str
    detail: str
    short: str
    due_at: datetime | None = None
    action: str = ""
    target: str = ""
    place: str = ""


def clock(moment: datetime) -> str:
    """Return the clinic's wall-clock time of a moment: ``9:05``."""
    local = timezone.localtime(moment)
    return f"{local.hour}:{local:%M}"


def grouped(dues: Sequence[Due]) -> list[tuple[Due, ...]]:
    """Return what is due, things of the same moment together."""
    ordered = sorted(dues, key=lambda d: d.due_at)
    return [tuple(group) for _, group in groupby(ordered, key=lambda d: d.due_at)]


def next_due(dues: Sequence[Due], at: datetime) -> Next | None:
    """Return the soonest thing to do among what is due, or ``None``.

    Waiting for the earliest way out or the end of an infusion comes last: it is shown only when nothing else waits.
    """
    doing = [d for d in dues if d.what not in (What.LEAVE, What.INFUSION_END)] or list(dues)
    if not doing:
        return None
    late = [d for d in doing if d.state(at) is DueState.OVERDUE]
    group = grouped(late or doing)[0]
    first = group[0]
    state = first.state(at)
    left = first.minutes_left(at)
    waiting = [d for d in doing if d not in group and (d in late or d.minutes_left(at) <= 0)]
    later = [clock(g[0].due_at) for g in grouped([d for d in doing if d.due_at > first.due_at and d not in waiting])]
    detail = _window(first) + (f", then {', '.join(later[:2])}" if later else "")
    shared: dict[str, Any] = {
        "title": _title(group),
        "short": _words(group) + (f", {len(waiting)} more" if waiting else ""),
        "place": "" if waiting or state is DueState.OVERDUE or first.what is What.DEVICE else _place(first),
        "due_at": first.due_at,
        "action": "Give the device" if first.what is What.DEVICE else "Measure now" if first.what in _CHECKS else "",
        "target": "#dosing" if first.what is What.DEVICE else "#systolic" if first.what in _CHECKS else "",
    }
    if state is DueState.OVERDUE:
        told = _with_the_rest(f"was due {clock(first.due_at)}", waiting)
        return Next("late", str(max(-left, 0)), "min", "", detail=told, **shared)
    if left <= 0:
        return Next("now", "", "", "Now", detail=_with_the_rest(detail, waiting), **shared)
    return Next("", str(left), "min", "", detail=detail, **shared)


def _with_the_rest(told: str, waiting: Sequence[Due]) -> str:
    """Add what waits beside the one thing that is shown: a device must not vanish behind a late reading."""
    return f"{told}. Also waiting: {_words(waiting)}" if waiting else told


def still_open(decision: Decision) -> Next:
    """Return how many conditions of the leave gate are still open, as the one number."""
    unmet = [f for f in decision.findings if f.stops]
    total = len([f for f in decision.findings if f.rule.effect.stops])
    if not unmet:
        return Next(
            "now", "", "", "Ready", "May go home", "every condition is met", "May go home", None, "Release", "#leaving"
        )
    first = ", ".join(f.rule.title for f in unmet[:2])
    more = f" and {len(unmet) - 2} more" if len(unmet) > 2 else ""
    return Next(
        "open",
        str(len(unmet)),
        f"of {total} open",
        "",
        "Before leaving",
        f"{first}{more}",
        "Before leaving",
        None,
        "What is open",
        "#leaving",
    )


def _window(due: Due) -> str:
    if due.closes_at is None or due.opens_at == due.closes_at:
        return f"at {clock(due.due_at)}"
    if due.opens_at >= due.due_at and due.closes_at <= due.due_at:
        return f"at {clock(due.due_at)}"
    if due.what is What.SATURATION:
        return f"by {clock(due.due_at)}"
    return f"at {clock(due.due_at)} ({clock(due.opens_at)} to {clock(due.closes_at)})"


def _title(group: Sequence[Due]) -> str:
    pressure = next((d for d in group if d.what is What.BLOOD_PRESSURE), None)
    if pressure is not None:
        others = [_SHORT[d.what] for d in group if d is not pressure and d.what in _SHORT]
        name, _, place = pressure.title.partition(",")
        together = " and ".join(filter(None, [", ".join([name, *others[:-1]]), *others[-1:]]))
        return f"{together},{place}" if place else together
    return group[0].title


def _place(due: Due) -> str:
    """Return where the point stands on the grid: ``40 min after the last device``."""
    return due.title.partition(", ")[2]


def _words(group: Sequence[Due]) -> str:
    names = [_SHORT.get(d.what, d.title) for d in group]
    line = ", ".join(dict.fromkeys(names))
    return line[:1].upper() + line[1:]
