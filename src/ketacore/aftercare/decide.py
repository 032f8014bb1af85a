"""The instructions for one patient after one session."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from importlib import resources
from types import MappingProxyType

from ketacore.evidence import Refusal, Rule, RuleSet, Setting, Standing, load_rules, standing
from ketacore.treatment.rules import RULES as TREATMENT_RULES

RULES: RuleSet = load_rules("aftercare")

NEXT_DAY = "the next day, after a restful sleep"


@dataclass(frozen=True, slots=True)
class AftercareFacts:
    """What the sheet is made from: the product, when the session ended, where, and whom this clinic names."""

    product: str
    ended_at: datetime
    zone: tzinfo
    emergency_contact: str
    clinic_phone: str = ""


@dataclass(frozen=True, slots=True)
class NoDriving:
    """No driving before ``earliest_on``, and then only after a restful sleep: a day alone is not enough."""

    earliest_on: date
    words: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet and the rule it rests on."""

    text: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """Whom to call, and when; ``rule`` is empty for the clinic's own number."""

    name: str
    number: str
    when: str
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Instructions:
    """Everything the sheet says. ``left_out`` names the rules that do not act here, for the clinic, not the patient."""

    no_driving: NoDriving
    until_then: tuple[Line, ...]
    normal: tuple[Line, ...]
    watch: tuple[Line, ...]
    call: tuple[PhoneNumber, ...]
    contact_on: date | None
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Words:
    part: str
    text: str
    rule: Rule
    product: tuple[str, ...]


def _load() -> tuple[_Words, ...]:
    text = (resources.files("ketacore.aftercare") / "data" / "words.toml").read_text(encoding="utf-8")
    return tuple(
        _Words(r["part"], r["text"], _ROOMS[r["room"]][r["rule"]], tuple(r["product"]))
        for r in tomllib.loads(text)["line"]
    )


_ROOMS: Mapping[str, RuleSet] = MappingProxyType({"treatment": TREATMENT_RULES, "aftercare": RULES})
_WORDS = _load()
_DRIVING: Mapping[str, Rule] = MappingProxyType(
    {"esketamine-nasal": TREATMENT_RULES["SPR-MON-10"], "ketamine-iv": TREATMENT_RULES["DIS-06"]}
)


def no_driving_until(ended_at: datetime, zone: tzinfo, product: str = "esketamine-nasal") -> NoDriving:
    """Return the first day on which driving may be thought of again, in the clinic's own calendar.

    The day of the session is the clinic's day on which it ended: a session that ends after midnight belongs to the
    new day. ``words`` always name the sleep, because the date alone would say too much.
    """
    if ended_at.tzinfo is None:
        raise ValueError("ended_at needs a time zone")
    return NoDriving(ended_at.astimezone(zone).date() + timedelta(days=1), NEXT_DAY, _DRIVING[product])


def contact_due_on(ended_at: datetime, zone: tzinfo, setting: Setting) -> date | None:
    """Return the day on which the clinic contacts the patient; ``None`` while that policy is not signed."""
    rule = RULES["KC-AFT-01"]
    if standing(rule, setting) is not Standing.ACTIVE:
        return None
    return ended_at.astimezone(zone).date() + timedelta(days=int(rule.number("days_after")))


def instructions(facts: AftercareFacts, setting: Setting) -> Instructions:
    """Return what the patient is told; raises ``Refusal`` where the clinic names nobody to call, or for no product."""
    if not facts.emergency_contact.strip():
        raise Refusal(
            "Printing the aftercare sheet",
            ["the clinic has no emergency contact"],
            "An administrator enters whom patients call outside opening hours.",
        )
    if facts.product not in _DRIVING:
        raise Refusal("Printing the aftercare sheet", [f"there are no words for {facts.product}"], "Choose a product.")
    mine = [w for w in _WORDS if facts.product in w.product]
    active = [w for w in mine if standing(w.rule, setting) is Standing.ACTIVE]

    def part(name: str) -> tuple[Line, ...]:
        return tuple(Line(w.text, w.rule) for w in active if w.part == name)

    silent = [w.rule.rule_id for w in mine if w not in active] + _silent_numbers(setting)
    return Instructions(
        no_driving=no_driving_until(facts.ended_at, facts.zone, facts.product),
        until_then=part("until_then"),
        normal=part("normal"),
        watch=part("watch"),
        call=_call(facts, setting),
        contact_on=contact_due_on(facts.ended_at, facts.zone, setting),
        left_out=tuple(dict.fromkeys(silent)),
    )


def _silent_numbers(setting: Setting) -> list[str]:
    return [r for r in ("SAF-04-SHEET", "SAF-04-B") if standing(RULES[r], setting) is not Standing.ACTIVE]


def _call(facts: AftercareFacts, setting: Setting) -> tuple[PhoneNumber, ...]:
    numbers: list[PhoneNumber] = []
    rule = RULES["SAF-04-SHEET"]
    if standing(rule, setting) is Standing.ACTIVE:
        emergency, lifeline = str(rule.parameters["emergency"]), str(rule.parameters["lifeline"])
        numbers += [
            PhoneNumber("Emergency", emergency, "danger to life, or any sign in the list above", rule),
            PhoneNumber(
                "Suicide and crisis lifeline", lifeline, "thoughts of suicide, at any hour: call or text", rule
            ),
        ]
    numbers.append(
        PhoneNumber("The clinic, outside opening hours", facts.emergency_contact, "anything that worries you")
    )
    if facts.clinic_phone:
        numbers.append(PhoneNumber("The clinic", facts.clinic_phone, "questions, or to change a visit"))
    return tuple(numbers)
