"""The questions this room answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from ketacore.evidence import (
    RULE_PACK,
    Decision,
    Finding,
    Predicate,
    Refusal,
    Setting,
    Standing,
    State,
    evaluate,
    no,
    standing,
    yes,
)
from ketacore.treatment.alerts import alerts
from ketacore.treatment.course import (
    devices_planned,
    dosing_over_at,
    first_dose_at,
    infusion_running,
    mg_given,
    minutes_between,
)
from ketacore.treatment.events import (
    AlertAcknowledged,
    AnswerGiven,
    DeviceGiven,
    Discharged,
    Event,
    InfusionPaused,
    InfusionResumed,
    InfusionStarted,
    PrescriberDecision,
    ReleaseSigned,
    StopOutcome,
    Stopped,
)
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import Phase, check_step, phase
from ketacore.treatment.questions import QUESTIONS
from ketacore.treatment.release import LIMIT_RULES, RELEASE, Leaving
from ketacore.treatment.rules import DEVICE, RULES
from ketacore.treatment.start import START

_DECIDABLE = frozenset(rule.rule_id for rule in RULES if rule.override.roles)
_DOSE_ROUNDING_MG = 0.05
"""Half of the last digit to which a pump and this record keep milligrams."""


def may_start(facts: SessionFacts, setting: Setting) -> Decision:
    """Return whether the first dose may be given: ``may_start`` or ``blocked``, with every gate met, unmet or unknown.

    A finding that fired is an unmet gate, one that is clear a met gate, one not evaluated an unknown gate; an unknown
    gate holds like an unmet one.
    """
    findings = evaluate(RULES, {**START, "KC-GATE-07": _way_home(setting)}, facts, setting)
    outcome = "blocked" if not findings or any(f.stops for f in findings) else "may_start"
    return Decision("may_start", outcome, setting, RULE_PACK, findings)


def _way_home(setting: Setting) -> Predicate[SessionFacts]:
    """Return the predicate that holds while a policy of the leave gate waits for its signature."""
    needed = [RULES[rule_id] for rule_id in (*RELEASE, *LIMIT_RULES)]
    unsigned = [f"{rule.rule_id} is not signed" for rule in needed if standing(rule, setting) is Standing.UNSIGNED]
    return lambda facts, rule: yes(*unsigned) if unsigned else no()


def ready_for_discharge(facts: SessionFacts, at: datetime, setting: Setting) -> Decision:
    """Return whether the patient may go home at ``at``: ``ready`` or ``not_yet``, with every condition."""
    findings = evaluate(RULES, RELEASE, Leaving(facts, at, setting), setting)
    outcome = "not_yet" if not findings or any(f.stops for f in findings) else "ready"
    return Decision("ready_for_discharge", outcome, setting, RULE_PACK, findings)


class HeldBack(Refusal):
    """A rule says no to something that can happen all the same, and may have happened while nobody could ask."""


def check_event(facts: SessionFacts, event: Event, setting: Setting) -> None:
    """Refuse an event that the phase, the start gate, the dose steps or the leave gate do not allow."""
    if isinstance(event.what, Discharged) and phase(facts, event.at) is Phase.OBSERVATION:
        # Too early is one condition among others: whoever asks hears all that is open, not only the time.
        _check_discharge(facts, event.at, setting)
    check_step(facts, event)
    _check_about(facts, event, setting)
    for check in _checks(facts, event, setting):
        check()


def held_back(facts: SessionFacts, event: Event, setting: Setting) -> tuple[HeldBack, ...]:
    """Return every rule that would have held back an event that happened while this could not be asked.

    A gate cannot undo what was done: it is recorded with what the gate would have said. What contradicts the entries
    before it, or is nobody's to write, is refused as ever.
    """
    check_step(facts, event)
    _check_about(facts, event, setting)
    found = []
    for check in _checks(facts, event, setting):
        try:
            check()
        except HeldBack as held:
            found.append(held)
    return tuple(found)


def _checks(facts: SessionFacts, event: Event, setting: Setting) -> tuple[Callable[[], None], ...]:
    """Return what is asked of an event once its phase allows it, in the order in which it is asked."""
    what, start = event.what, partial(_check_start, facts, event, setting)
    match what:
        case DeviceGiven():
            state = partial(_check_device_state, what, event.at, setting)
            return (start, partial(_check_device, facts, what), partial(_check_rest, facts, what, event.at), state)
        case InfusionStarted():
            return (start, partial(_check_infusion, facts, what), partial(_check_drug, facts, what, setting))
        case InfusionPaused() | InfusionResumed():
            return (partial(_check_flow, facts, what), partial(_check_rate, facts, what))
        case ReleaseSigned():
            return (partial(_check_signer, event),)
        case Discharged():
            return (partial(_check_discharge, facts, event.at, setting),)
        case Stopped():
            return (partial(_check_stop, facts, what),)
        case _:
            return ()


def _check_signer(event: Event) -> None:
    if event.by_role != "prescriber":
        raise Refusal("Signing the release", ["only a prescriber signs it"], "Call the prescriber.")


def _check_about(facts: SessionFacts, event: Event, setting: Setting) -> None:
    """Refuse an entry about a question, a stop or an alert that this session does not have."""
    match event.what:
        case AnswerGiven(question=name) if name not in QUESTIONS:
            raise Refusal("Recording the answer", [f"there is no question {name}"], "Open the page again.")
        case PrescriberDecision(about=name) if name not in _DECIDABLE:
            raise Refusal("Recording the decision", [f"no stop {name} can be decided about"], "Open the page again.")
        case AlertAcknowledged(alert=key) if key not in {a.key for a in alerts(facts, event.at, setting).raised}:
            raise Refusal("Acknowledging", ["there is no such alert, or no longer"], "Open the page again.")
        case _:
            pass


def _lines(decision: Decision) -> list[str]:
    return [f"{f.rule.title} ({f.rule.rule_id}): {_what_is_open(f)}" for f in decision.findings if f.stops]


def _what_is_open(finding: Finding) -> str:
    """Return why a condition holds; of one that cannot be told only what is missing, not what speaks for it."""
    if finding.state is not State.NOT_EVALUATED or not finding.missing:
        return "; ".join(finding.because)
    questions = [m for m in finding.missing if m.endswith("?")]
    others = [m for m in finding.missing if m not in questions]
    parts = [f"not answered: {q}" for q in questions] + ([f"missing: {', '.join(others)}"] if others else [])
    return "; ".join(parts)


def _check_start(facts: SessionFacts, event: Event, setting: Setting) -> None:
    if first_dose_at(facts) is not None:
        return
    known = tuple(e for e in facts.events if e.at <= event.at)  # what came after a dose opened no gate before it
    decision = may_start(replace(facts, events=known), setting)
    if decision.outcome != "may_start":
        raise HeldBack(
            "Giving the first dose",
            _lines(decision) or ["no rule of the start gate stands in this place"],
            "Complete what is open, or let the prescriber decide where a rule allows it.",
        )


def _check_device(facts: SessionFacts, device: DeviceGiven) -> None:
    planned = devices_planned(facts)
    given = facts.of(DeviceGiven)
    title = f"Recording device {device.number}"
    if planned is None or device.number > planned:
        raise Refusal(title, [f"today's dose takes {planned or 'no'} devices"], "Check the plan of today.")
    if device.number != len(given) + 1:
        raise Refusal(title, [f"the next device is number {len(given) + 1}"], "Record the devices in order.")


def _check_rest(facts: SessionFacts, device: DeviceGiven, at: datetime) -> None:
    given = facts.of(DeviceGiven)
    if not given:
        return
    rest = timedelta(minutes=DEVICE.number("rest_min"))
    due = given[-1][0].at + rest
    if at < due:
        raise HeldBack(
            f"Recording device {device.number}",
            [f"{DEVICE.rule_id}: {DEVICE.number('rest_min'):.0f} minutes of rest after each device; "
             f"{minutes_between(at, due) + 1} to go"],
            "Wait until the rest is over.",
        )  # fmt: skip


def _check_device_state(device: DeviceGiven, at: datetime, setting: Setting) -> None:
    wrong = []
    if device.expires_on < setting.on:
        wrong.append(f"SPR-ADM-01: it expired on {device.expires_on.isoformat()}")
    if not device.two_green_dots_before:
        wrong.append("SPR-ADM-01: two green dots before the spray are not confirmed")
    if not device.not_primed:
        wrong.append("SPR-ADM-01: it is not confirmed that the device was not primed")
    if not device.no_green_dots_after:
        wrong.append(
            "SPR-ADM-03: it is not confirmed that no green dot remains; if one does, the patient sprays again into the "
            "second nostril"
        )
    if wrong:
        raise HeldBack(
            f"Recording device {device.number}",
            wrong,
            "Confirm what you saw. A device that fails is discarded; one with a dot left is finished.",
        )


_STARTING = "Starting the infusion"


def _check_infusion(facts: SessionFacts, start: InfusionStarted) -> None:
    if facts.nasal:
        raise Refusal(_STARTING, ["this session gives nasal devices"], "Check the plan of today.")


def _check_drug(facts: SessionFacts, start: InfusionStarted, setting: Setting) -> None:
    if start.expires_on < setting.on:
        raise HeldBack(_STARTING, [f"the drug expired on {start.expires_on.isoformat()}"], "Take another vial.")
    planned = facts.dose_mg.value
    total = start.rate_mg_per_min * start.planned_min
    if planned is None or total > planned + _DOSE_ROUNDING_MG:
        raise HeldBack(
            _STARTING,
            [f"{start.rate_mg_per_min:g} mg/min for {start.planned_min:g} minutes is {total:.1f} mg; "
             f"today's dose is {f'{planned:.1f} mg' if planned is not None else 'not set'}"],
            "Set the rate to today's dose.",
        )  # fmt: skip


def _check_flow(facts: SessionFacts, what: InfusionPaused | InfusionResumed) -> None:
    running = infusion_running(facts)
    if isinstance(what, InfusionPaused) and not running:
        raise Refusal("Pausing the infusion", ["it is not running"], "Nothing to do.")
    if isinstance(what, InfusionResumed) and running:
        raise Refusal("Resuming the infusion", ["it is running"], "Nothing to do.")


def _check_rate(facts: SessionFacts, what: InfusionPaused | InfusionResumed) -> None:
    started = facts.last(InfusionStarted)
    if not isinstance(what, InfusionResumed) or what.rate_mg_per_min is None or started is None:
        return
    if what.rate_mg_per_min > started[1].rate_mg_per_min:
        raise HeldBack(
            "Resuming the infusion",
            [f"{what.rate_mg_per_min:g} mg/min is faster than the {started[1].rate_mg_per_min:g} mg/min it began with"],
            "Resume at the same rate or a lower one.",
        )


def _check_discharge(facts: SessionFacts, at: datetime, setting: Setting) -> None:
    decision = ready_for_discharge(facts, at, setting)
    if decision.outcome != "ready":
        raise HeldBack(
            "Letting the patient go home",
            _lines(decision) or ["no rule of the leave gate stands in this place"],
            "Keep observing, and complete what is open.",
        )


def _check_stop(facts: SessionFacts, stop: Stopped) -> None:
    begun = first_dose_at(facts) is not None
    if begun and stop.outcome is StopOutcome.NOT_STARTED:
        raise Refusal(
            "Closing the session",
            ["a dose was given: the patient stays under observation until the leave gate opens"],
            "End dosing early and keep observing, or record a transfer or that the patient left without release.",
        )
    if not begun and stop.outcome is StopOutcome.LEFT_WITHOUT_RELEASE:
        raise Refusal("Closing the session", ["no dose was given"], "Record that the session was not started.")


def rems_minutes(facts: SessionFacts, at: datetime) -> int | None:
    """Return the minutes the REMS form asks for: first device to the end of monitoring (SPR-MON-07)."""
    start = first_dose_at(facts)
    if start is None or not facts.nasal:
        return None
    left = facts.last(Discharged)
    return minutes_between(start, left[0].at if left else at)


def dose_given_mg(facts: SessionFacts, at: datetime) -> float:
    """Return the drug given by ``at`` in mg: devices times content, or rate times time, to a tenth."""
    return round(mg_given(facts, at), 1)


def dose_complete(facts: SessionFacts, at: datetime) -> bool | None:
    """Return whether the planned dose was given in full; ``None`` while dosing goes on or no dose was set."""
    if dosing_over_at(facts) is None or facts.dose_mg.value is None:
        return None
    return mg_given(facts, at) >= facts.dose_mg.value - _DOSE_ROUNDING_MG
