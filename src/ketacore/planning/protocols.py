"""Protocols are data: the order of phases; every number stands in the rule a phase names."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

from ketacore.evidence import Rule, RuleDataError, RuleSet
from ketacore.planning.rules import RULES


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of weeks with one rhythm. ``last_week`` is ``None`` where the phase is open-ended.

    ``sessions`` is the fixed number of sessions where the phase counts sessions instead of weeks;
    ``longest_interval_weeks`` is more than 1 where the plan may choose a longer spacing.
    """

    phase_id: str
    title: str
    rule: Rule
    first_week: int
    last_week: int | None
    sessions_per_week: int
    sessions: int | None = None
    longest_interval_weeks: int = 1

    def covers(self, week: int) -> bool:
        """Return whether week ``week`` of the course lies in this phase."""
        return self.first_week <= week and (self.last_week is None or week <= self.last_week)


@dataclass(frozen=True, slots=True)
class Protocol:
    """A way of giving one product, phase by phase.

    ``needs_signed`` are the clinic policies without which no plan can be signed; ``first_dose_rule`` carries the
    dose of the first session, ``limit_rule`` the limits of every session. ``chair_minutes`` is how long a chair is kept
    on the calendar; it is no clinical limit.
    """

    protocol_id: str
    version: int
    title: str
    basis: str
    off_label: bool
    product: str
    indication: str
    jurisdiction: tuple[str, ...]
    dose_unit: str
    preview_weeks: int
    chair_minutes: int
    weekday_offsets: tuple[int, ...]
    first_dose_rule: Rule
    limit_rule: Rule
    device_rule: Rule | None
    infusion_rule: Rule | None
    needs_signed: tuple[Rule, ...]
    phases: tuple[Phase, ...]

    def phase(self, phase_id: str) -> Phase:
        """Return a phase by its id; raises ``KeyError`` for another word."""
        for phase in self.phases:
            if phase.phase_id == phase_id:
                return phase
        raise KeyError(f"{self.protocol_id} has no phase {phase_id}")

    @property
    def first_dose(self) -> float:
        """The dose of the first session, in ``dose_unit``."""
        return self.first_dose_rule.number(_FIRST_DOSE[self.dose_unit])

    @property
    def most_sessions_per_week(self) -> int:
        """How many sessions the busiest week holds."""
        return max(phase.sessions_per_week for phase in self.phases)

    @property
    def infusion_min(self) -> float | None:
        """How long an infusion runs; ``None`` for a product that is not infused."""
        return self.infusion_rule.number("infusion_min") if self.infusion_rule else None

    def device_minutes(self, dose_mg: float) -> tuple[int, ...]:
        """Return the minute of each device of a dose, counted from the first (0, 5, 10 for three devices)."""
        if self.device_rule is None:
            return ()
        devices = int(dose_mg // self.device_rule.number("device_mg"))
        return tuple(int(n * self.device_rule.number("rest_min")) for n in range(devices))


_FIRST_DOSE = {"mg": "first_dose_mg", "mg/kg": "dose_mg_per_kg"}


def load_protocols(rules: RuleSet) -> Mapping[str, Protocol]:
    """Return the protocols of ``data/protocols/*.toml`` by id, each rule looked up in ``rules``."""
    folder = resources.files("ketacore.planning") / "data" / "protocols"
    found: dict[str, Protocol] = {}
    for file in sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name):
        protocol = parse_protocol(tomllib.loads(file.read_text(encoding="utf-8")), rules)
        found[protocol.protocol_id] = protocol
    return MappingProxyType(found)


def parse_protocol(record: Mapping[str, Any], rules: RuleSet) -> Protocol:
    """Return one protocol; raises ``RuleDataError`` when it names a rule that does not exist."""
    name = str(record.get("protocol_id", "a protocol without protocol_id"))

    def rule(rule_id: str) -> Rule:
        if rule_id not in rules.rules:
            raise RuleDataError(f"{name}: rule {rule_id} does not exist")
        return rules[rule_id]

    return Protocol(
        protocol_id=name,
        version=int(record["version"]),
        title=record["title"],
        basis=record["basis"],
        off_label=bool(record["off_label"]),
        product=record["product"],
        indication=record["indication"],
        jurisdiction=tuple(record["jurisdiction"]),
        dose_unit=record["dose_unit"],
        preview_weeks=int(record["preview_weeks"]),
        chair_minutes=int(record["chair_minutes"]),
        weekday_offsets=tuple(record["default_weekday_offsets"]),
        first_dose_rule=rule(record["first_dose_rule"]),
        limit_rule=rule(record["limit_rule"]),
        device_rule=rule(record["device_rule"]) if "device_rule" in record else None,
        infusion_rule=rule(record["infusion_rule"]) if "infusion_rule" in record else None,
        needs_signed=tuple(rule(rule_id) for rule_id in record["needs_signed"]),
        phases=tuple(_PARTS[p.get("part", "weeks")](p, rule(p["rule"])) for p in record["phase"]),
    )


def _by_weeks(record: Mapping[str, Any], rule: Rule) -> Phase:
    has = rule.parameters
    return Phase(
        phase_id=record["phase_id"],
        title=record["title"],
        rule=rule,
        first_week=int(rule.number("first_week")),
        last_week=int(rule.number("last_week")) if "last_week" in has else None,
        sessions_per_week=int(rule.number("sessions_per_week")) if "sessions_per_week" in has else 1,
        longest_interval_weeks=int(rule.number("longest_interval_weeks")) if "longest_interval_weeks" in has else 1,
    )


def _infusion_series(record: Mapping[str, Any], rule: Rule) -> Phase:
    return Phase(
        phase_id=record["phase_id"],
        title=record["title"],
        rule=rule,
        first_week=1,
        last_week=int(rule.number("series_weeks")),
        sessions_per_week=int(rule.number("infusions_per_week")),
        sessions=int(rule.number("infusions")),
    )


def _weekly_infusions(record: Mapping[str, Any], rule: Rule) -> Phase:
    before, count = int(rule.number("series_weeks")), int(rule.number("weekly_infusions"))
    return Phase(
        phase_id=record["phase_id"],
        title=record["title"],
        rule=rule,
        first_week=before + 1,
        last_week=before + count,
        sessions_per_week=1,
        sessions=count,
    )


_PARTS = {"weeks": _by_weeks, "series": _infusion_series, "weekly": _weekly_infusions}

PROTOCOLS: Mapping[str, Protocol] = load_protocols(RULES)
"""Every protocol the core knows, by id."""
