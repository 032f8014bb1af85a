"""When the next session should be: a window, its rules, and what the clinician must decide. Never an order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ketacore.evidence import (
    RULE_PACK,
    Decision,
    Effect,
    Fact,
    Finding,
    Refusal,
    Setting,
    Standing,
    State,
    evaluate,
    standing,
)
from ketacore.maintenance.facts import NextSessionFacts
from ketacore.planning import (
    PROTOCOLS,
    RULES,
    CourseFacts,
    DoseFacts,
    Protocol,
    assess_course,
    phase_on,
    unsigned_needs,
)
from ketacore.planning.decide import LAPSE_RULES
from ketacore.planning.rules import DOSE_PREDICATES
from ketacore.planning.window import DAYS, Window, next_window, week_of

NOT_STARTED, PROPOSED, CHOOSE_INTERVAL = "not_started", "proposed", "choose_interval"
DECIDE_FIRST, LAPSED, OPEN_ENDED, CANNOT_DECIDE = "decide_first", "lapsed", "open_ended", "cannot_decide"

OUTCOMES = {
    NOT_STARTED: "no session was given yet",
    PROPOSED: "the next session by the protocol",
    CHOOSE_INTERVAL: "the protocol leaves the spacing open: choose it",
    DECIDE_FIRST: "decide what is open before the next session",
    LAPSED: "too long since the last session: a prescriber decides whether and how to go on",
    OPEN_ENDED: "the protocol is at its end: the next session is an individual decision",
    CANNOT_DECIDE: "cannot be told",
}
INDIVIDUAL_RULE = "IVK-DOS-06"
LONG_INTERVAL_RULE = "SPR-DOS-12"


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next session as a proposal: the clinician answers it.

    ``window`` is empty where nothing may be proposed. ``decide`` lists in words what the clinician has to decide.
    ``overdue_days`` counts from the last day of the window.
    """

    decision: Decision
    window: Window | None = None
    decide: tuple[str, ...] = ()
    overdue_days: int = 0

    @property
    def outcome(self) -> str:
        """The word of the decision."""
        return self.decision.outcome

    @property
    def in_words(self) -> str:
        """The outcome in words."""
        return OUTCOMES[self.outcome]

    @property
    def earliest_on(self) -> date | None:
        """First day of the window."""
        return self.window.earliest_on if self.window else None

    @property
    def latest_on(self) -> date | None:
        """Last day of the window."""
        return self.window.latest_on if self.window else None

    @property
    def due_on(self) -> date | None:
        """The day the rhythm points to, if one was chosen."""
        return self.window.due_on if self.window else None


def next_session_due(facts: NextSessionFacts, setting: Setting) -> Proposal:
    """Return the proposal for the next session of one course, as of the day of ``setting``.

    Raises ``Refusal`` for an unknown protocol or sessions that are not in the order of time.
    """
    protocol = _protocol(facts)
    here = replace(setting, product=protocol.product)
    unsigned = unsigned_needs(protocol, here)
    if unsigned:
        why = "this clinic policy is not signed by the medical director"
        findings = tuple(Finding(rule, State.NOT_EVALUATED, (why,)) for rule in unsigned)
        return Proposal(
            _decision(CANNOT_DECIDE, here, findings), None, ("The protocol's clinic policies are not signed.",)
        )
    if not facts.given_on:
        return _first(protocol, facts, here)
    return _after_sessions(protocol, facts, here)


def _protocol(facts: NextSessionFacts) -> Protocol:
    if facts.protocol_id not in PROTOCOLS:
        raise Refusal(
            "Proposing the next session",
            [f"there is no protocol {facts.protocol_id}"],
            f"Use one of: {', '.join(PROTOCOLS)}.",
        )
    if list(facts.given_on) != sorted(facts.given_on):
        raise Refusal(
            "Proposing the next session", ["the sessions are not in the order of time"], "Put the earliest first."
        )
    return PROTOCOLS[facts.protocol_id]


def _decision(outcome: str, setting: Setting, findings: tuple[Finding, ...]) -> Decision:
    return Decision("next_session", outcome, setting, RULE_PACK, findings)


def _first(protocol: Protocol, facts: NextSessionFacts, setting: Setting) -> Proposal:
    phase, on = protocol.phases[0], facts.starts_on.value
    if on is None:
        finding = Finding(phase.rule, State.NOT_EVALUATED, (), ("starts_on",))
        return Proposal(_decision(CANNOT_DECIDE, setting, (finding,)), None, ("Choose the first day.",))
    finding = Finding(phase.rule, State.FIRED, (f"the plan begins on {on.isoformat()}",))
    overdue = max((setting.on - on).days, 0)
    return Proposal(_decision(NOT_STARTED, setting, (finding,)), Window(on, on, on, 1, phase), (), overdue)


def _after_sessions(protocol: Protocol, facts: NextSessionFacts, setting: Setting) -> Proposal:
    first = next_window(protocol, facts.given_on, facts.interval_weeks.value)
    window = first and _from(first, protocol, facts, setting.on)
    course = assess_course(_course(protocol, facts, setting.on), setting)
    findings = course.findings + tuple(_schedule(protocol, facts, window, setting))
    outcome = _outcome(facts, window, findings, setting)
    own = window.phase.rule.rule_id if window else ""
    if outcome in (LAPSED, CANNOT_DECIDE):
        window = None
    overdue = max((setting.on - first.latest_on).days, 0) if first and window else 0
    decide = tuple(_to_decide(outcome, facts, window, findings, own))
    return Proposal(_decision(outcome, setting, findings), window, decide, overdue)


def _course(protocol: Protocol, facts: NextSessionFacts, on: date) -> CourseFacts:
    first, last, count = facts.given_on[0], facts.given_on[-1], len(facts.given_on)
    place = phase_on(protocol, first, max(on, first), given=count)
    phase = place.phase if place else None
    return CourseFacts(
        phase=Fact.of(phase.phase_id if phase else "after the protocol"),
        first_given_on=Fact.of(first),
        last_given_on=Fact.of(last),
        sessions_given=Fact.of(count),
        sessions_missed=facts.sessions_missed,
        worse=facts.worse,
        improvement_percent=facts.improvement_percent,
        evaluated_on=facts.evaluated_on,
    )


def _schedule(
    protocol: Protocol, facts: NextSessionFacts, window: Window | None, setting: Setting
) -> Iterator[Finding]:
    if window is None:
        individual = RULES[INDIVIDUAL_RULE]
        state = State.FIRED if standing(individual, setting) is Standing.ACTIVE else State.NOT_EVALUATED
        yield Finding(individual, state, (f"{len(facts.given_on)} sessions given, the protocol is at its end",))
        return
    rule, phase = window.phase.rule, window.phase
    if standing(rule, setting) is not Standing.ACTIVE:
        yield Finding(rule, State.NOT_EVALUATED, ("this schedule does not hold in this place or on this day",))
        return
    last = facts.given_on[-1]
    yield Finding(rule, State.FIRED, (f"last session {last.isoformat()}, next in {phase.title.lower()}",))
    if phase.longest_interval_weeks > 1 and facts.interval_weeks.known:
        spacing = DoseFacts(phase=Fact.of(phase.phase_id), interval_weeks=_as_number(facts.interval_weeks))
        yield from evaluate(RULES, {LONG_INTERVAL_RULE: DOSE_PREDICATES[LONG_INTERVAL_RULE]}, spacing, setting)


def _as_number(fact: Fact[int]) -> Fact[float]:
    return Fact(fact.state, None if fact.value is None else float(fact.value), fact.source, fact.at)


def _outcome(facts: NextSessionFacts, window: Window | None, findings: tuple[Finding, ...], setting: Setting) -> str:
    fired = {f.rule.rule_id: f.rule.effect for f in findings if f.state is State.FIRED}
    if any(rule_id in fired for rule_id in LAPSE_RULES):
        return LAPSED
    if window is None:
        return OPEN_ENDED
    if standing(window.phase.rule, setting) is not Standing.ACTIVE:
        return CANNOT_DECIDE
    course = {k: e for k, e in fired.items() if k != window.phase.rule.rule_id}
    if any(effect.stops or effect is Effect.TASK for effect in course.values()):
        return DECIDE_FIRST
    return CHOOSE_INTERVAL if window.due_on is None else PROPOSED


def _to_decide(
    outcome: str, facts: NextSessionFacts, window: Window | None, findings: tuple[Finding, ...], own: str
) -> Iterator[str]:
    if outcome in (LAPSED, OPEN_ENDED, CANNOT_DECIDE):
        yield f"{OUTCOMES[outcome][0].upper()}{OUTCOMES[outcome][1:]}."
    for finding in findings:
        asks = finding.rule.effect.stops or finding.rule.effect is Effect.TASK
        if finding.state is State.FIRED and asks and finding.rule.rule_id != own:
            yield f"{finding.rule.title}: {'; '.join(finding.because)}."
    if window is not None and window.phase.longest_interval_weeks > 1:
        yield from _spacing(facts, window)


def _spacing(facts: NextSessionFacts, window: Window) -> Iterator[str]:
    longest = window.phase.longest_interval_weeks
    chosen = facts.interval_weeks.value
    if chosen is None:
        yield f"Choose the spacing: every week or every {longest} weeks, the least frequent that keeps the response."
    elif chosen < longest and facts.holds_response.value is True:
        yield f"The response holds at every week: would every {longest} weeks keep it too?"
    elif facts.holds_response.value is False:
        yield f"The response does not hold at every {chosen} week{'s' if chosen > 1 else ''}: is the spacing right?"


def _from(window: Window, protocol: Protocol, facts: NextSessionFacts, on: date) -> Window:
    """Move a window that has passed to what is left of the present course week and to the phase of that week.

    Missed sessions are not made up.
    """
    if on <= window.latest_on:
        return window
    first = facts.given_on[0]
    place = phase_on(protocol, first, on, given=len(facts.given_on))
    end = first + timedelta(days=DAYS * week_of(first, on) - 1)
    phase = place.phase if place and place.phase else window.phase
    return replace(window, earliest_on=on, latest_on=end, week=week_of(first, on), phase=phase)
