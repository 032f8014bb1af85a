"""A decision lists what fired, what could not be evaluated, and why. An error is never a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from ketacore.evidence.rules import Effect, Rule, Setting, Standing, standing
from ketacore.evidence.truth import Truth

F = TypeVar("F")


class State(StrEnum):
    """What became of a rule when it was asked."""

    FIRED = "fired"
    CLEAR = "clear"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule asked about one person: the answer, its reasons, and the facts it lacked."""

    rule: Rule
    state: State
    because: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        """Return whether this finding holds the pathway: a stop that fired, or one that could not be checked."""
        return self.rule.effect.stops and self.state is not State.CLEAR


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one question, with everything it rests on.

    ``outcome`` is one of the words the room documents; ``findings`` are in the order of the rule data.
    """

    question: str
    outcome: str
    setting: Setting
    rule_pack: str
    findings: tuple[Finding, ...] = ()

    @property
    def fired(self) -> tuple[Finding, ...]:
        """Return the findings that fired."""
        return tuple(f for f in self.findings if f.state is State.FIRED)

    @property
    def clear(self) -> tuple[Finding, ...]:
        """Return the findings that were checked and did not fire."""
        return tuple(f for f in self.findings if f.state is State.CLEAR)

    @property
    def not_evaluated(self) -> tuple[Finding, ...]:
        """Return the findings that could not be checked."""
        return tuple(f for f in self.findings if f.state is State.NOT_EVALUATED)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the names of all missing facts, each once."""
        return tuple(dict.fromkeys(name for f in self.findings for name in f.missing))


class Refusal(Exception):
    """A request that may not be carried out: what was refused, because of what, and what to do about it."""

    def __init__(self, refused: str, because: Iterable[str], do: str) -> None:
        self.refused = refused
        self.because = tuple(because)
        self.do = do
        super().__init__(f"{refused}: {'; '.join(self.because)}. {do}")


Predicate = Callable[[F, Rule], Truth]


def evaluate(
    rules: Iterable[Rule], predicates: Mapping[str, Predicate[F]], facts: F, setting: Setting
) -> tuple[Finding, ...]:
    """Ask every rule that has a predicate and stands in ``setting``.

    Rules of another place, day or product are left out. A stop that is disabled or unsigned is reported as
    not evaluated, because its subject must never look as if it had been checked.
    """
    findings: list[Finding] = []
    for rule in rules:
        if rule.rule_id not in predicates:
            continue
        stands = standing(rule, setting)
        if stands is Standing.ACTIVE:
            findings.append(_ask(rule, predicates[rule.rule_id], facts))
        elif stands in (Standing.DISABLED, Standing.UNSIGNED):
            findings.append(Finding(rule, State.NOT_EVALUATED, (_WHY_NOT[stands],)))
    return tuple(findings)


_WHY_NOT = {
    Standing.DISABLED: "this rule is disabled until its source is checked",
    Standing.UNSIGNED: "this clinic policy is not signed by the medical director",
}


def _ask(rule: Rule, predicate: Predicate[F], facts: F) -> Finding:
    truth = predicate(facts, rule)
    if truth.value is None:
        return Finding(rule, State.NOT_EVALUATED, truth.because, truth.missing)
    return Finding(rule, State.FIRED if truth.value else State.CLEAR, truth.because)


def strongest(findings: Iterable[Finding]) -> Effect | None:
    """Return the strongest effect among fired findings, or ``None``."""
    order = list(Effect)
    fired = [f.rule.effect for f in findings if f.state is State.FIRED]
    return min(fired, key=order.index, default=None)
