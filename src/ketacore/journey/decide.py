"""Where a person is on the pathway, what is next, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from ketacore.evidence import Rule, Setting, load_rules, standing
from ketacore.evidence import Standing as RuleStanding
from ketacore.journey.facts import INDUCTION_PHASES, Consent, JourneyFacts, Verdict
from ketacore.surveillance import add_months

REVIEW_RULE: Rule = load_rules("planning")["IVK-DOS-08"]
"""The one rule that sets a date for the review; it acts only while the medical director's signature stands."""


class Stage(StrEnum):
    """The stations of the pathway, in order."""

    REFERRAL = "referral"
    SCREENING = "screening"
    CONSENT = "consent"
    PLAN = "plan"
    INDUCTION = "induction"
    MAINTENANCE = "maintenance"
    REVIEW = "review"

    @property
    def word(self) -> str:
        """The word people read."""
        return self.value.capitalize()


STAGES: tuple[Stage, ...] = tuple(Stage)


class Outcome(StrEnum):
    """Why nothing more is to be done, if so."""

    DECLINED = "declined"
    ENDED = "ended"
    DECEASED = "deceased"


class StepState(StrEnum):
    """A station as the pathway line draws it."""

    DONE = "done"
    HERE = "here"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Step:
    """One station: done, here or later; the day it was reached (or is due, for a later one), and a short note."""

    stage: Stage
    state: StepState
    on: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is to be done next, why, and by when if a day is set."""

    what: str
    why: str
    stage: Stage
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person is. ``next`` is ``None`` once an ``outcome`` closed the way."""

    stage: Stage
    steps: tuple[Step, ...]
    next: NextStep | None
    outcome: Outcome | None = None


def where(facts: JourneyFacts, setting: Setting) -> Standing:
    """Return where the person stands on the pathway on ``setting.on``, what is next and why.

    The stage is the one that is under way: *Consent* means that the decision to treat stands and a valid
    consent is what is waited for. A person whose way is closed stays at the station that was reached.
    """
    stage = stage_of(facts, setting)
    outcome = outcome_of(facts)
    return Standing(
        stage=stage,
        steps=tuple(_step(facts, setting, step, stage) for step in STAGES),
        next=_NEXT[stage](facts, setting) if outcome is None else None,
        outcome=outcome,
    )


def outcome_of(facts: JourneyFacts) -> Outcome | None:
    """Return what closed the way: death, the end of the last plan, or the decision to decline; else ``None``."""
    if facts.deceased_on is not None:
        return Outcome.DECEASED
    if facts.plan_signed_on is not None:
        return None
    if facts.verdict is Verdict.DECLINE:
        return Outcome.DECLINED
    return Outcome.ENDED if _ended(facts) else None


def stage_of(facts: JourneyFacts, setting: Setting) -> Stage:
    """Return the station that is under way, or was when the way closed."""
    if facts.plan_signed_on is None:
        return _stage_of_ended(facts) if _ended(facts) else _stage_without_plan(facts)
    if consent_of(facts) is not Consent.VALID:
        return Stage.CONSENT
    if not facts.sessions_given:
        return Stage.PLAN
    due = review_due_on(facts, setting)
    if due is not None and due <= setting.on:
        return Stage.REVIEW
    return _stage_of_sessions(facts)


def consent_of(facts: JourneyFacts) -> Consent:
    """Return what the consent room said; where it was not asked, what the dates say."""
    if facts.consent is not None:
        return facts.consent
    if facts.consent_signed_on is not None:
        return Consent.VALID
    return Consent.WITHDRAWN if facts.consent_withdrawn_on is not None else Consent.MISSING


def _ended(facts: JourneyFacts) -> bool:
    """Whether the last plan is over and nobody has decided to treat again since."""
    if facts.plan_ended_on is None:
        return False
    again = facts.verdict is Verdict.TREAT and facts.verdict_on is not None and facts.verdict_on > facts.plan_ended_on
    return not again


def _stage_of_ended(facts: JourneyFacts) -> Stage:
    return _stage_of_sessions(facts) if facts.sessions_given else Stage.PLAN


def _stage_of_sessions(facts: JourneyFacts) -> Stage:
    return Stage.MAINTENANCE if facts.phase and facts.phase not in INDUCTION_PHASES else Stage.INDUCTION


def _stage_without_plan(facts: JourneyFacts) -> Stage:
    if facts.verdict is Verdict.TREAT:
        return Stage.PLAN if consent_of(facts) is Consent.VALID else Stage.CONSENT
    begun = facts.verdict is not None or facts.screening_began_on is not None
    return Stage.SCREENING if begun else Stage.REFERRAL


def review_due_on(facts: JourneyFacts, setting: Setting) -> date | None:
    """Return the day on which benefit and risk must be written down anew, counted from the plan's signature.

    ``None`` without a plan, and wherever no signed policy sets the interval.
    """
    if facts.plan_signed_on is None:
        return None
    if standing(REVIEW_RULE, replace(setting, product=facts.product)) is not RuleStanding.ACTIVE:
        return None
    return add_months(facts.plan_signed_on, int(REVIEW_RULE.number("review_months")))


# ---- the line ------------------------------------------------------------------------------------------------------


def _step(facts: JourneyFacts, setting: Setting, step: Stage, here: Stage) -> Step:
    on, note = _DATES[step](facts, setting)
    position = STAGES.index(step) - STAGES.index(here)
    state = StepState.HERE if position == 0 else StepState.DONE if position < 0 else StepState.LATER
    return Step(step, state, on, note)


def _referral(facts: JourneyFacts, _: Setting) -> tuple[date | None, str]:
    return facts.registered_on, ""


def _screening(facts: JourneyFacts, _: Setting) -> tuple[date | None, str]:
    if facts.verdict is not None:
        return facts.verdict_on, _VERDICT_NOTES[facts.verdict]
    return facts.screening_began_on, "under way" if facts.screening_began_on else ""


_VERDICT_NOTES = {Verdict.TREAT: "candidate", Verdict.WAIT: "waiting", Verdict.DECLINE: "declined"}


def _consent(facts: JourneyFacts, _: Setting) -> tuple[date | None, str]:
    state = consent_of(facts)
    if state is Consent.WITHDRAWN:
        return facts.consent_withdrawn_on, "withdrawn"
    if state is Consent.MISSING and facts.consent_signed_on is None:
        return None, ""
    return facts.consent_signed_on, _CONSENT_NOTES[state]


_CONSENT_NOTES = {
    Consent.VALID: "signed",
    Consent.EXPIRED: "expired",
    Consent.MISSING: "incomplete",
    Consent.OTHER_ROUTE: "for another product",
    Consent.NOT_KNOWN: "could not be checked",
}


def _plan(facts: JourneyFacts, _: Setting) -> tuple[date | None, str]:
    if facts.plan_signed_on is not None:
        return facts.plan_signed_on, "signed"
    return facts.plan_ended_on, "ended" if facts.plan_ended_on else ""


def _induction(facts: JourneyFacts, _: Setting) -> tuple[date | None, str]:
    given = facts.sessions_given
    counted = given and _stage_of_sessions(facts) is Stage.INDUCTION
    return facts.first_given_on, f"{given} session{'' if given == 1 else 's'} given" if counted else ""


def _maintenance(facts: JourneyFacts, _: Setting) -> tuple[date | None, str]:
    if facts.maintenance_since is None:
        return None, ""
    return facts.maintenance_since, f"session {facts.sessions_given}"


def _review(facts: JourneyFacts, setting: Setting) -> tuple[date | None, str]:
    due = review_due_on(facts, setting)
    return due, "due" if due else ""


_Dated = Callable[[JourneyFacts, Setting], tuple[date | None, str]]
_DATES: dict[Stage, _Dated] = {
    Stage.REFERRAL: _referral,
    Stage.SCREENING: _screening,
    Stage.CONSENT: _consent,
    Stage.PLAN: _plan,
    Stage.INDUCTION: _induction,
    Stage.MAINTENANCE: _maintenance,
    Stage.REVIEW: _review,
}


# ---- what is next --------------------------------------------------------------------------------------------------


def _next_referral(facts: JourneyFacts, _: Setting) -> NextStep:
    why = f"Referred on {_day(facts.registered_on)}; nothing has been asked yet."
    return NextStep("Begin the screening", why, Stage.SCREENING)


def _next_screening(facts: JourneyFacts, _: Setting) -> NextStep:
    if facts.verdict is Verdict.WAIT and facts.verdict_on is not None:
        why = f"The prescriber decided to wait on {_day(facts.verdict_on)}."
        return NextStep("Decide again on candidacy", why, Stage.SCREENING)
    since = f" since {_day(facts.screening_began_on)}" if facts.screening_began_on else ""
    why = f"The screening is under way{since}; the prescriber has not decided."
    return NextStep("Decide on candidacy", why, Stage.SCREENING)


def _next_consent(facts: JourneyFacts, setting: Setting) -> NextStep:
    if facts.plan_signed_on is not None and facts.verdict is not Verdict.TREAT:
        return _next_under_plan(facts, setting, "")
    signed = f" of {_day(facts.consent_signed_on)}" if facts.consent_signed_on else ""
    match consent_of(facts):
        case Consent.WITHDRAWN:
            when = f" on {_day(facts.consent_withdrawn_on)}" if facts.consent_withdrawn_on else ""
            what, why = "Speak about the consent", f"Consent was withdrawn{when}: no session may start."
        case Consent.EXPIRED:
            what, why = "Take consent anew", f"The consent{signed} no longer stands: no session may start."
        case Consent.NOT_KNOWN:
            what, why = "Look at the consent", f"Whether the consent{signed} covers the plan could not be checked."
        case _:
            since = f"Candidate since {_day(facts.verdict_on)}; " if facts.verdict_on else ""
            what, why = "Take consent", f"{since}no valid consent for this product is on record."
    return NextStep(what, why, Stage.CONSENT)


def _next_plan(facts: JourneyFacts, setting: Setting) -> NextStep:
    if facts.plan_signed_on is not None:
        return _next_under_plan(facts, setting, "the first session")
    signed = f"Consent was signed on {_day(facts.consent_signed_on)}; " if facts.consent_signed_on else ""
    return NextStep("Sign a plan", f"{signed}no plan stands.", Stage.PLAN)


def _next_treated(facts: JourneyFacts, setting: Setting) -> NextStep:
    return _next_under_plan(facts, setting, f"session {facts.sessions_given + 1}")


def _next_under_plan(facts: JourneyFacts, setting: Setting, words: str) -> NextStep:
    if facts.verdict is not Verdict.TREAT:
        said = f"says {facts.verdict.value}" if facts.verdict else "is missing"
        why = f"The newest decision on candidacy {said} while a plan stands."
        return NextStep("Decide whether treatment goes on", why, Stage.SCREENING)
    return _next_session(facts, setting, words)


def _next_session(facts: JourneyFacts, setting: Setting, words: str) -> NextStep:
    stage = stage_of(facts, setting)
    if facts.next_session_on is not None:
        why = f"Booked for {_day(facts.next_session_on)}."
        return NextStep(words.capitalize(), why, stage, facts.next_session_on)
    return NextStep(f"Book {words}", "The plan stands and no session is booked.", stage)


def _next_review(facts: JourneyFacts, setting: Setting) -> NextStep:
    due = review_due_on(facts, setting)
    signed = f" The plan was signed on {_day(facts.plan_signed_on)}." if facts.plan_signed_on else ""
    return NextStep(
        "Review benefit and risk", f"{REVIEW_RULE.title} ({REVIEW_RULE.rule_id}).{signed}", Stage.REVIEW, due
    )


_NEXT: dict[Stage, Callable[[JourneyFacts, Setting], NextStep]] = {
    Stage.REFERRAL: _next_referral,
    Stage.SCREENING: _next_screening,
    Stage.CONSENT: _next_consent,
    Stage.PLAN: _next_plan,
    Stage.INDUCTION: _next_treated,
    Stage.MAINTENANCE: _next_treated,
    Stage.REVIEW: _next_review,
}


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""
