"""The track: one session on one line, the same on board, wall and session screen.

All positions are minutes from the start of the track; the geometry is worked out here and drawn from attributes.
"""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT, INSET = 262.0, 36.0, 6.0
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

    def drawn(self) -> tuple[dict[str, str], ...]:
        """Return the shapes from back to front, as tag name and attributes."""
        shapes = [_line("rail", INSET, WIDTH - INSET)]
        if self.now is not None:
            shapes.append(_line("gone", INSET, self.x(self.now)))
        shapes += self._infusion() + [_stroke("dose", self.x(m), 9.2, 31.2) for m in self.doses]
        if self.dose_due is not None:
            x = self.x(self.dose_due)
            shapes.append(_shape("rect", "dose-due", x=x - 3.5, y=9.2, width=7, height=22, rx=3.5))
        shapes += [self._check(c) for c in self.checks]
        if self.gate is not None:
            x = self.x(self.gate)
            css = "gate passed" if self.gate_passed else "gate"
            shapes += [_stroke(css, x - 2.5, 8, 32), _stroke(css, x + 2.5, 8, 32)]
        if self.now is not None:
            x = self.x(self.now)
            head = f"M{x - 5.5:.1f} 5.7h11l-5.5 7.500z"
            shapes += [_stroke("now", x, 12.2, 28.2), {"tag": "path", "css": "nowh", "d": head}]
        return tuple(shapes)

    def _infusion(self) -> list[dict[str, str]]:
        if self.infusion is None:
            return []
        start, so_far, planned = self.infusion
        drawn = [_line("infused", self.x(start), self.x(so_far))]
        if planned > so_far:
            drawn.insert(0, _line("infusing", self.x(so_far), self.x(planned)))
        return drawn

    def _check(self, check: Check) -> dict[str, str]:
        x = self.x(check.minute)
        if check.state == "late":
            return {"tag": "path", "css": "late", "d": f"M{x:.1f} 13l7 13h-14z"}
        return _shape("circle", f"check {check.state}", cx=x, cy=_Y, r=5 if check.state == "next" else 4)


def _line(css: str, start: float, end: float) -> dict[str, str]:
    return {"tag": "path", "css": css, "d": f"M{start:.1f} {_Y:.1f}H{max(end, start + 0.1):.1f}"}


def _stroke(css: str, x: float, top: float, bottom: float) -> dict[str, str]:
    return {"tag": "path", "css": css, "d": f"M{x:.1f} {top:.1f}V{bottom:.1f}"}


def _shape(tag: str, css: str, **numbers: float) -> dict[str, str]:
    return {"tag": tag, "css": css, **{k: f"{v:.1f}" for k, v in numbers.items()}}
