"""Three-valued facts: present, absent, unknown. Missing is never negative."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Known(StrEnum):
    """Why a fact has a value, or has none."""

    KNOWN = "known"
    NOT_ASKED = "not_asked"
    ASKED_NOT_KNOWN = "asked_not_known"


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """One fact about a person: a value with its source and time, or the reason why there is none.

    ``Fact.of(True, ...)`` is present, ``Fact.of(False, ...)`` absent; ``Fact.not_asked()`` and
    ``Fact.not_known()`` are both unknown, and a decision tells them apart.
    """

    state: Known
    value: T | None = None
    source: str = ""
    at: datetime | None = None

    @classmethod
    def of(cls, value: T, source: str = "", at: datetime | None = None) -> Fact[T]:
        """Return a known fact."""
        return cls(Known.KNOWN, value, source, at)

    @classmethod
    def not_asked(cls) -> Fact[T]:
        """Return a fact nobody has asked about."""
        return cls(Known.NOT_ASKED)

    @classmethod
    def not_known(cls, source: str = "", at: datetime | None = None) -> Fact[T]:
        """Return a fact that was asked about and that nobody could tell."""
        return cls(Known.ASKED_NOT_KNOWN, None, source, at)

    @property
    def known(self) -> bool:
        """Return whether there is a value."""
        return self.state is Known.KNOWN


@dataclass(frozen=True, slots=True)
class Truth:
    """The answer of a predicate: yes, no, or unknown with the names of the facts that are missing.

    Combines by Kleene's strong logic: ``unknown and no`` is no, ``unknown or yes`` is yes.
    """

    value: bool | None
    because: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __and__(self, other: Truth) -> Truth:
        if self.value is False or other.value is False:
            return Truth(False, _because(t for t in (self, other) if t.value is False))
        if self.value is None or other.value is None:
            return Truth(None, _because((self, other)), _missing((self, other)))
        return Truth(True, _because((self, other)))

    def __or__(self, other: Truth) -> Truth:
        if self.value is True or other.value is True:
            return Truth(True, _because(t for t in (self, other) if t.value is True))
        if self.value is None or other.value is None:
            return Truth(None, _because((self, other)), _missing((self, other)))
        return Truth(False, _because((self, other)))

    def __invert__(self) -> Truth:
        return Truth(None if self.value is None else not self.value, self.because, self.missing)


def yes(*because: str) -> Truth:
    """Return a certain yes."""
    return Truth(True, because)


def no(*because: str) -> Truth:
    """Return a certain no."""
    return Truth(False, because)


def unknown(*missing: str) -> Truth:
    """Return "cannot be told", naming the facts that are missing."""
    return Truth(None, (), missing)


def present(name: str, fact: Fact[bool], words: str) -> Truth:
    """Return whether a yes-or-no fact is present; ``words`` say it in a sentence, ``name`` names it."""
    if fact.value is None:
        return unknown(name)
    told = f"{words} ({fact.source})" if fact.source else words
    return yes(told) if fact.value else no()


def any_of(truths: Iterable[Truth]) -> Truth:
    """Return the Kleene "or" of many truths; of none, no."""
    result = no()
    for truth in truths:
        result = result | truth
    return result


def all_of(truths: Iterable[Truth]) -> Truth:
    """Return the Kleene "and" of many truths; of none, yes."""
    result = yes()
    for truth in truths:
        result = result & truth
    return result


def _because(truths: Iterable[Truth]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for truth in truths for text in truth.because))


def _missing(truths: Iterable[Truth]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for truth in truths for name in truth.missing))
