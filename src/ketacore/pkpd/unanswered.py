"""Questions without a published answer: a typed result with the reason and what is known instead, never a curve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ketacore.evidence import Grade
from ketacore.pkpd.bands import EXPLAINS, Basis
from ketacore.pkpd.constants import Quantity
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
    same = is_on_label(regimen)
    shown = OnLabel(known.reason, known.low, known.high, known.unit, known.source, known.target, known.grade, same)
    other = () if same else ("The label speaks of nasal esketamine only; this regimen is another.",)
    return Unanswered(question, because, (shown,), Basis(known.grade, (known.source,), (*other, *reasons), EXPLAINS))


def is_on_label(regimen: Regimen) -> bool:
    """Return whether a regimen is of the drug and the route that the label speaks of."""
    return regimen.drugs == {Drug.ESKETAMINE} and regimen.routes == {Route.NASAL}
