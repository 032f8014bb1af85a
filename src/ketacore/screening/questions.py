"""The facts as questions, read from ``data/questions.toml``: what to ask, whom, and how a finding says it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Question:
    """One fact as a question.

    ``kind`` is ``yes_no``, ``choice``, ``date``, ``number``, ``measurement``, ``medicines`` or ``trials``;
    ``of`` is ``staff`` or ``prescriber``; ``changes`` marks what must be asked anew as life goes on.
    """

    fact: str
    ask: str
    kind: str
    of: str
    group: str
    yes: str = ""
    no: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    changes: bool = False


def _load() -> Mapping[str, Question]:
    file = resources.files("ketacore.screening") / "data" / "questions.toml"
    records = tomllib.loads(file.read_text(encoding="utf-8"))["question"]
    return MappingProxyType({record["fact"]: Question(**record) for record in records})


QUESTIONS: Mapping[str, Question] = _load()
"""Every question, by the name of its fact, in the order of asking."""
