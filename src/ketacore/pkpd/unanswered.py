"""Questions without a published answer: a typed result with the reason and what is known instead, never a curve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ketacore.evidence import Grade
from ketacore.pkpd.bands import EXPLAINS, Basis
from ketacore.pkpd.constants import EFFECTS, Quantity
from ketacore.pkpd.regimen import Drug, Regimen, Route


@dataclass(frozen=True, slots=True)
class OnLabel:
    """A range the label prints, ``low`` to ``high`` in ``unit``; ``same_route`` says if this regimen is like it."""

    what: str
    low: float
    high: float
    unit: str
    source: str
    target: str
    grade: Grade
    same_route: bool


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that has no answer ``because``; ``known`` is shown instead."""

    question: str
    because: str
    known: tuple[OnLabel, ...]
    basis: Basis


def unanswered(
    question: str, because: str, known: Quantity, regimen: Regimen, reasons: Iterable[str] = ()
) -> Unanswered:
    """Return a question without an answer, with what the label of nasal esketamine prints."""
    same = regimen.drugs == {Drug.ESKETAMINE} and regimen.routes == {Route.NASAL}
    shown = OnLabel(known.reason, known.low, known.high, known.unit, known.source, known.target, known.grade, same)
    other = () if same else ("The label speaks of nasal esketamine only; this regimen is another.",)
    return Unanswered(question, because, (shown,), Basis(known.grade, (known.source,), (*other, *reasons), EXPLAINS))


def sedation(regimen: Regimen) -> Unanswered:
    """Return what is known of sedation: the label's range (T53), and why there is no curve.

    Grade A for the range. No relation of concentration to sedation is in the reference.
    """
    because = "no published relation of concentration to sedation is at hand, so no curve over time can be drawn"
    return unanswered("How sedated, and when?", because, EFFECTS["sedation_on_label"], regimen)
