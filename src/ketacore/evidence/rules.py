"""A rule is a record: text, numbers, source, grade, jurisdiction, dates, reviewers. Its logic is a named predicate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from ketacore.evidence.grades import Grade, Review, Source

Number = int | float
Parameter = Number | str | bool | tuple[str, ...]


class Kind(StrEnum):
    """What a rule is about."""

    ELIGIBILITY = "eligibility"
    CONTRAINDICATION = "contraindication"
    PREDOSE = "predose"
    DOSE = "dose"
    ADMINISTRATION = "administration"
    MONITORING = "monitoring"
    DISCHARGE = "discharge"
    INTERACTION = "interaction"
    LONG_TERM = "long_term"
    REGULATORY = "regulatory"
    FORM = "form"
    SCORING = "scoring"
    STAGING = "staging"
    CONSENT = "consent"
    CRISIS = "crisis"
    INFORMATION = "information"


class Effect(StrEnum):
    """What a rule does when it fires, strongest first."""

    HARD_STOP = "hard_stop"
    SOFT_STOP = "soft_stop"
    TASK = "task"
    NOTICE = "notice"
    RECORD = "record"
    PARAMETER = "parameter"

    @property
    def stops(self) -> bool:
        """Return whether firing holds the pathway until a person with the right has decided."""
        return self in (Effect.HARD_STOP, Effect.SOFT_STOP)


@dataclass(frozen=True, slots=True)
class Override:
    """Who may pass a stop, and what it takes."""

    roles: tuple[str, ...] = ()
    reason_required: bool = True
    second_signoff: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule record, as ``docs/clinical/`` shows it.

    ``parameters`` hold every number by name with its unit in the name (``min_observation_min``);
    ``jurisdiction`` is never empty; empty ``product`` means every product.
    """

    rule_id: str
    rule_version: int
    kind: Kind
    effect: Effect
    title: str
    text: str
    jurisdiction: tuple[str, ...]
    grade: Grade
    source: Source
    review: Review
    effective_from: date
    enabled: bool
    effective_to: date | None = None
    expires: date | None = None
    product: tuple[str, ...] = ()
    route: tuple[str, ...] = ()
    indication: tuple[str, ...] = ()
    phase: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    override: Override = Override()
    supersedes: tuple[str, ...] = ()
    conflicts_with: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def in_force(self, on: date) -> bool:
        """Return whether the rule's dates cover ``on`` (the day of the session, not today)."""
        last = min((d for d in (self.effective_to, self.expires) if d is not None), default=None)
        return self.effective_from <= on and (last is None or on <= last)

    def number(self, name: str) -> float:
        """Return a numeric parameter; raises ``KeyError`` if the record has none of that name."""
        value = self.parameters[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise KeyError(f"{self.rule_id}: parameter {name} is not a number")
        return float(value)

    def words(self, name: str) -> tuple[str, ...]:
        """Return a parameter that is a list of words; raises ``KeyError`` otherwise."""
        value = self.parameters[name]
        if not isinstance(value, tuple):
            raise KeyError(f"{self.rule_id}: parameter {name} is not a list")
        return value


@dataclass(frozen=True, slots=True)
class Approval:
    """The medical director's signature under one clinic policy (grade D), for one version of the rule."""

    rule_id: str
    rule_version: int
    approved_by: str
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class SignedPolicies:
    """The clinic policies in force: without a signature a grade-D rule has no effect."""

    approvals: tuple[Approval, ...] = ()

    def approval(self, rule: Rule) -> Approval | None:
        """Return the signature under this version of ``rule``, or ``None``."""
        for approval in self.approvals:
            if (approval.rule_id, approval.rule_version) == (rule.rule_id, rule.rule_version):
                return approval
        return None


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when a rule set is asked: jurisdiction, day of the session, product, signed policies."""

    jurisdiction: str
    on: date
    product: str = ""
    policies: SignedPolicies = SignedPolicies()


class Standing(StrEnum):
    """Whether a rule may act in a setting, and if not, why."""

    ACTIVE = "active"
    ELSEWHERE = "elsewhere"
    OUT_OF_DATE = "out_of_date"
    DISABLED = "disabled"
    UNSIGNED = "unsigned"


def standing(rule: Rule, setting: Setting) -> Standing:
    """Return whether ``rule`` acts in ``setting``.

    A jurisdiction ``US`` covers its parts (``US-PA``); ``*`` covers every place.
    """
    if not _covers(rule, setting):
        return Standing.ELSEWHERE
    if not rule.in_force(setting.on):
        return Standing.OUT_OF_DATE
    if rule.grade is Grade.D:
        signed = setting.policies.approval(rule) is not None
        return Standing.ACTIVE if signed else Standing.UNSIGNED
    return Standing.ACTIVE if rule.enabled else Standing.DISABLED


def _covers(rule: Rule, setting: Setting) -> bool:
    place = any(j in ("*", setting.jurisdiction, setting.jurisdiction.split("-")[0]) for j in rule.jurisdiction)
    return place and (not rule.product or not setting.product or setting.product in rule.product)
