"""The leave gate: one predicate per rule. Yes means the rule keeps the patient here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ketacore.evidence import (
    Predicate,
    Rule,
    Setting,
    Standing,
    Truth,
    all_of,
    any_of,
    no,
    standing,
    unknown,
    yes,
)
from ketacore.treatment.alerts import Priority, alerts
from ketacore.treatment.course import (
    Pressure,
    Reading,
    baseline_pressure,
    baseline_reading,
    dosing_over_at,
    first_dose_at,
    last_dissociation,
    last_sedation,
    minutes_between,
    pressures,
    readings,
)
from ketacore.treatment.events import Dissociation, DissociationLevel, EscortSeen, InstructionsGiven, ReleaseSigned
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.questions import answered
from ketacore.treatment.rules import RULES, stands
from ketacore.treatment.start import closed_by, decided


@dataclass(frozen=True, slots=True)
class Leaving:
    """A session at the moment at which somebody asks whether the patient may go."""

    facts: SessionFacts
    at: datetime
    setting: Setting

    @property
    def over_at(self) -> datetime | None:
        """Since when no more drug is given."""
        return dosing_over_at(self.facts)

    @property
    def after(self) -> tuple[Pressure, ...]:
        """The blood pressures after dosing began."""
        start = first_dose_at(self.facts)
        base = baseline_pressure(self.facts)
        return tuple(p for p in pressures(self.facts, start) if p != base) if start else ()


_NO_DOSE = "end of dosing"


def _elapsed(parameter: str, anchor: str) -> Predicate[Leaving]:
    """Return a predicate: the minutes since the first dose, the last one or the end of dosing are not enough yet."""

    def predicate(leaving: Leaving, rule: Rule) -> Truth:
        since = first_dose_at(leaving.facts) if anchor == "start" else leaving.over_at
        if since is None or leaving.over_at is None:
            return unknown(_NO_DOSE)
        needed = timedelta(minutes=rule.number(parameter))
        passed = leaving.at - since
        told = f"{minutes_between(since, max(leaving.at, since))} of {rule.number(parameter):.0f} minutes"
        return no(told) if passed >= needed else yes(told)

    return predicate


def _infusion_time(leaving: Leaving, rule: Rule) -> Truth:
    parts = (_elapsed("min_from_start_min", "start"), _elapsed("min_from_end_min", "end"))
    return any_of(part(leaving, rule) for part in parts)


def _falling(leaving: Leaving, rule: Rule) -> Truth:
    """The label: blood pressure is decreasing. What counts as that is DEC-11, asked beside it."""
    base, after = baseline_pressure(leaving.facts), leaving.after
    if base is None or not after:
        return unknown("blood pressure before the dose" if base is None else "blood pressure after the dose")
    numbers = RULES["DEC-11"]
    down = all_of(
        _component_down([p.value.systolic for p in (base, *after)], numbers, "systolic")
        if part == "systolic"
        else _component_down([p.value.diastolic for p in (base, *after)], numbers, "diastolic")
        for part in ("systolic", "diastolic")
    )
    return ~down


def _component_down(values: list[int], numbers: Rule, name: str) -> Truth:
    base, *after = values
    told = f"{name} {base} before, then {', '.join(map(str, after))}"
    most = numbers.number("rose_more_than_mmhg")
    if max(after) - base <= most:
        return yes(f"{told}: never more than {most:g} mmHg above")
    return no(told) if after[-1] >= max(after) else yes(told)


def _within_bounds(leaving: Leaving, rule: Rule) -> Truth:
    """DEC-11: falling, and the last reading below the bound or near the reading before the dose."""
    base, after = baseline_pressure(leaving.facts), leaving.after
    if base is None or not after:
        return unknown("blood pressure before the dose" if base is None else "blood pressure after the dose")
    last = after[-1].value
    below = last.systolic < rule.number("systolic_below_mmhg") and last.diastolic < rule.number("diastolic_below_mmhg")
    near = abs(last.systolic - base.value.systolic) <= rule.number("within_systolic_mmhg") and abs(
        last.diastolic - base.value.diastolic
    ) <= rule.number("within_diastolic_mmhg")
    told = f"{last} mmHg, {base.value} before the dose"
    return _falling(leaving, rule) | (no(told) if below or near else yes(told))


def _forty_minute_reading(leaving: Leaving, rule: Rule) -> Truth:
    over = leaving.over_at
    if over is None:
        return unknown(_NO_DOSE)
    minute = {p.at: (p.at - over).total_seconds() / 60 for p in leaving.after}
    early, until, late = (rule.number(n) for n in ("from_min", "until_min", "late_until_min"))
    for at, passed in minute.items():
        if early <= passed <= until:
            return no(f"taken {minutes_between(over, at)} minutes after the last device")
    for at, passed in minute.items():
        if until < passed < late:
            return no(f"late: taken {minutes_between(over, at)} minutes after the last device")
    if (leaving.at - over).total_seconds() / 60 < late:
        return unknown("blood pressure 40 minutes after the last device")
    return _never_taken(leaving, rule, over + timedelta(minutes=late))


def _never_taken(leaving: Leaving, rule: Rule, since: datetime) -> Truth:
    later = [p.at for p in leaving.after if p.at >= since]
    apart = timedelta(minutes=rule.number("later_apart_min"))
    enough = len(later) >= rule.number("later_readings") and later[-1] - later[0] >= apart
    decision = decided(leaving.facts, rule, leaving.over_at)
    if decision is None or decision.value:
        return yes("never taken, and the prescriber has recorded no reason")
    if not enough:
        return yes("never taken: two later readings at least 10 minutes apart are needed")
    return no("never taken; two later readings", *decision.because)


def _observed_lately(leaving: Leaving, rule: Rule) -> Truth:
    if leaving.over_at is None:
        return unknown(_NO_DOSE)
    since = leaving.at - timedelta(minutes=rule.number("max_age_min"))
    missing = [
        name
        for name, seen in (
            ("blood pressure", any(p.at >= since for p in leaving.after)),
            ("sedation", last_sedation(leaving.facts, since) is not None),
            ("dissociation", last_dissociation(leaving.facts, since) is not None),
        )
        if not seen
    ]
    told = f"in the last {rule.number('max_age_min'):.0f} minutes"
    return unknown(*(f"{name} {told}" for name in missing)) if missing else no(told)


def _awake(parameter: str) -> Predicate[Leaving]:
    def predicate(leaving: Leaving, rule: Rule) -> Truth:
        last = last_sedation(leaving.facts, leaving.over_at) if leaving.over_at else None
        if last is None:
            return unknown("sedation after the dose")
        told = f"MOAA/S {last[1].moaas}"
        return no(told) if last[1].moaas >= rule.number(parameter) else yes(told)

    return predicate


_LEVELS = list(DissociationLevel)


def _dissociation_gone(leaving: Leaving, rule: Rule) -> Truth:
    last = last_dissociation(leaving.facts, leaving.over_at) if leaving.over_at else None
    if last is None:
        return unknown("dissociation after the dose")
    return no("none") if last[1].level is DissociationLevel.NONE else yes(f"still {last[1].level}")


def _dissociation_as_before(leaving: Leaving, rule: Rule) -> Truth:
    gone = _dissociation_gone(leaving, rule)
    start = first_dose_at(leaving.facts)
    before = [d for e, d in leaving.facts.of(Dissociation) if start is not None and e.at < start]
    last = leaving.facts.last(Dissociation, leaving.over_at)
    if gone.value and before and last and _LEVELS.index(last[1].level) <= _LEVELS.index(before[-1].level):
        return no(f"{last[1].level}, as before the dose")
    return gone


def _breathing(leaving: Leaving, rule: Rule) -> Truth:
    over = leaving.over_at
    if over is None:
        return unknown(_NO_DOSE)
    return any_of((closed_by(leaving.facts, "breathing_normal", over), _oximetry(leaving, over)))


LIMIT_RULES = ("IVK-MON-04-SPO2-HARD", "DEC-12")
"""What the clinic signs so that a saturation can be judged at all: the limit, and that it holds on every route."""


def _oximetry(leaving: Leaving, since: datetime) -> Truth:
    """The label names no number: the clinic's signed limit is one, and without it no value is called normal."""
    measured = readings(leaving.facts, "oxygen_saturation", since)
    if not measured:
        return unknown("oxygen saturation after the dose")
    limit = RULES[LIMIT_RULES[0]]
    unsigned = [rule_id for rule_id in LIMIT_RULES if standing(RULES[rule_id], leaving.setting) is Standing.UNSIGNED]
    if unsigned:
        return unknown(f"a signed limit for oxygen saturation ({', '.join(unsigned)})")
    told = f"SpO2 {measured[-1].value:.0f} %"
    below = limit.number("below_percent")
    return yes(f"{told}, below {below:g} %") if measured[-1].value < below else no(told)


def _question(question: str) -> Predicate[Leaving]:
    """Return a predicate over a question that counts only when asked after dosing was over."""

    def predicate(leaving: Leaving, rule: Rule) -> Truth:
        if leaving.over_at is None:
            return unknown(_NO_DOSE)
        return closed_by(leaving.facts, question, leaving.over_at)

    return predicate


def _escort(leaving: Leaving, rule: Rule) -> Truth:
    last = leaving.facts.last(EscortSeen)
    if last is None:
        return unknown("escort")
    return no(f"{last[1].name} is here") if last[1].here else yes(f"{last[1].name} is expected, not here yet")


def _told(leaving: Leaving, rule: Rule) -> Truth:
    return no("given") if leaving.facts.last(InstructionsGiven) else unknown("written instructions")


def _signed(leaving: Leaving, rule: Rule) -> Truth:
    urgent = [a.title for a in alerts(leaving.facts, leaving.at, leaving.setting).raised
              if a.priority is Priority.HIGH and a.standing]  # fmt: skip
    signed = leaving.facts.last(ReleaseSigned, leaving.over_at) if leaving.over_at else None
    if urgent:
        open_too = [] if signed else ["the prescriber has not signed"]
        return yes(*(f"urgent: {title}" for title in urgent), *open_too)
    return no(f"signed by {signed[0].by}") if signed else unknown("prescriber's sign-off")


def _on_site(leaving: Leaving, rule: Rule) -> Truth:
    """DEC-13 asks when the saturation was measured; whether its value is good other rules judge."""
    last = readings(leaving.facts, "oxygen_saturation")
    current = bool(last) and leaving.at - last[-1].at <= timedelta(minutes=rule.number("max_gap_min"))
    measured = no(_when_measured(leaving, last[-1])) if current else unknown("current oxygen saturation")
    prescriber = answered(leaving.facts, "prescriber_on_site")
    if prescriber.value is None:
        return measured | unknown("prescriber on site")
    return measured | (no("a prescriber is on site") if prescriber.value else yes("no prescriber on site"))


SATURATION_LIMITS = ("IVK-MON-04-SPO2-HARD", "IVK-MON-04-SPO2-SOFT")
"""The clinic's limits for saturation, the harder one first."""


def _when_measured(leaving: Leaving, reading: Reading) -> str:
    minutes = minutes_between(reading.at, leaving.at)
    when = f"{minutes} minute{'' if minutes == 1 else 's'} ago" if minutes > 0 else "just now"
    told = f"saturation measured {when}: {reading.value:.0f} %"
    watched = not leaving.facts.nasal or stands("DEC-12", leaving.setting)
    limits = [RULES[rule_id] for rule_id in SATURATION_LIMITS if watched and stands(rule_id, leaving.setting)]
    crossed = [limit for limit in limits if reading.value < limit.number("below_percent")]
    return f"{told}, below the clinic limit of {crossed[0].number('below_percent'):g} %" if crossed else told


def _pressure_back(leaving: Leaving, rule: Rule) -> Truth:
    if leaving.over_at is None:
        return unknown(_NO_DOSE)
    base, after = baseline_pressure(leaving.facts), leaving.after
    if base is None or not after:
        return unknown("blood pressure before the dose" if base is None else "blood pressure after the dose")
    last = after[-1].value
    factor = 1 + rule.number("within_percent") / 100
    near = last.systolic <= base.value.systolic * factor and last.diastolic <= base.value.diastolic * factor
    below = last.systolic < rule.number("systolic_below_mmhg") and last.diastolic < rule.number("diastolic_below_mmhg")
    told = f"{last} mmHg, {base.value} before the dose"
    return no(told) if near or (below and _falling(leaving, rule).value is False) else yes(told)


def _saturation_back(leaving: Leaving, rule: Rule) -> Truth:
    base = baseline_reading(leaving.facts, "oxygen_saturation")
    after = readings(leaving.facts, "oxygen_saturation", leaving.over_at) if leaving.over_at else ()
    if base is None or not after:
        return unknown("oxygen saturation before the dose" if base is None else "oxygen saturation after the dose")
    told = f"SpO2 {after[-1].value:.0f} %, {base.value:.0f} % before the dose"
    return no(told) if after[-1].value >= base.value else yes(told)


RELEASE: Mapping[str, Predicate[Leaving]] = {
    "SPR-MON-01": _elapsed("min_observation_min", "end"),
    "SPR-MON-07-D": _elapsed("min_from_last_device_min", "end"),
    "SPR-MON-04": _falling,
    "DEC-11": _within_bounds,
    "DEC-10": _forty_minute_reading,
    "SPR-MON-08-END": _observed_lately,
    "SPR-MON-11-SEDATION": _awake("awake_moaas"),
    "SPR-MON-11-DISSOCIATION": _dissociation_gone,
    "SPR-MON-11-BREATHING": _breathing,
    "DEC-13": _on_site,
    "SPR-MON-10": _escort,
    "SPR-MON-10-TOLD": _told,
    "SPR-MON-04-STABLE": _signed,
    "DIS-05-TIME": _infusion_time,
    "IVK-MON-01-END": _observed_lately,
    "DIS-03-D": _awake("needed"),
    "DIS-05-ORIENTED": _question("oriented"),
    "DIS-05-GAIT": _question("gait_steady"),
    "DIS-05-BP": _pressure_back,
    "DIS-05-SPO2": _saturation_back,
    "DIS-05-DISSOCIATION": _dissociation_as_before,
    "DIS-05-IDEATION": _question("new_suicidal_thoughts"),
    "DIS-05-ESCORT": _escort,
    "DIS-05-TOLD": _told,
    "DIS-05-SIGNED": _signed,
}
"""The rules of the leave gate."""
