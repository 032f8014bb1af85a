"""Which antidepressant trials count, which do not, which could: treatment resistance with its gaps shown."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from ketacore.evidence import RuleSet, Setting, Standing, load_rules, standing
from ketacore.screening.facts import Adherence, Reason, Trial, TrialOutcome
from ketacore.screening.recognition import plain

_RULES: RuleSet = load_rules("screening")

WHOLE_TRIAL = "time at full dose not recorded; the whole trial is counted"
DOUBTFUL = "adherence doubtful"
"""Notes on a trial: shown, not decisive."""


@dataclass(frozen=True, slots=True)
class MinimumDose:
    """The smallest daily dose at which a drug's trial can be adequate; ``None`` where no rule exists.

    ``standard_mg`` is a second table's higher standard dose: between the two the answer is unknown.
    """

    name: str
    ingredient: str
    min_mg: float | None
    standard_mg: float | None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One trial: whether it counts as an adequate failed trial (``None``: cannot be told), and why."""

    trial: Trial
    ingredient: str
    counts: bool | None
    why: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialsAssessment:
    """All trials together: how many different ingredients count, and how many could."""

    results: tuple[TrialResult, ...]
    certain: int
    possible: int

    @property
    def open_names(self) -> tuple[str, ...]:
        """Return the drugs whose trial cannot be told."""
        return tuple(r.trial.drug for r in self.results if r.counts is None)


def _load() -> dict[str, MinimumDose]:
    file = resources.files("ketacore.screening") / "data" / "antidepressants.toml"
    doses: dict[str, MinimumDose] = {}
    for record in tomllib.loads(file.read_text(encoding="utf-8"))["drug"]:
        dose = MinimumDose(record["name"], record["ingredient"], record.get("min_mg"), record.get("standard_mg"))
        for name in (record["name"], *record.get("also", [])):
            doses[plain(name)] = dose
    return doses


_DOSES = _load()


def minimum_dose(drug: str) -> MinimumDose | None:
    """Return the dose rule for a drug as written (``Venlafaxine XR``), or ``None``."""
    return _DOSES.get(plain(drug))


def ingredient_of(drug: str) -> str:
    """Return the ingredient of a drug as written; for one that is not in the table, its first word."""
    dose = minimum_dose(drug)
    if dose is not None:
        return dose.ingredient
    return (plain(drug).split() or [""])[0]


def assess_trials(trials: Iterable[Trial], setting: Setting) -> TrialsAssessment:
    """Return which trials count towards treatment resistance in this setting (TRD-01, DEC-21)."""
    results = tuple(_assess(trial, setting) for trial in trials)
    certain = {r.ingredient for r in results if r.counts is True}
    possible = {r.ingredient for r in results if r.counts is not False}
    return TrialsAssessment(results, len(certain), len(possible))


def _assess(trial: Trial, setting: Setting) -> TrialResult:
    checks = (_episode(trial), _dose(trial), _length(trial, setting), _failure(trial, setting))
    refused = tuple(why for counts, why in checks if counts is False)
    open_ = tuple(why for counts, why in checks if counts is None)
    counts = False if refused else None if open_ else True
    if counts is False and trial.reason_stopped is Reason.INTOLERANCE:
        refused = (*refused, "not tolerated is not failed")
    return TrialResult(trial, ingredient_of(trial.drug), counts, refused or open_, _notes(trial))


_Check = tuple[bool | None, str]


def _episode(trial: Trial) -> _Check:
    if trial.current_episode is None:
        return None, "episode not known"
    return trial.current_episode, "" if trial.current_episode else "in an earlier episode"


def _dose(trial: Trial) -> _Check:
    rule = minimum_dose(trial.drug)
    if rule is None or rule.min_mg is None:
        return None, "dose rule missing"
    if trial.max_daily_dose_mg is None:
        return None, "dose not known"
    if trial.max_daily_dose_mg < rule.min_mg:
        return False, f"below {rule.min_mg:g} mg a day"
    if rule.standard_mg is not None and trial.max_daily_dose_mg < rule.standard_mg:
        return None, f"sources disagree: {rule.min_mg:g} or {rule.standard_mg:g} mg a day"
    return True, ""


def _length(trial: Trial, setting: Setting) -> _Check:
    rule = _RULES["TRD-01-D"]
    if standing(rule, setting) is not Standing.ACTIVE:
        return None, "shortest adequate length not set by clinic policy"
    needed = rule.number("min_trial_days")
    days = trial.days if trial.days_at_dose is None else trial.days_at_dose
    if days is None:
        return None, "length not known"
    return days >= needed, "" if days >= needed else f"under {needed / 7:g} weeks"


def _failure(trial: Trial, setting: Setting) -> _Check:
    if trial.outcome is TrialOutcome.UNKNOWN:
        return None, "outcome not known"
    if trial.outcome is TrialOutcome.RESPONSE:
        return False, "it worked"
    if trial.outcome is TrialOutcome.NONE:
        return True, ""
    if standing(_RULES["DEC-21"], setting) is Standing.ACTIVE:
        return True, ""
    return None, "partial response: not set by clinic policy whether it counts"


def _notes(trial: Trial) -> tuple[str, ...]:
    notes = []
    if trial.days_at_dose is None and trial.days is not None:
        notes.append(WHOLE_TRIAL)
    if trial.adherence is Adherence.DOUBTFUL or trial.reason_stopped is Reason.NON_ADHERENCE:
        notes.append(DOUBTFUL)
    return tuple(notes)
