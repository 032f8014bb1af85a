"""What an instrument is: items, answers, bands, thresholds and the licence under which its wording may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ketacore.evidence import Rule


class ShipMode(StrEnum):
    """How much of an instrument its licence lets this repository hold."""

    TEXT = "TEXT"
    SCORE = "SCORE"
    TOTAL = "TOTAL"

    @property
    def meaning(self) -> str:
        """One plain sentence for the page of the instrument."""
        return _MEANINGS[self]


_MEANINGS = {
    ShipMode.TEXT: "the wording of the items may be shown",
    ShipMode.SCORE: "only ids, scoring and cut-offs are shipped; the deployer loads the wording under an own licence",
    ShipMode.TOTAL: "only the total is stored",
}


@dataclass(frozen=True, slots=True)
class Licence:
    """On what ground the wording stands in the repository."""

    mode: ShipMode
    statement: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer."""

    value: int
    text: str
    loinc: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One question with the answers it allows. ``text`` is empty where the licence keeps the wording out."""

    key: str
    number: int
    text: str
    options: tuple[Option, ...]
    loinc: str = ""

    def allows(self, value: int) -> bool:
        """Return whether ``value`` is one of the answers."""
        return any(option.value == value for option in self.options)

    def words(self, value: int) -> str:
        """Return the answer in words; raises ``KeyError`` for one that does not exist."""
        return {option.value: option.text for option in self.options}[value]


@dataclass(frozen=True, slots=True)
class Band:
    """A range of totals, both ends included. ``ours``: the name is this project's, not the instrument's."""

    name: str
    low: int
    high: int
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Remission:
    """The total below which a person counts as in remission, and the rule that says so."""

    below: int
    rule: Rule


@dataclass(frozen=True, slots=True)
class ChangeThreshold:
    """A change in points that means something, and the rule that says so."""

    name: str
    points: float
    rule: Rule


@dataclass(frozen=True, slots=True)
class SuicideItem:
    """An item about suicide inside a mood scale, and the answer from which it asks for an assessment."""

    item: str
    at_least: int
    rule: Rule


@dataclass(frozen=True, slots=True)
class Golden:
    """A worked example the scorer is proven by."""

    answers: tuple[int, ...]
    total: int
    band: str


@dataclass(frozen=True, slots=True)
class Scale:
    """One instrument, as its folder describes it. ``extras`` are asked but not counted."""

    scale_id: str
    version: int
    name: str
    title: str
    measures: str
    recall: str
    stem: str
    items: tuple[Item, ...]
    extras: tuple[Item, ...]
    bands: tuple[Band, ...]
    remission: Remission | None
    changes: tuple[ChangeThreshold, ...]
    suicide_items: tuple[SuicideItem, ...]
    licence: Licence
    rule: Rule
    rules: tuple[Rule, ...]
    golden: tuple[Golden, ...]
    higher_is_worse: bool = True
    loinc_panel: str = ""
    loinc_total: str = ""

    @property
    def lowest(self) -> int:
        """The smallest total there is."""
        return self.bands[0].low

    @property
    def highest(self) -> int:
        """The largest total there is."""
        return self.bands[-1].high

    def item(self, key: str) -> Item:
        """Return an item or extra by its key; raises ``KeyError`` for an unknown one."""
        return {item.key: item for item in (*self.items, *self.extras)}[key]

    def change(self, name: str) -> ChangeThreshold | None:
        """Return the threshold of that name if its rule may act, or ``None``."""
        return next((c for c in self.changes if c.name == name and c.rule.enabled), None)
