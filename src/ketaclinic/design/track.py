"""The track: one session on one line, the same on board, wall and session screen.

All positions are minutes from the start of the track; the geometry is worked out here and drawn from attributes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ketaclinic.design.shapes import Shape, circle, horizontal, path, rect, vertical

WIDTH, INSET = 262.0, 6.0
_Y = 20.0


@dataclass(frozen=True, slots=True)
class Check:
    """A check that falls due: ``state`` is ``later``, ``next`` or ``late``."""

    minute: float
    state: str = "later"


@dataclass(frozen=True, slots=True)
class Track:
    """What the track shows, in minutes from its start.

    ``doses`` were given; ``dose_due`` is the next device; ``infusion`` is (start, end so far, planned end);
    ``gate`` is the earliest moment to leave and ``gate_passed`` says whether it lies behind.
    """

    span: float
    now: float | None = None
    doses: tuple[float, ...] = ()
    dose_due: float | None = None
    infusion: tuple[float, float, float] | None = None
    checks: tuple[Check, ...] = ()
    gate: float | None = None
    gate_passed: bool = False
    words: str = "Session track"

    def x(self, minute: float) -> float:
        """Return the horizontal place of a minute, kept inside the track."""
        share = min(max(minute / self.span, 0.0), 1.0) if self.span > 0 else 0.0
        return round(INSET + share * (WIDTH - 2 * INSET), 1)

    def drawn(self) -> tuple[Shape, ...]:
        """Return the shapes from back to front."""
        shapes = [horizontal("rail", INSET, WIDTH - INSET, _Y)]
        if self.now is not None:
            shapes.append(_run("gone", INSET, self.x(self.now)))
        shapes += self._infusion()
        shapes += [vertical("dose", self.x(m), 9.2, 31.2) for m in self.doses]
        if self.dose_due is not None:
            shapes.append(rect("dose-due", self.x(self.dose_due) - 3.5, 9.2, 7, 22, 3.5))
        shapes += [self._check(c) for c in self.checks]
        if self.gate is not None:
            x, css = self.x(self.gate), "gate passed" if self.gate_passed else "gate"
            shapes += [vertical(css, x - 2.5, 8, 32), vertical(css, x + 2.5, 8, 32)]
        if self.now is not None:
            x = self.x(self.now)
            shapes += [vertical("now", x, 12.2, 28.2), path("nowh", f"M{x - 5.5:.1f} 5.7h11l-5.5 7.5z")]
        return tuple(shapes)

    def _infusion(self) -> list[Shape]:
        if self.infusion is None:
            return []
        start, so_far, planned = self.infusion
        drawn = [_run("infused", self.x(start), self.x(so_far))]
        if planned > so_far:
            drawn.insert(0, _run("infusing", self.x(so_far), self.x(planned)))
        return drawn

    def _check(self, check: Check) -> Shape:
        x = self.x(check.minute)
        if check.state == "late":
            return path("late", f"M{x:.1f} 13l7 13h-14z")
        return circle(f"check {check.state}", x, _Y, 5 if check.state == "next" else 4)


def _run(css: str, start: float, end: float) -> Shape:
    return horizontal(css, start, max(end, start + 0.1), _Y)
