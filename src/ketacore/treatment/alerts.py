"""Alerts: values that cross a limit the clinic has signed, and signs the label calls an emergency.

A limit without the medical director's signature is reported as not evaluated. An alert stays until the value is back
*and* somebody has acknowledged it by name. These are a secondary notice: the bedside monitor is the primary alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ketacore.evidence import Finding, Rule, Setting, Standing, State, standing
from ketacore.treatment.course import (
    baseline_pressure,
    first_dose_at,
    infusion_running,
    minutes_between,
    newest,
    pressures,
    readings,
)
from ketacore.treatment.events import AlertAcknowledged, Sedation, SymptomSeen
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import Phase, phase
from ketacore.treatment.questions import answered
from ketacore.treatment.rules import RULES, stands


class Priority(StrEnum):
    """How urgent an alert is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Alert:
    """One limit crossed. ``key`` is stable, so that an acknowledgement finds it; ``standing``: it still holds."""

    rule: Rule
    priority: Priority
    title: str
    at: datetime
    key: str
    do: str
    standing: bool = True
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it still asks for somebody: the value is not back, or nobody has acknowledged it."""
        return self.standing or not self.acknowledged_by


@dataclass(frozen=True, slots=True)
class AlertReport:
    """Every alert that still asks for somebody, most urgent first, and every limit that was not looked at."""

    raised: tuple[Alert, ...]
    not_evaluated: tuple[Finding, ...]

    @property
    def worst(self) -> Alert | None:
        """Return the alert to show first; unacknowledged ones go before the others."""
        return next((a for a in self.raised if not a.acknowledged_by), self.raised[0] if self.raised else None)


@dataclass(frozen=True, slots=True)
class _Sample:
    at: datetime
    key: str
    words: str
    crossed: bool


_Series = Callable[[SessionFacts, Rule], Iterable[_Sample]]
_IN_CARE = (Phase.DOSING, Phase.INFUSION, Phase.OBSERVATION, Phase.LEAVING)
_GIVING = (Phase.DOSING, Phase.INFUSION)
_CLOSED = (Phase.LEFT, Phase.STOPPED)
_ON_EVERY_ROUTE = "DEC-12"


def alerts(facts: SessionFacts, at: datetime, setting: Setting) -> AlertReport:
    """Return the alerts of a session at ``at``, and the limits that could not be looked at, with the reason."""
    raised: list[Alert] = []
    silent: list[Finding] = []
    for rule_id, (priority, series) in _LIMITS.items():
        rule = RULES[rule_id]
        why_not = _why_not(facts, rule, setting)
        if why_not is None:
            raised += _of_rule(facts, rule, priority, series, at)
        elif why_not:
            silent.append(Finding(rule, State.NOT_EVALUATED, (why_not,)))
    if stands("DEC-13", setting):
        raised += _on_site(facts, at)
    elif standing(RULES["DEC-13"], setting) is Standing.UNSIGNED:
        silent.append(Finding(RULES["DEC-13"], State.NOT_EVALUATED, (_UNSIGNED,)))
    known = [a for a in (_acknowledged(facts, a) for a in _without_softer(raised)) if a.open]
    order = list(Priority)
    known.sort(key=lambda a: (order.index(a.priority), -a.at.timestamp()))
    return AlertReport(tuple(known), tuple(silent))


_UNSIGNED = "this clinic policy is not signed by the medical director"
_WHY_NOT = {Standing.UNSIGNED: _UNSIGNED, Standing.DISABLED: "this rule is disabled until its source is checked"}


def _why_not(facts: SessionFacts, rule: Rule, setting: Setting) -> str | None:
    """Return why a limit is not looked at; ``None`` when it is, empty when it does not belong here."""
    stands_now = standing(rule, setting)
    if stands_now is not Standing.ACTIVE:
        return _WHY_NOT.get(stands_now, "")
    if facts.nasal and rule.rule_id.startswith("IVK-") and not stands(_ON_EVERY_ROUTE, setting):
        return f"{_ON_EVERY_ROUTE}: {_UNSIGNED}"
    return None


def _of_rule(facts: SessionFacts, rule: Rule, priority: Priority, series: _Series, at: datetime) -> list[Alert]:
    samples = list(series(facts, rule))
    crossings = [s for s in samples if s.crossed]
    if not crossings:
        return []
    last = crossings[-1]
    return [
        Alert(
            rule=rule,
            priority=priority,
            title=last.words,
            at=last.at,
            key=f"{rule.rule_id}@{last.key}",
            do=_what_to_do(facts, rule, priority, at),
            standing=samples[-1].crossed,
        )
    ]


def _what_to_do(facts: SessionFacts, rule: Rule, priority: Priority, at: datetime) -> str:
    """Return what is asked of whoever reads the alert: nobody can stop or pause what is no longer given."""
    now = phase(facts, at)
    if now in _CLOSED:
        return "The session is closed. Tell the clinician."
    if rule.rule_id in ("SPR-MON-05", "IVK-MON-04-SYMPTOM"):
        return "Stop. Emergency care at once." if now in _GIVING else "Emergency care at once."
    if priority is Priority.MEDIUM:
        return "Look at the patient and repeat the measurement."
    if now is not Phase.INFUSION:
        return "Call the clinician."
    return f"{'Pause the infusion' if infusion_running(facts) else 'Keep the infusion paused'}, call the clinician."


def _without_softer(raised: Iterable[Alert]) -> list[Alert]:
    """Leave out the softer of two limits crossed by the same reading."""
    found = list(raised)
    hard = {(_reading(a), a.rule.rule_id.removesuffix("-HARD")) for a in found if a.rule.rule_id.endswith("-HARD")}
    return [a for a in found if (_reading(a), a.rule.rule_id.removesuffix("-SOFT")) not in hard]


def _reading(alert: Alert) -> str:
    return alert.key.split("@", 1)[1]


def _acknowledged(facts: SessionFacts, alert: Alert) -> Alert:
    for event, seen in facts.of(AlertAcknowledged):
        if seen.alert == alert.key:
            return replace(alert, acknowledged_by=event.by, acknowledged_at=event.at)
    return alert


def _on_site(facts: SessionFacts, at: datetime) -> list[Alert]:
    rule = RULES["DEC-13"]
    start = first_dose_at(facts)
    if start is None or phase(facts, at) not in _IN_CARE:
        return []
    found = []
    since = newest([start, *(r.at for r in readings(facts, "oxygen_saturation") if r.at <= at)]) or start
    gap = timedelta(minutes=rule.number("max_gap_min"))
    if at - since > gap:
        words = f"No oxygen saturation for {minutes_between(since, at)} minutes"
        found.append(
            Alert(rule, Priority.MEDIUM, words, since + gap, f"DEC-13-SPO2@{since.isoformat()}", "Measure it now.")
        )
    prescriber = answered(facts, "prescriber_on_site")
    if prescriber.value is not True:
        asked = prescriber.at or start
        found.append(
            Alert(rule, Priority.MEDIUM, "No prescriber on site", asked, f"DEC-13-SITE@{asked.isoformat()}",
                  "Get a prescriber on site.")
        )  # fmt: skip
    return found


def _pressure_soft(facts: SessionFacts, rule: Rule) -> Iterable[_Sample]:
    base = baseline_pressure(facts)
    factor = 1 + rule.number("rise_percent") / 100
    for reading in pressures(facts, first_dose_at(facts)):
        if base is not None and reading.key == base.key and reading.at == base.at:
            continue
        rose = base is not None and (
            reading.value.systolic >= base.value.systolic * factor
            or reading.value.diastolic >= base.value.diastolic * factor
        )
        high = reading.value.systolic >= rule.number("systolic_from_mmhg") or reading.value.diastolic >= rule.number(
            "diastolic_from_mmhg"
        )
        words = f"Blood pressure {reading.value}" + (f", was {base.value} before the dose" if rose and base else "")
        yield _Sample(reading.at, reading.key, words, high or rose)


def _pressure_hard(facts: SessionFacts, rule: Rule) -> Iterable[_Sample]:
    for reading in pressures(facts, first_dose_at(facts)):
        high = reading.value.systolic >= rule.number("systolic_from_mmhg") or reading.value.diastolic >= rule.number(
            "diastolic_from_mmhg"
        )
        yield _Sample(reading.at, reading.key, f"Blood pressure {reading.value}", high)


def _outside(name: str, words: str) -> _Series:
    def series(facts: SessionFacts, rule: Rule) -> Iterable[_Sample]:
        below = rule.number("below_" + _UNIT[name])
        above = rule.parameters.get("above_" + _UNIT[name])
        for r in readings(facts, name):
            crossed = r.value < below or (above is not None and r.value > rule.number("above_" + _UNIT[name]))
            yield _Sample(r.at, r.key, words.format(r.value), crossed)

    return series


_UNIT = {"heart_rate": "per_min", "oxygen_saturation": "percent", "respiratory_rate": "per_min"}


def _moaas(facts: SessionFacts, rule: Rule) -> Iterable[_Sample]:
    for event, sedation in facts.of(Sedation):
        yield _Sample(event.at, event.key, f"MOAA/S {sedation.moaas}", sedation.moaas <= rule.number("at_most"))


def _symptom(facts: SessionFacts, rule: Rule) -> Iterable[_Sample]:
    """Yield the urgent symptoms; the last sample tells whether any of them still stands."""
    urgent = rule.words("urgent")
    present: dict[str, _Sample] = {}
    for event, seen in facts.of(SymptomSeen):
        if seen.symptom.value not in urgent:
            continue
        sample = _Sample(event.at, event.key, seen.symptom.words.capitalize(), seen.present)
        if seen.present:
            present[seen.symptom.value] = sample
        else:
            present.pop(seen.symptom.value, None)
        yield sample
    yield from present.values()


_LIMITS: Mapping[str, tuple[Priority, _Series]] = {
    "SPR-MON-05": (Priority.HIGH, _symptom),
    "IVK-MON-04-SYMPTOM": (Priority.HIGH, _symptom),
    "IVK-MON-04-BP-HARD": (Priority.HIGH, _pressure_hard),
    "IVK-MON-04-SPO2-HARD": (Priority.HIGH, _outside("oxygen_saturation", "Oxygen saturation {:.0f} %")),
    "IVK-MON-04-RR": (Priority.HIGH, _outside("respiratory_rate", "Breathing {:.0f} per minute")),
    "IVK-MON-04-MOAAS": (Priority.HIGH, _moaas),
    "IVK-MON-04-HR": (Priority.HIGH, _outside("heart_rate", "Heart rate {:.0f} per minute")),
    "IVK-MON-04-BP-SOFT": (Priority.MEDIUM, _pressure_soft),
    "IVK-MON-04-SPO2-SOFT": (Priority.MEDIUM, _outside("oxygen_saturation", "Oxygen saturation {:.0f} %")),
}
