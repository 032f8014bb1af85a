"""The room from the shell: facts as JSON in, the standing as JSON out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from ketacore.evidence import RULE_PACK, Approval, Refusal, Setting, SignedPolicies, to_jsonable
from ketacore.journey.decide import REVIEW_RULE, where
from ketacore.journey.facts import Consent, JourneyFacts, Verdict

_SETTING = ("jurisdiction", "on", "review_policy_signed_by", "review_policy_signed_at")
_DO = "Correct the field and ask again."


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a person stands; raises ``Refusal`` for a field that is unknown, missing or of the wrong type.

    ``jurisdiction`` and ``on`` name the place and the day; ``review_policy_signed_by`` and ``_at`` put the
    medical director's signature under the six-month review. All other fields are those of ``JourneyFacts``.
    """
    known = {f.name for f in fields(JourneyFacts)}
    unknown = sorted(set(document) - known - set(_SETTING))
    if unknown:
        raise Refusal("Reading the facts", [f"unknown field {', '.join(unknown)}"], _DO)
    facts = JourneyFacts(
        **{k: _value(k, v) for k, v in document.items() if k in known and v is not None} | _needed(document)
    )
    standing = where(facts, _setting(document))
    return {"question": "where", "rule_pack": RULE_PACK, **to_jsonable(standing)}


def _needed(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"registered_on": _day("registered_on", document.get("registered_on"))}


def _setting(document: Mapping[str, Any]) -> Setting:
    signer = document.get("review_policy_signed_by")
    approvals: tuple[Approval, ...] = ()
    if signer is not None:
        moment = _moment("review_policy_signed_at", document.get("review_policy_signed_at"))
        approvals = (
            Approval(REVIEW_RULE.rule_id, REVIEW_RULE.rule_version, _words("review_policy_signed_by", signer), moment),
        )
    return Setting(
        jurisdiction=_words("jurisdiction", document.get("jurisdiction", "US")),
        on=_day("on", document.get("on")),
        policies=SignedPolicies(approvals),
    )


def _value(name: str, value: Any) -> Any:
    if name in _WORDS:
        return _word(name, _WORDS[name], value)
    if name == "sessions_given":
        return _count(name, value)
    if name in ("product", "phase"):
        return _words(name, value)
    return _day(name, value)


_WORDS: Mapping[str, type[StrEnum]] = {"verdict": Verdict, "consent": Consent}


def _word(name: str, words: type[StrEnum], value: Any) -> StrEnum:
    if value not in tuple(words):
        raise _ill_typed(name, f"one of {', '.join(words)}", value)
    return words(value)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _ill_typed(name, "a whole number, 0 or more", value)
    return value


def _words(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _ill_typed(name, "text", value)
    return value


def _day(name: str, value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _ill_typed(name, "a day as YYYY-MM-DD", value) from None


def _moment(name: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _ill_typed(name, "a moment with its UTC offset", value) from None
    if moment.tzinfo is None:
        raise _ill_typed(name, "a moment with its UTC offset", value)
    return moment


def _ill_typed(name: str, expected: str, value: Any) -> Refusal:
    return Refusal("Reading the facts", [f"{name}: expected {expected}, got {value!r}"], _DO)
