"""Reading facts that came as JSON from a shell: nothing is guessed, an unknown or ill-typed field is refused.

Used by the ``ask.py`` of the rooms that ask in this form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from ketacore.evidence import Approval, Fact, Grade, Refusal, RuleSet, Setting, SignedPolicies

T = TypeVar("T")
Read = Callable[[str, Any], T]

MOST = 2_000
"""More entries than any course has."""


def refusal(because: str, do: str) -> Refusal:
    """Return the refusal of a document that cannot be read."""
    return Refusal("Reading the facts", [because], do)


def refuse_unknown(given: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Raise ``Refusal`` for a field nobody knows."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise refusal(f"unknown field in {where}: {unknown[0]}", f"Known fields: {', '.join(sorted(known))}.")


def a_thing(name: str, given: Any) -> Mapping[str, Any]:
    """Read an object."""
    if given is None:
        raise refusal(f"{name} is missing", "Write {…}.")
    if not isinstance(given, Mapping):
        raise refusal(f"{name} must be an object", "Write {…}.")
    return given


def a_list(name: str, given: Any) -> list[Any]:
    """Read a list."""
    if not isinstance(given, list) or len(given) > MOST:
        raise refusal(f"{name} must be a list of at most {MOST}", "Write […].")
    return given


def a_word(name: str, given: Any) -> str:
    """Read a text."""
    if given is None:
        raise refusal(f"{name} is missing", 'Write "…".')
    if not isinstance(given, str) or not 0 < len(given) <= 200:
        raise refusal(f"{name} must be text of 1 to 200 characters", 'Write "…".')
    return given


def yes_or_no(name: str, given: Any) -> bool:
    """Read true or false."""
    if not isinstance(given, bool):
        raise refusal(f"{name} must be true, false or null", "Leave it out when nobody asked.")
    return given


def a_count(name: str, given: Any) -> int:
    """Read a whole number from 0."""
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= 100_000:
        raise refusal(f"{name} must be a whole number from 0", "Write a whole number without unit.")
    return given


def a_number(name: str, given: Any) -> float:
    """Read a number, negative ones too."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) <= 100_000:
        raise refusal(f"{name} must be a number", "Write a number without unit.")
    return float(given)


def a_day(name: str, given: Any) -> date:
    """Read a day."""
    try:
        return date.fromisoformat(a_word(name, given))
    except ValueError:
        raise refusal(f"{name} must be a day", "Write it as 2026-11-23.") from None


def a_moment(name: str, given: Any) -> datetime:
    """Read a moment with its time zone."""
    try:
        at = datetime.fromisoformat(a_word(name, given))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise refusal(f"{name} must be a moment with a time zone", "Write it as 2026-11-23T10:00:00-05:00.")
    return at


def some_days(name: str, given: Any) -> tuple[date, ...]:
    """Read a list of days in the order of time."""
    days = tuple(a_day(name, day) for day in a_list(name, given))
    if list(days) != sorted(days):
        raise refusal(f"{name} must be in the order of time", "Write the earliest first.")
    return days


def a_fact(name: str, given: Mapping[str, Any], read: Read[T]) -> Fact[T]:
    """Read one fact: left out was not asked, ``null`` was asked and not known."""
    if name not in given:
        return Fact.not_asked()
    return Fact.not_known() if given[name] is None else Fact.of(read(name, given[name]))


def a_setting(document: Mapping[str, Any], *rules: RuleSet) -> Setting:
    """Read jurisdiction, day, product and the signed clinic policies, which must be grade D in ``rules``."""
    for name in ("jurisdiction", "on"):
        if name not in document:
            raise refusal(f"{name} is missing", f"Give {name}; there is no default.")
    on = a_day("on", document["on"])
    return Setting(
        jurisdiction=a_word("jurisdiction", document["jurisdiction"]),
        on=on,
        product=a_word("product", document["product"]) if "product" in document else "",
        policies=SignedPolicies(tuple(_approval(r, on, rules) for r in a_list("signed", document.get("signed", [])))),
    )


def _approval(rule_id: Any, on: date, rule_sets: tuple[RuleSet, ...]) -> Approval:
    named = a_word("signed", rule_id)
    for rules in rule_sets:
        rule = rules.rules.get(named)
        if rule is not None and rule.grade is Grade.D:
            at = datetime(on.year, on.month, on.day, tzinfo=UTC)
            return Approval(rule.rule_id, rule.rule_version, "medical director", at)
    raise refusal(f"signed: {named} is not a clinic policy of this room", "Name rules of grade D only.")
