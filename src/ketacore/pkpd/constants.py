"""Numbers of the effects, from TOML files beside the code: value, band, unit, grade, source, reason."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ketacore.evidence import Grade
from ketacore.pkpd.loading import ModelDataError

ASSUMED = "assumed"
PARTS = ("middle", "ends")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its band ``low`` to ``high`` in ``unit``; ``source`` its id in ``SOURCES``.

    ``target`` is the id of the published value it is, where it is one. ``own`` names what of it no source gives:
    ``middle`` or ``ends`` of a published number, whose grade is that of the rest.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    grade: Grade
    source: str
    reason: str
    target: str = ""
    own: str = ""

    @property
    def assumed(self) -> bool:
        """Return whether no source gives it."""
        return self.source == ASSUMED

    @property
    def ends(self) -> tuple[float, float, float]:
        """Return low, value and high."""
        return (self.low, self.value, self.high)


def parse_quantities(text: str, name: str) -> dict[str, Quantity]:
    """Return the quantities in a TOML text by name; raises ``ModelDataError`` for what is missing or inconsistent."""
    data = tomllib.loads(text)
    try:
        found = {key: _quantity(key, given) for key, given in data["values"].items()}
    except (KeyError, ValueError, TypeError) as error:
        raise ModelDataError(f"{name}: {error}") from None
    for quantity in found.values():
        wrong = _wrong(quantity, data["sources"])
        if wrong:
            raise ModelDataError(f"{name}: {quantity.name}: {wrong}")
    return found


def _quantity(name: str, given: Mapping[str, Any]) -> Quantity:
    return Quantity(
        name=name,
        value=float(given["value"]),
        low=float(given["low"]),
        high=float(given["high"]),
        unit=given["unit"],
        grade=Grade(given["grade"]),
        source=given["source"],
        reason=given["reason"],
        target=given.get("target", ""),
        own=next((part for part in PARTS if given.get(part) == ASSUMED), ""),
    )


def _wrong(quantity: Quantity, sources: Mapping[str, str]) -> str:
    if not 0 <= quantity.low <= quantity.value <= quantity.high:
        return "the value is not within its band, or below 0"
    if quantity.source not in sources:
        return f"source {quantity.source} is not listed"
    if quantity.assumed != (quantity.grade is Grade.D):
        return "grade D and the source 'assumed' belong together"
    return "" if quantity.reason else "the reason is missing"


def _read(name: str) -> str:
    return (resources.files("ketacore.pkpd") / "data" / name).read_text(encoding="utf-8")


_EFFECTS, _MECHANISM = _read("effects.toml"), _read("mechanism.toml")
EFFECTS = parse_quantities(_EFFECTS, "effects.toml")
MECHANISM = parse_quantities(_MECHANISM, "mechanism.toml")
SOURCES: dict[str, str] = {**tomllib.loads(_EFFECTS)["sources"], **tomllib.loads(_MECHANISM)["sources"]}
"""Each source by its id."""
