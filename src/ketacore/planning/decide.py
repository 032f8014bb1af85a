"""The planning decisions: a dose at its place, a dose from a weight, a course as it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from ketacore.evidence import (
    RULE_PACK,
    Decision,
    Effect,
    Fact,
    Finding,
    Refusal,
    Rule,
    Setting,
    Standing,
    State,
    evaluate,
    standing,
)
from ketacore.planning.facts import CourseFacts, DoseFacts, WeightFacts
from ketacore.planning.protocols import Protocol
from ketacore.planning.rules import DOSE_PREDICATES, RULES, course_predicates, weight_predicates
from ketacore.planning.window import next_window
from ketacore.units import Dose, DosePerKg, Weight

ALLOWED, NEEDS_REASON, REFUSED, CANNOT_DECIDE = "allowed", "needs_reason", "refused", "cannot_decide"
COMPUTED, CONFIRM = "computed", "confirm"
CARRY_ON, PRESCRIBER_DECIDES = "carry_on", "prescriber_decides"
FITS = "fits"
LAPSE_RULES = ("SPR-DOS-10", "DEC-08")


@dataclass(frozen=True, slots=True)
class DoseChoice:
    """One dose somebody could choose, and what the rules say to it."""

    dose: float
    unit: str
    outcome: str
    rule_ids: tuple[str, ...]
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WeightDose:
    """A dose in mg from a dose per kilogram; ``dose`` is ``None`` while the weight awaits confirmation."""

    decision: Decision
    dose: Dose | None


def unsigned_needs(protocol: Protocol, setting: Setting) -> tuple[Rule, ...]:
    """Return the clinic policies the protocol needs and the medical director has not signed."""
    here = replace(setting, product=protocol.product)
    return tuple(rule for rule in protocol.needs_signed if standing(rule, here) is not Standing.ACTIVE)


def check_protocol(protocol: Protocol, setting: Setting) -> None:
    """Raise ``Refusal`` where the protocol does not hold: another country, or a policy that is not signed."""
    if not any(
        place in ("*", setting.jurisdiction, setting.jurisdiction.split("-")[0]) for place in protocol.jurisdiction
    ):
        raise Refusal(
            f"The protocol {protocol.title}",
            [f"it holds in {', '.join(protocol.jurisdiction)}, this clinic is in {setting.jurisdiction}"],
            "Choose a protocol of this jurisdiction.",
        )
    unsigned = unsigned_needs(protocol, setting)
    if unsigned:
        raise Refusal(
            f"The protocol {protocol.title}",
            [f"{rule.rule_id}, {rule.title}: not signed by the medical director" for rule in unsigned],
            "The medical director signs these clinic policies first.",
        )


def assess_dose(protocol: Protocol, facts: DoseFacts, setting: Setting) -> Decision:
    """Say whether a dose fits its place: ``allowed``, ``needs_reason``, ``refused`` or ``cannot_decide``."""
    here = replace(setting, product=protocol.product)
    findings = evaluate(RULES, DOSE_PREDICATES, facts, here)
    return Decision("dose", _dose_outcome(findings), here, RULE_PACK, findings)


def _dose_outcome(findings: tuple[Finding, ...]) -> str:
    fired = {f.rule.effect for f in findings if f.state is State.FIRED}
    if Effect.HARD_STOP in fired:
        return REFUSED
    if not findings or any(f.stops and f.state is State.NOT_EVALUATED for f in findings):
        return CANNOT_DECIDE
    return NEEDS_REASON if Effect.SOFT_STOP in fired else ALLOWED


def check_dose(protocol: Protocol, facts: DoseFacts, setting: Setting, *, reason: str = "") -> Decision:
    """Return the decision on a dose; raise a ``Refusal`` that names the rule when it may not be planned.

    A dose outside the protocol's table passes with the prescriber's ``reason``; a hard stop does not pass here.
    """
    decision = assess_dose(protocol, facts, setting)
    if decision.outcome == ALLOWED or (decision.outcome == NEEDS_REASON and reason.strip()):
        return decision
    do = {
        REFUSED: "Choose a dose the protocol allows.",
        NEEDS_REASON: "Choose a dose of the protocol, or give a reason.",
        CANNOT_DECIDE: "Answer what is missing, or have the clinic policy signed.",
    }[decision.outcome]
    raise Refusal("This dose", _told(decision) or ("no rule of this place could be asked",), do)


def _told(decision: Decision) -> tuple[str, ...]:
    stops = [f for f in decision.findings if f.stops]
    return tuple(f"{f.rule.rule_id}: {'; '.join(f.because) or _lacks(f)}" for f in stops)


def _lacks(finding: Finding) -> str:
    return f"not known: {', '.join(name.replace('_', ' ') for name in finding.missing)}"


def allowed_doses(
    protocol: Protocol, phase: str, previous_dose_mg: float | None, setting: Setting
) -> tuple[DoseChoice, ...]:
    """Return the doses somebody may think of in a phase, each with what the rules say to it.

    ``previous_dose_mg`` is ``None`` when no session was given yet: then the first day is meant.
    """
    return tuple(_choice(protocol, dose, phase, previous_dose_mg, setting) for dose in _candidates(protocol))


def _candidates(protocol: Protocol) -> tuple[float, ...]:
    if protocol.dose_unit == "mg/kg":
        described = protocol.first_dose_rule
        low, high = (described.number(f"{end}_described_mg_per_kg") for end in ("lowest", "highest"))
        return (low, protocol.first_dose, high)
    step, most = protocol.limit_rule.number("step_mg"), protocol.limit_rule.number("max_dose_mg")
    return tuple(step * n for n in range(1, int(most // step) + 1))


def _choice(
    protocol: Protocol, dose: float, phase: str, previous_dose_mg: float | None, setting: Setting
) -> DoseChoice:
    decision = assess_dose(protocol, dose_facts(protocol, dose, phase, previous_dose_mg), setting)
    stops = tuple(f for f in decision.findings if f.stops)
    return DoseChoice(
        dose=dose,
        unit=protocol.dose_unit,
        outcome=decision.outcome,
        rule_ids=tuple(f.rule.rule_id for f in stops),
        because=_told(decision),
    )


def dose_facts(
    protocol: Protocol,
    dose: float,
    phase: str,
    previous_dose_mg: float | None,
    *,
    interval_weeks: float | None = None,
    infusion_min: float | None = None,
) -> DoseFacts:
    """Return the facts of a dose in the protocol's own unit, with its usual infusion time and spacing."""
    per_kg = protocol.dose_unit == "mg/kg"
    minutes = infusion_min if infusion_min is not None else protocol.infusion_min
    weeks = interval_weeks if interval_weeks is not None else protocol.phase(phase).longest_interval_weeks
    return DoseFacts(
        first_session=Fact.of(previous_dose_mg is None),
        phase=Fact.of(phase),
        dose_mg=Fact.not_asked() if per_kg else Fact.of(dose),
        dose_mg_per_kg=Fact.of(dose) if per_kg else Fact.not_asked(),
        infusion_min=Fact.not_asked() if minutes is None else Fact.of(minutes),
        previous_dose_mg=Fact.not_asked() if previous_dose_mg is None else Fact.of(previous_dose_mg),
        interval_weeks=Fact.of(weeks),
    )


def dose_for(protocol: Protocol, dose_mg_per_kg: float, facts: WeightFacts, setting: Setting) -> WeightDose:
    """Return the dose of a protocol per kilogram in mg; raises ``Refusal`` for a protocol in fixed milligrams."""
    if protocol.dose_unit != "mg/kg":
        raise Refusal(
            "Computing a dose from the weight",
            [f"{protocol.title} is given in fixed milligrams"],
            "Choose one of its doses.",
        )
    return dose_for_weight(dose_mg_per_kg, facts, replace(setting, product=protocol.product))


def dose_for_weight(dose_mg_per_kg: float, facts: WeightFacts, setting: Setting) -> WeightDose:
    """Return the dose in mg for a weight: ``computed``, ``confirm`` (a person confirms first) or ``cannot_decide``.

    A weight that is too old, has changed or lies outside the usual range is confirmed first (DEC-09), and so is one
    with no earlier weight beside it. Nothing is rounded. Without the signed policy nothing is computed.
    """
    findings = evaluate(RULES, weight_predicates(setting.on), facts, setting)
    outcome = _weight_outcome(findings, facts)
    weight = facts.weight_kg.value
    dose = None
    if outcome == COMPUTED and weight is not None:
        dose = DosePerKg(dose_mg_per_kg).for_weight(Weight(weight))
    return WeightDose(Decision("dose_for_weight", outcome, setting, RULE_PACK, findings), dose)


def _weight_outcome(findings: tuple[Finding, ...], facts: WeightFacts) -> str:
    unsigned = any(f.state is State.NOT_EVALUATED and not f.missing for f in findings)
    if not facts.weight_kg.known or not facts.measured_on.known or unsigned or not findings:
        return CANNOT_DECIDE
    if all(f.state is State.CLEAR for f in findings) or facts.confirmed:
        return COMPUTED
    return CONFIRM


def assess_course(facts: CourseFacts, setting: Setting) -> Decision:
    """Say whether treatment goes on as planned: ``carry_on``, ``prescriber_decides`` or ``cannot_decide``.

    A long lapse never resumes by itself: where the clinic has not signed what follows it, nothing is decided.
    """
    findings = evaluate(RULES, course_predicates(setting.on), facts, setting)
    return Decision("course", _course_outcome(findings), setting, RULE_PACK, findings)


def _course_outcome(findings: tuple[Finding, ...]) -> str:
    fired = [f for f in findings if f.state is State.FIRED]
    if any(f.rule.effect.stops or f.rule.effect is Effect.TASK for f in fired):
        return PRESCRIBER_DECIDES
    lapsed = any(f.rule.rule_id == "SPR-DOS-10" for f in fired)
    if lapsed or not findings or any(f.missing for f in findings):
        return CANNOT_DECIDE
    return CARRY_ON


def assess_day(protocol: Protocol, given_on: Sequence[date], setting: Setting) -> Decision:
    """Say whether the day of ``setting`` is one for a session: ``fits`` or ``prescriber_decides``.

    ``given_on`` are the days of the sessions given in the course, in the order of time. A day before the window of
    the protocol, after a lapse, or after the protocol's end is the prescriber's decision, never a routine.
    """
    if not given_on:
        finding = Finding(protocol.phases[0].rule, State.CLEAR, ("the first session of the course",))
        return Decision("session_day", FITS, setting, RULE_PACK, (finding,))
    last = CourseFacts(last_given_on=Fact.of(given_on[-1]))
    lapse = {rule_id: course_predicates(setting.on)[rule_id] for rule_id in LAPSE_RULES}
    findings = (_in_window(protocol, given_on, setting.on), *evaluate(RULES, lapse, last, setting))
    outcome = PRESCRIBER_DECIDES if any(f.state is State.FIRED for f in findings) else FITS
    return Decision("session_day", outcome, setting, RULE_PACK, findings)


def _in_window(protocol: Protocol, given_on: Sequence[date], on: date) -> Finding:
    window = next_window(protocol, given_on, None)
    told = f"last session on {given_on[-1].isoformat()}"
    if window is None:
        why = f"{len(given_on)} sessions given, the protocol is at its end"
        return Finding(protocol.phases[-1].rule, State.FIRED, (why,))
    if on < window.earliest_on:
        why = f"{told}; by the protocol the next is not before {window.earliest_on.isoformat()}"
        return Finding(window.phase.rule, State.FIRED, (why,))
    return Finding(window.phase.rule, State.CLEAR, (told,))
