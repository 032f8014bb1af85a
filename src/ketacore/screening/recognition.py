"""Recognising medicines and imported problems by name. It only ever adds a notice or a stop, never takes one away."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ketacore.screening.facts import Medicine


@dataclass(frozen=True, slots=True)
class MedicineClass:
    """A class of medicines: names the reference uses, and common members recognised by name (grade D)."""

    class_id: str
    title: str
    named: tuple[str, ...]
    recognised: tuple[str, ...]


def _read(name: str) -> dict[str, Any]:
    file = resources.files("ketacore.screening") / "data" / name
    return tomllib.loads(file.read_text(encoding="utf-8"))


_MEDICINES = _read("medicines.toml")
_CONDITIONS = _read("conditions.toml")

CLASSES: dict[str, MedicineClass] = {
    record["id"]: MedicineClass(record["id"], record["title"], tuple(record["named"]), tuple(record["recognised"]))
    for record in _MEDICINES["class"]
}


def plain(words: str) -> str:
    """Return words in lower case with single spaces and no punctuation, framed by spaces."""
    return f" {' '.join(re.findall(r'[a-z0-9]+', words.lower()))} "


def _names_any(text: str, names: Iterable[str]) -> bool:
    return any(plain(name) in text or plain(f"{name}s") in text for name in names)


def classes_of(medicine: Medicine) -> tuple[str, ...]:
    """Return the ids of the classes the medicine's name or ingredient belongs to."""
    text = plain(f"{medicine.name} {medicine.ingredient}")
    return tuple(c.class_id for c in CLASSES.values() if _names_any(text, c.named + c.recognised))


def named_in_class(medicine: Medicine, class_id: str) -> bool:
    """Return whether the reference itself names the medicine in this class, rather than our recognition list."""
    return _names_any(plain(f"{medicine.name} {medicine.ingredient}"), CLASSES[class_id].named)


def recognised(medicine: Medicine) -> bool:
    """Return whether the medicine is known by name, as a member of a class or as an antidepressant."""
    text = plain(f"{medicine.name} {medicine.ingredient}")
    return bool(classes_of(medicine)) or _names_any(text, _ANTIDEPRESSANTS)


_ANTIDEPRESSANTS = tuple({record["ingredient"] for record in _read("antidepressants.toml")["drug"]})


def facts_of_problem(display: str, *, active: bool) -> tuple[str, ...]:
    """Return the names of the facts that an imported problem makes present.

    A resolved problem counts only for facts that ask about the whole life.
    """
    text = display.lower().strip()
    if text.startswith(tuple(_CONDITIONS["ignore"]["beginnings"])):
        return ()
    return tuple(
        record["fact"]
        for record in _CONDITIONS["condition"]
        if (active or record["past"]) and any(word in text for word in record["words"])
    )


def fact_of_allergy(display: str) -> str | None:
    """Return the fact that an allergy makes present, or ``None``."""
    record = _CONDITIONS["allergy"]
    return record["fact"] if any(word in display.lower() for word in record["words"]) else None
