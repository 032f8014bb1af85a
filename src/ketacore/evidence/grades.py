"""Who says so, how well it was checked, and who looked at it last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

DESIGN_SOURCE_KEY = "design"


class Grade(StrEnum):
    """How well a statement was checked against its primary text."""

    A = "A"
    A_OLD = "A-old"
    B = "B"
    C = "C"
    D = "D"

    @property
    def meaning(self) -> str:
        """One plain sentence for the reason card."""
        return _MEANINGS[self]


_MEANINGS = {
    Grade.A: "checked against the primary text",
    Grade.A_OLD: "checked against an older version of the document; re-check against the current one",
    Grade.B: "taken from a secondary source; a person checked the primary before it was enabled",
    Grade.C: "not yet checked against the primary text; without effect",
    Grade.D: "clinic policy; has effect only while the medical director's signature stands",
}


@dataclass(frozen=True, slots=True)
class Source:
    """The document a rule rests on.

    ``key`` is the short name used across the rule data, ``section`` the place in the document, ``version``
    the edition that was read, ``checked_on`` the day a person read it there.
    """

    key: str
    title: str
    section: str
    version: str
    checked_on: date
    url: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """Four eyes on a rule: who wrote it, who checked it, when it must be looked at again."""

    author: str
    checker: str
    reviewed_on: date
    review_due: date

    def overdue(self, on: date) -> bool:
        """Return whether the next review should have happened before ``on``."""
        return on > self.review_due
