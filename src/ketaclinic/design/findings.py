"""One finding in the five lines every reason card has, whether it comes from the core or from the stored record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ketaclinic.people.presenters import with_day_words
from ketacore.evidence import Finding, Grade
from ketacore.evidence.as_json import rule_as_json

_MARK_OF_EFFECT = {"hard_stop": "stop", "soft_stop": "caution", "task": "caution"}


@dataclass(frozen=True, slots=True)
class ReasonCard:
    """Rule, because, missing, source, grade: what opens under every finding, alert and proposal."""

    rule_id: str
    title: str
    rule: str
    because: tuple[str, ...]
    missing: tuple[str, ...]
    source: str
    source_url: str
    grade: str
    grade_meaning: str
    mark: str
    state: str

    @property
    def gist(self) -> str:
        """The one line under the title: what is missing, else why it fired."""
        if self.state == "not_evaluated":
            what = ", ".join(fact_name(m) for m in self.missing)
            return f"Not known: {what}" if what else "; ".join(self.because)
        return "; ".join(self.because)


def fact_name(name: str) -> str:
    """Return the name of a fact as words: ``systolic_mmhg`` becomes ``systolic mmhg``."""
    return name.replace("_", " ").replace(".", ", ")


def reason_card(finding: Finding | Mapping[str, Any], state: str = "") -> ReasonCard:
    """Return the card of a core ``Finding`` or of its stored JSON.

    Stored findings carry no state of their own; ``state`` names the list they stood in
    (``fired``, ``not_evaluated``, ``clear``).
    """
    if isinstance(finding, Finding):
        data: Mapping[str, Any] = {
            **rule_as_json(finding.rule),
            "because": finding.because,
            "missing": finding.missing,
        }
        return _card(data, finding.state.value)
    return _card(finding, state or _guess_state(finding))


def _guess_state(data: Mapping[str, Any]) -> str:
    return str(data.get("state") or ("not_evaluated" if data.get("missing") else "fired"))


def _card(data: Mapping[str, Any], state: str) -> ReasonCard:
    grade = str(data.get("grade", ""))
    source = data.get("source") or {}
    return ReasonCard(
        rule_id=str(data.get("rule_id", "")),
        title=str(data.get("title", "")),
        rule=str(data.get("text", "")),
        because=_words(data.get("because")),
        missing=_words(data.get("missing")),
        source=_source_line(source),
        source_url=str(source.get("url", "")),
        grade=grade,
        grade_meaning=Grade(grade).meaning if grade in set(Grade) else "",
        mark=_mark(str(data.get("effect", "")), state),
        state=state,
    )


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return (str(value),) if value else ()
    return tuple(str(v) for v in value)


def _source_line(source: Mapping[str, Any]) -> str:
    place = ", ".join(str(source[k]) for k in ("title", "section", "version") if source.get(k))
    checked = source.get("checked_on")
    return with_day_words(f"{place}; checked {checked}" if place and checked else place)


def _mark(effect: str, state: str) -> str:
    if state == "clear":
        return "fine"
    if state == "not_evaluated":
        return "unknown"
    return _MARK_OF_EFFECT.get(effect, "note")
