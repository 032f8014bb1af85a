"""Bands over time, drawn by the server: what models expect, as wide as they disagree, never one line as the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from django.utils.safestring import SafeString

from ketaclinic.design.shapes import Shape, drawing, horizontal, path, polyline, text, vertical

WIDTH, HEIGHT = 720, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 706.0, 26.0, 196.0
_TICKS = 4
_STEPS = (1, 2, 5, 10)
_NAMED_AT = 0.75
Points = Sequence[float]


@dataclass(frozen=True, slots=True)
class Band:
    """What is expected of one quantity at ``minutes``: from ``low`` to ``high``; ``css`` tells bands apart.

    ``middle`` is the line the band lies around, where there is one; it is not drawn.
    """

    name: str
    minutes: Points
    low: Points
    high: Points
    css: str = ""
    middle: Points = ()

    def at(self, minute: float) -> tuple[float, float]:
        """Return what is expected at the drawn moment nearest to ``minute``."""
        nearest = min(range(len(self.minutes)), key=lambda n: abs(self.minutes[n] - minute))
        return self.low[nearest], self.high[nearest]

    @property
    def top_min(self) -> float:
        """Return the minute at which the middle is highest, or the upper edge where there is no middle."""
        line = self.middle or self.high
        return self.minutes[max(range(len(line)), key=lambda n: line[n])]

    @property
    def peak(self) -> tuple[float, float]:
        """Return the highest value of the lower and of the upper edge."""
        return max(self.low), max(self.high)


@dataclass(frozen=True, slots=True)
class Panel:
    """A drawn panel, the words for those who do not see it, and the weakest grade of what it rests on."""

    title: str
    unit: str
    shapes: SafeString
    words: str
    grade: str = ""
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Scale:
    """How a panel's time is counted: the unit of its axis in minutes, its word, the last minute shown."""

    per: float
    word: str
    until: float

    def x(self, minute: float) -> float:
        """Return where a minute stands."""
        return _LEFT + (_RIGHT - _LEFT) * min(max(minute / self.until, 0.0), 1.0)


def hours(until_min: float) -> Scale:
    """Return an axis in hours."""
    return Scale(60.0, "h", until_min)


def days(until_min: float) -> Scale:
    """Return an axis in days."""
    return Scale(24 * 60.0, "days", until_min)


def panel(
    title: str,
    unit: str,
    bands: Sequence[Band],
    scale: Scale,
    words: str,
    *,
    marked: float | None = None,
    top: float = 0,
    grade: str = "",
) -> Panel:
    """Return the bands over time, each from back to front; ``marked`` is a minute a line stands at."""
    highest = max([top, *(value for band in bands for value in band.high)]) or 1.0
    step = _step(highest / _TICKS)
    end = step * max(1, -(-highest // step))
    shapes = _grid(step, end, unit)
    drawn = [_drawn(band, scale, end) for band in bands]
    shapes += [fill for fill, _ in drawn] + [edge for _, edges in drawn for edge in edges]  # no band hides an edge
    shapes += _names(bands, scale, end) if len(bands) > 1 else []
    shapes += _times(scale)
    if marked is not None:
        shapes.append(vertical("g-nowl", scale.x(marked), _TOP - 6, _BOTTOM))
    return Panel(title, unit, drawing(shapes), words, grade)


def _step(rough: float) -> float:
    """Return a step of 1, 2 or 5 times a power of ten, not below ``rough``."""
    power = 10.0 ** int(log10(rough) // 1)
    return next(power * step for step in _STEPS if power * step >= rough * 0.999)


def _y(value: float, end: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * min(max(value / end, 0.0), 1.0)


def _grid(step: float, end: float, unit: str) -> list[Shape]:
    shapes = [text("g-t", _LEFT - 44, _TOP - 12, unit)]
    for n in range(round(end / step) + 1):
        y = _y(n * step, end)
        shapes += [
            horizontal("g-axis" if n == 0 else "g-grid", _LEFT, _RIGHT, y),
            text("g-t end", _LEFT - 8, y + 4, f"{n * step:g}"),
        ]
    return shapes


def _drawn(band: Band, scale: Scale, end: float) -> tuple[Shape, list[Shape]]:
    """Return the area of a band, and its two edges."""
    upper = [(scale.x(t), _y(v, end)) for t, v in zip(band.minutes, band.high, strict=True)]
    lower = [(scale.x(t), _y(v, end)) for t, v in zip(band.minutes, band.low, strict=True)]
    around = "L".join(f"{x:.1f} {y:.1f}" for x, y in [*upper, *reversed(lower)])
    edges = [polyline(f"g-edge {band.css}".strip(), line) for line in (upper, lower)]
    return path(f"g-expect {band.css}".strip(), f"M{around}Z"), edges


def _names(bands: Sequence[Band], scale: Scale, end: float) -> list[Shape]:
    """Return each band's name beside its upper edge, where that has come down to a part of its height."""
    shapes = []
    for band in bands:
        n = next((n for n in _after_top(band) if band.high[n] < _NAMED_AT * max(band.high)), len(band.high) - 1)
        x, y = min(scale.x(band.minutes[n]) + 6, _RIGHT - 110), _y(band.high[n], end) - 6
        shapes.append(text(f"g-edget {band.css}".strip(), x, max(y, 12), band.name))
    return shapes


def _after_top(band: Band) -> range:
    return range(max(range(len(band.high)), key=lambda n: band.high[n]), len(band.high))


def _times(scale: Scale) -> list[Shape]:
    count = scale.until / scale.per
    step = _step(count / 8)
    return [
        text(
            "g-t mid", scale.x(n * step * scale.per), _BOTTOM + 18, f"{n * step:g}{f' {scale.word}' if n == 0 else ''}"
        )
        for n in range(int(count / step + 1e-9) + 1)
    ]
