"""The questions of the two gates, as data, and the answers given today."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from types import MappingProxyType

from ketacore.evidence import Fact
from ketacore.treatment.events import AnswerGiven, Reply
from ketacore.treatment.facts import SessionFacts


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a gate: ``opens`` is the answer that lets it open, ``rule`` the rule it serves."""

    question: str
    text: str
    opens: Reply
    rule: str
    gate: str
    product: tuple[str, ...]


def _load() -> Mapping[str, Question]:
    text = (resources.files("ketacore.treatment") / "data" / "questions.toml").read_text(encoding="utf-8")
    found = [
        Question(r["question"], r["text"], Reply(r["opens"]), r["rule"], r["gate"], tuple(r["product"]))
        for r in tomllib.loads(text)["question"]
    ]
    return MappingProxyType({q.question: q for q in found})


QUESTIONS: Mapping[str, Question] = _load()


def questions_of(product: str, gate: str) -> tuple[Question, ...]:
    """Return the questions of one gate for one product, in the order in which they are asked."""
    return tuple(q for q in QUESTIONS.values() if q.gate == gate and product in q.product)


def answered(facts: SessionFacts, question: str, since: datetime | None = None) -> Fact[bool]:
    """Return the newest answer given in this session, at or after ``since``: yes, no, not known, or not asked."""
    newest: Fact[bool] = Fact.not_asked()
    for event, given in facts.of(AnswerGiven, since):
        if given.question != question:
            continue
        if given.answer is Reply.NOT_KNOWN:
            newest = Fact.not_known(event.by, event.at)
        else:
            newest = Fact.of(given.answer is Reply.YES, event.by, event.at)
    return newest
