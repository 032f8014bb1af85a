"""An instrument is a folder with one ``scale.toml``; adding a folder adds the instrument."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from ketacore.evidence import Rule, RuleSet, parse_rules
from ketacore.scales.scale import (
    Band,
    ChangeThreshold,
    Golden,
    Item,
    Licence,
    Option,
    Remission,
    Scale,
    ShipMode,
    SuicideItem,
)

FILE = "scale.toml"


class ScaleDataError(ValueError):
    """A scale file that may not be loaded; the message names the folder and what is wrong."""


def load_scales(folder: Traversable | None = None) -> Mapping[str, Scale]:
    """Return every instrument that has a folder with a ``scale.toml``, by its id.

    Raises ``ScaleDataError`` for a file that contradicts itself.
    """
    home = folder if folder is not None else resources.files("ketacore.scales")
    scales: dict[str, Scale] = {}
    for place in sorted(home.iterdir(), key=lambda f: f.name):
        if place.is_dir() and (place / FILE).is_file():
            scale = _read(place)
            if scale.scale_id != place.name:
                raise ScaleDataError(f"{place.name}: the folder and its scale_id {scale.scale_id} differ")
            scales[scale.scale_id] = scale
    return MappingProxyType(scales)


def rules_of(scales: Iterable[Scale]) -> RuleSet:
    """Return the rule records of all instruments as one set."""
    return RuleSet("scales", MappingProxyType({rule.rule_id: rule for scale in scales for rule in scale.rules}))


def _read(place: Traversable) -> Scale:
    document = tomllib.loads((place / FILE).read_text(encoding="utf-8"))
    try:
        scale = parse_scale(document)
    except KeyError as error:
        raise ScaleDataError(f"{place.name}: {error.args[0]} is missing or does not exist") from error
    except ScaleDataError as error:
        raise ScaleDataError(f"{place.name}: {error}") from error
    return scale


def parse_scale(document: Mapping[str, Any]) -> Scale:
    """Return the instrument of one parsed ``scale.toml``; raises ``ScaleDataError`` or ``KeyError``."""
    rules = {rule.rule_id: rule for rule in parse_rules(document)}
    about = document["scale"]
    rule = rules[about["rule"]]
    options = tuple(_option(o) for o in document.get("option", ()))
    scale = Scale(
        scale_id=about["scale_id"],
        version=about["version"],
        name=about["name"],
        title=about["title"],
        measures=about["measures"],
        recall=about["recall"],
        stem=about["stem"],
        items=_items(document.get("item", ()), options),
        extras=_items(document.get("extra", ()), options),
        bands=_bands(document["band"], rule),
        remission=_remission(document.get("remission"), rules),
        changes=tuple(_change(c, rules) for c in document.get("change", ())),
        suicide_items=tuple(_suicide_item(s, rules) for s in document.get("suicide_item", ())),
        licence=_licence(document["licence"], rules),
        rule=rule,
        rules=tuple(rules.values()),
        golden=tuple(Golden(tuple(g["answers"]), g["total"], g["band"]) for g in document.get("golden", ())),
        higher_is_worse=about["higher_is"] == "worse",
        loinc_panel=about.get("loinc_panel", ""),
        loinc_total=about.get("loinc_total", ""),
    )
    _refuse_contradictions(scale)
    return scale


def _option(record: Mapping[str, Any]) -> Option:
    return Option(value=record["value"], text=record["text"], loinc=record.get("loinc", ""))


def _items(records: Iterable[Mapping[str, Any]], shared: tuple[Option, ...]) -> tuple[Item, ...]:
    return tuple(
        Item(
            key=record["key"],
            number=number,
            text=record.get("text", ""),
            options=tuple(_option(o) for o in record["options"]) if "options" in record else shared,
            loinc=record.get("loinc", ""),
        )
        for number, record in enumerate(records, start=1)
    )


def _bands(records: Iterable[Mapping[str, Any]], rule: Rule) -> tuple[Band, ...]:
    listed = [(r["name"], int(rule.number(r["from"])), bool(r.get("ours", False))) for r in records]
    ends = [low - 1 for _, low, _ in listed[1:]] + [int(rule.number("highest"))]
    return tuple(Band(name, low, high, ours) for (name, low, ours), high in zip(listed, ends, strict=True))


def _remission(record: Mapping[str, Any] | None, rules: Mapping[str, Rule]) -> Remission | None:
    if record is None:
        return None
    rule = rules[record["rule"]]
    return Remission(below=int(rule.number(record["below"])), rule=rule)


def _change(record: Mapping[str, Any], rules: Mapping[str, Rule]) -> ChangeThreshold:
    rule = rules[record["rule"]]
    return ChangeThreshold(name=record["name"], points=rule.number(record["points"]), rule=rule)


def _suicide_item(record: Mapping[str, Any], rules: Mapping[str, Rule]) -> SuicideItem:
    rule = rules[record["rule"]]
    return SuicideItem(item=record["item"], at_least=int(rule.number(record["from"])), rule=rule)


def _licence(record: Mapping[str, Any], rules: Mapping[str, Rule]) -> Licence:
    return Licence(ShipMode(record["mode"]), record["statement"], rules[record["rule"]])


def _refuse_contradictions(scale: Scale) -> None:
    keys = [item.key for item in (*scale.items, *scale.extras)]
    worst = sum(max(o.value for o in item.options) for item in scale.items)
    best = sum(min(o.value for o in item.options) for item in scale.items)
    texts = [bool(item.text) for item in (*scale.items, *scale.extras)]
    if len(set(keys)) != len(keys):
        raise ScaleDataError("an item key stands twice")
    if len(scale.items) != scale.rule.number("item_count"):
        raise ScaleDataError(f"{scale.rule.rule_id} names another number of items")
    if (best, worst) != (scale.lowest, scale.highest):
        raise ScaleDataError(f"the items add up to {best}-{worst}, the bands to {scale.lowest}-{scale.highest}")
    if any(band.low > band.high for band in scale.bands):
        raise ScaleDataError("the bands are not in order")
    if any(texts) != (scale.licence.mode is ShipMode.TEXT) or (any(texts) and not all(texts)):
        raise ScaleDataError(f"item wording and licence mode {scale.licence.mode} contradict each other")
    for suicide in scale.suicide_items:
        if suicide.item not in keys:
            raise ScaleDataError(f"suicide item {suicide.item} is not an item")
