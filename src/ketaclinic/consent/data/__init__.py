"""Texts that ship with the software, one per product and language; without effect until a clinic signs one off."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class ShippedText:
    """A wording for one product in one language, as a file beside this module has it."""

    product: str
    language: str
    version: str
    effective_from: date
    title: str
    dose_limit: Decimal
    dose_unit: str
    sections: list[dict[str, Any]]
    questions: list[dict[str, str]]

    @property
    def elements(self) -> tuple[str, ...]:
        """The checklist elements that the text covers."""
        return tuple(dict.fromkeys(e for section in self.sections for e in section["elements"]))


def shipped_texts() -> tuple[ShippedText, ...]:
    """Return every text that ships with the software."""
    files = sorted((f for f in resources.files(__name__).iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return tuple(_read(tomllib.loads(f.read_text(encoding="utf-8"))) for f in files)


def shipped_text(product: str, language: str, version: str) -> ShippedText | None:
    """Return one shipped text, or ``None``."""
    for text in shipped_texts():
        if (text.product, text.language, text.version) == (product, language, version):
            return text
    return None


def digest_of(title: str, sections: list[dict[str, Any]], questions: list[dict[str, str]]) -> str:
    """Return the SHA-256 of a wording: two texts with the same digest say the same."""
    document = json.dumps([title, sections, questions], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(document.encode()).hexdigest()


def _read(document: dict[str, Any]) -> ShippedText:
    return ShippedText(
        product=document["product"],
        language=document["language"],
        version=document["version"],
        effective_from=document["effective_from"],
        title=document["title"],
        dose_limit=Decimal(str(document["dose_limit"])),
        dose_unit=document["dose_unit"],
        sections=document["section"],
        questions=document["question"],
    )
