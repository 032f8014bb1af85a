"""Answers in, a number out – or the names of the answers that are missing. Never a number from half a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ketacore.evidence import Refusal
from ketacore.scales.scale import Band, Item, Scale


@dataclass(frozen=True, slots=True)
class Score:
    """A total with the band it falls into."""

    scale_id: str
    version: int
    total: int
    band: Band


@dataclass(frozen=True, slots=True)
class Incomplete:
    """No number, because these items have no answer."""

    scale_id: str
    version: int
    missing: tuple[str, ...]


def check_answers(scale: Scale, answers: Mapping[str, int | None]) -> None:
    """Raise ``Refusal`` for an answer to an unknown item or outside the item's range."""
    items = {item.key: item for item in (*scale.items, *scale.extras)}
    wrong = tuple(_complaint(scale, items.get(key), key, value) for key, value in answers.items())
    because = tuple(line for line in wrong if line)
    if because:
        raise Refusal(f"Scoring {scale.name}", because, "Choose one of the answers the item offers.")


def _complaint(scale: Scale, item: Item | None, key: str, value: object) -> str:
    if item is None:
        return f"{scale.name} has no item {key}"
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int) or not item.allows(value):
        allowed = ", ".join(str(option.value) for option in item.options)
        return f"{key} is {value}: expected one of {allowed}"
    return ""


def score(scale: Scale, answers: Mapping[str, int | None]) -> Score | Incomplete:
    """Return the total and its band, or which items are missing.

    Raises ``Refusal`` for an unknown item or a value the item does not offer. Extras are not counted.
    """
    check_answers(scale, answers)
    given = {item.key: answers.get(item.key) for item in scale.items}
    missing = tuple(key for key, value in given.items() if value is None)
    if missing:
        return Incomplete(scale.scale_id, scale.version, missing)
    total = sum(value for value in given.values() if value is not None)
    return Score(scale.scale_id, scale.version, total, band_of(scale, total))


def band_of(scale: Scale, total: int) -> Band:
    """Return the band of a total; raises ``Refusal`` outside the scale's range."""
    for band in scale.bands:
        if band.low <= total <= band.high:
            return band
    raise Refusal(
        f"Reading {scale.name}",
        (f"a total of {total} is outside {scale.lowest} to {scale.highest}",),
        "Check the total.",
    )
