"""Rules as the pages show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Permission
from ketaclinic.people.presenters import day_words, with_day_words
from ketaclinic.policy.models import PolicySignature
from ketaclinic.policy.queries import (
    RulesLine,
    StandingRule,
    rule_named,
    rules_line,
    setting_of,
    signatures_under,
    standing_rules,
)
from ketacore.evidence import Effect, Finding, Grade, Rule, Standing, standing

EFFECT_WORDS = {
    Effect.HARD_STOP: "Stop",
    Effect.SOFT_STOP: "Stop unless reasoned",
    Effect.TASK: "Task",
    Effect.NOTICE: "Notice",
    Effect.RECORD: "For the record",
    Effect.PARAMETER: "Number",
}
STANDING_WORDS = {
    Standing.ACTIVE: "Acts here",
    Standing.UNSIGNED: "Waits for a signature",
    Standing.DISABLED: "Not in force until checked",
    Standing.ELSEWHERE: "Holds elsewhere",
    Standing.OUT_OF_DATE: "Not in force today",
}
_BADGE = {Standing.ACTIVE: "on", Standing.UNSIGNED: "med", Standing.DISABLED: "unsure"}
_ROOM_WORDS = {"followup": "Follow-up"}


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule in the list."""

    rule: Rule
    effect: str
    standing: str
    badge: str
    signed_by: str
    signed_at: datetime | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class Room:
    """The rules of one room that pass the filter, and what the director may sign there."""

    room: str
    title: str
    lines: tuple[RuleLine, ...]
    unsigned: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """What the reader wants to see; blank means all."""

    room: str = ""
    grade: str = ""
    state: str = ""

    def passes(self, row: StandingRule) -> bool:
        """Return whether a rule is shown."""
        return (
            self.room in ("", row.room)
            and self.grade in ("", row.rule.grade.value)
            and self.state in ("", row.standing.value)
        )


@dataclass(frozen=True, slots=True)
class RulesPage:
    """The list of all rules."""

    rooms: tuple[Room, ...]
    shown: int
    total: int
    line: RulesLine
    room_options: tuple[tuple[str, str], ...]
    grade_options: tuple[tuple[str, str], ...]
    state_options: tuple[tuple[str, str], ...]
    chosen: RuleFilter
    may_sign: bool


def room_title(room: str) -> str:
    """Return the name of a room as a heading."""
    return _ROOM_WORDS.get(room, room.capitalize())


def rules_page(clinic: Clinic, staff: Staff, at: datetime, chosen: RuleFilter) -> RulesPage:
    """Return the list of rules for one reader."""
    rows = standing_rules(clinic, at)
    on = clinic.day_of(at)
    shown = [row for row in rows if chosen.passes(row)]
    names = tuple(dict.fromkeys(row.room for row in rows))
    rooms = tuple(_room(name, rows, shown, on) for name in names if any(row.room == name for row in shown))
    states = Counter(row.standing for row in rows)
    grades = Counter(row.rule.grade for row in rows)
    return RulesPage(
        rooms=rooms,
        shown=len(shown),
        total=len(rows),
        line=rules_line(clinic, at),
        room_options=tuple((name, room_title(name)) for name in names),
        grade_options=tuple((g.value, f"{g.value} ({grades[g]})") for g in Grade if grades[g]),
        state_options=tuple((s.value, f"{STANDING_WORDS[s]} ({states[s]})") for s in Standing if states[s]),
        chosen=chosen,
        may_sign=may_sign(staff),
    )


def told(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with their days as people write them, for the reason cards of a page."""
    return tuple(replace(f, because=tuple(with_day_words(line) for line in f.because)) for f in findings)


def may_sign(staff: Staff) -> bool:
    """Return whether this person may put a signature under a clinic policy."""
    return staff.is_medical_director and staff.may(Permission.SIGN_POLICY)


def _room(name: str, rows: tuple[StandingRule, ...], shown: list[StandingRule], on: date) -> Room:
    return Room(
        room=name,
        title=room_title(name),
        lines=tuple(_line(row, on) for row in shown if row.room == name),
        unsigned=tuple(row.rule for row in rows if row.room == name and row.standing is Standing.UNSIGNED),
    )


def _line(row: StandingRule, on: date) -> RuleLine:
    return RuleLine(
        rule=row.rule,
        effect=EFFECT_WORDS[row.rule.effect],
        standing=STANDING_WORDS[row.standing],
        badge=_BADGE.get(row.standing, ""),
        signed_by=row.approval.approved_by if row.approval else "",
        signed_at=row.approval.approved_at if row.approval else None,
        overdue=row.rule.review.overdue(on),
    )


@dataclass(frozen=True, slots=True)
class RulePage:
    """Everything there is to know about one rule."""

    rule: Rule
    rooms: tuple[str, ...]
    effect: str
    standing: str
    badge: str
    waits: bool
    signed: bool
    facts: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    signatures: tuple[PolicySignature, ...]
    overdue: bool
    may_sign: bool


def rule_page(clinic: Clinic, staff: Staff, at: datetime, rule_id: str) -> RulePage:
    """Return one rule for one reader."""
    rooms, rule = rule_named(rule_id)
    setting = setting_of(clinic, at)
    stands = standing(rule, setting)
    return RulePage(
        rule=rule,
        rooms=tuple(room_title(room) for room in rooms),
        effect=EFFECT_WORDS[rule.effect],
        standing=STANDING_WORDS[stands],
        badge=_BADGE.get(stands, ""),
        waits=stands is Standing.UNSIGNED,
        signed=setting.policies.approval(rule) is not None,
        facts=_facts(rule),
        parameters=tuple((_words(name), _value(value)) for name, value in rule.parameters.items()),
        signatures=signatures_under(clinic, rule, at),
        overdue=rule.review.overdue(setting.on),
        may_sign=may_sign(staff),
    )


def _facts(rule: Rule) -> tuple[tuple[str, str], ...]:
    until = rule.effective_to or rule.expires
    rows = (
        ("Kind", _words(rule.kind.value)),
        ("Effect", EFFECT_WORDS[rule.effect]),
        ("Where", ", ".join("everywhere" if place == "*" else place for place in rule.jurisdiction)),
        ("Product", ", ".join(rule.product) or "every product"),
        ("Route", ", ".join(rule.route)),
        ("Indication", ", ".join(rule.indication)),
        ("Phase", ", ".join(rule.phase)),
        ("In force", f"from {day_words(rule.effective_from)}" + (f" to {day_words(until)}" if until else "")),
        ("Way past it", _way_past(rule)),
        ("Needs", ", ".join(rule.needs)),
        ("In conflict with", ", ".join(rule.conflicts_with)),
        ("Replaces", ", ".join(rule.supersedes)),
        ("Version", str(rule.rule_version)),
    )
    return tuple((word, value) for word, value in rows if value)


def _way_past(rule: Rule) -> str:
    if not rule.effect.stops:
        return ""
    if not rule.override.roles:
        return "none by this software; the medical director's policy decides"
    who = ", ".join(_words(role).lower() for role in rule.override.roles)
    terms = ["with a reason"] if rule.override.reason_required else []
    terms += ["with a second signature"] if rule.override.second_signoff else []
    return " ".join([who, *[" and ".join(terms)]]).strip()


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
