"""What the pharmacokinetics refuse, each by its own name, and numbers that no living person or dose can have."""

from __future__ import annotations

from math import isfinite
from numbers import Integral, Real
from typing import Any, cast

from ketacore.evidence import Refusal


class ImpossibleInput(Refusal):
    """A value that cannot be: negative dose, 700 kg, NaN, times out of order, the wrong type."""


class NotAnswered(Refusal):
    """A question that this model, or any model here, has no published answer to."""


class MatrixMismatch(Refusal):
    """Arterial and venous concentrations were about to be compared or exchanged."""


def impossible(because: str, do: str) -> ImpossibleInput:
    """Return the refusal of a value that cannot be."""
    return ImpossibleInput("Calculating concentrations", [because], do)


def not_answered(because: str, do: str) -> NotAnswered:
    """Return the refusal of a question without a published answer."""
    return NotAnswered("Calculating concentrations", [because], do)


def a_whole_number(name: str, given: Any, low: int, high: int) -> int:
    """Return ``given`` as a whole number from ``low`` to ``high``; raises ``ImpossibleInput`` for anything else.

    NumPy's scalars are numbers too, and 3.0 is whole.
    """
    whole = isinstance(given, Integral) or (is_number(given) and float(given).is_integer())
    if isinstance(given, bool) or not whole:
        raise impossible(f"{name} is not a whole number", f"Give a whole number from {low} to {high}.")
    if not low <= given <= high:
        raise impossible(f"{name} is outside {low} to {high}", f"Give a whole number from {low} to {high}.")
    return int(given)


def are_all(kind: type, given: Any) -> bool:
    """Return whether everything in ``given`` is of one kind."""
    return all(isinstance(thing, kind) for thing in given)


def a_quantity(name: str, given: Any, low: float, high: float, unit: str) -> float:
    """Return ``given`` as a float from ``low`` to ``high``; raises ``ImpossibleInput`` for anything else, NaN too."""
    if not is_number(given):
        raise impossible(f"{name} is not a number", f"Give {name} as a number in {unit}.")
    if not low <= given <= high:
        raise impossible(
            f"{name} {given:g} {unit} is outside {low:g} to {high:g} {unit}", "Check the number and its unit."
        )
    return float(given)


def is_number(given: Any) -> bool:
    """Return whether ``given`` is a finite real number, of Python or NumPy, and no truth value."""
    if isinstance(given, bool) or not isinstance(given, Real):
        return False
    try:
        return isfinite(cast(float, given))
    except OverflowError:  # an int of more digits than a float has room for
        return False
