"""What screening rests on: one frozen record of three-valued facts about one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from ketacore.evidence import Fact, Known
from ketacore.units import BloodPressure

PRODUCTS = ("esketamine-nasal", "ketamine-iv")
"""The products a person can be assessed for."""


class TrialOutcome(StrEnum):
    """What an antidepressant did for the depression."""

    RESPONSE = "response"
    PARTIAL = "partial"
    NONE = "none"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a trial ended. Intolerance is not failure."""

    LACK_OF_EFFECT = "lack_of_effect"
    INTOLERANCE = "intolerance"
    NON_ADHERENCE = "non_adherence"
    COST = "cost"
    OTHER = "other"
    UNKNOWN = "unknown"


class Adherence(StrEnum):
    """Whether the medicine was taken as agreed; shown, not decisive."""

    ADEQUATE = "adequate"
    DOUBTFUL = "doubtful"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Trial:
    """One antidepressant that was tried; ``None`` is unknown.

    ``days`` is the length of the whole trial, ``days_at_dose`` the longest time at or above the minimum dose.
    """

    drug: str
    max_daily_dose_mg: float | None = None
    days: int | None = None
    days_at_dose: int | None = None
    outcome: TrialOutcome = TrialOutcome.UNKNOWN
    reason_stopped: Reason = Reason.UNKNOWN
    adherence: Adherence = Adherence.UNKNOWN
    current_episode: bool | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine taken now: the name as written, the ingredient if known, where the entry came from."""

    name: str
    ingredient: str = ""
    source: str = ""


_NOT_ASKED: Fact[Any] = Fact.not_asked()


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """Everything screening asks about a person. A field left out was not asked.

    ``medicines_reviewed`` says that the list of medicines is complete and was checked by hand; without it a medicine
    that is not on the list is not known to be absent.
    """

    age_years: Fact[int] = _NOT_ASKED
    indication: Fact[str] = _NOT_ASKED
    oral_antidepressant: Fact[bool] = _NOT_ASKED
    ssri_or_snri: Fact[bool] = _NOT_ASKED
    trials: Fact[tuple[Trial, ...]] = _NOT_ASKED
    aneurysmal_disease: Fact[bool] = _NOT_ASKED
    arteriovenous_malformation: Fact[bool] = _NOT_ASKED
    intracerebral_haemorrhage: Fact[bool] = _NOT_ASKED
    hypersensitivity: Fact[bool] = _NOT_ASKED
    pressure_rise_risk: Fact[bool] = _NOT_ASKED
    cardiovascular_event: Fact[bool] = _NOT_ASKED
    cardiovascular_event_on: Fact[date] = _NOT_ASKED
    cardiovascular_disease: Fact[bool] = _NOT_ASKED
    hypertensive_encephalopathy: Fact[bool] = _NOT_ASKED
    psychosis_history: Fact[bool] = _NOT_ASKED
    psychosis_or_mania_now: Fact[bool] = _NOT_ASKED
    substance_misuse: Fact[bool] = _NOT_ASKED
    recent_drug_use: Fact[bool] = _NOT_ASKED
    regular_alcohol: Fact[bool] = _NOT_ASKED
    pregnant: Fact[bool] = _NOT_ASKED
    breastfeeding: Fact[bool] = _NOT_ASKED
    child_pugh: Fact[str] = _NOT_ASKED
    blood_pressure: Fact[BloodPressure] = _NOT_ASKED
    medicines: Fact[tuple[Medicine, ...]] = _NOT_ASKED
    medicines_reviewed: Fact[bool] = _NOT_ASKED


FACT_NAMES = tuple(f.name for f in fields(CandidateFacts))


def cautious(reports: Iterable[Fact[bool]]) -> Fact[bool]:
    """Return the one fact that several reports amount to (DEC-17).

    Where sources disagree the more cautious value decides: yes before not known, not known before no. The source of
    the result names every report, so that both are shown until a clinician has settled it.
    """
    told = [r for r in reports if r.state is not Known.NOT_ASKED]
    if not told:
        return Fact.not_asked()
    if len({r.value for r in told}) == 1:
        return told[0]
    deciding = min(told, key=lambda r: (True, None, False).index(r.value))
    source = "; ".join(f"{r.source or 'unnamed source'}: {_WORDS[r.value]}" for r in told)
    return Fact(deciding.state, deciding.value, f"sources disagree: {source}", deciding.at)


_WORDS = {True: "yes", False: "no", None: "not known"}
