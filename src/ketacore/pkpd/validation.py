"""Published values against the models: each target that a model answers, with its limits, and why others have none.

Rules of comparison: a target of a known sampling site is compared with models of that site only; where the site is not
stated, with the band of all models that answer; children never gate an adult model. Nothing is fitted to a target. What
fails stays visible with its explanation.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from ketacore.pkpd.ensemble import Member, by_model, members
from ketacore.pkpd.exposure import Exposure, exposure
from ketacore.pkpd.individuals import typical
from ketacore.pkpd.loading import MODELS
from ketacore.pkpd.model import MOLAR_MASS
from ketacore.pkpd.regimen import DoseEvent, Drug, Person, Regimen, Route
from ketacore.pkpd.simulate import S_OVER_R, courses, simulate, with_sums
from ketacore.pkpd.system import Array

DATA = resources.files("ketacore.pkpd") / "data"
WEIGHT_KG = 70.0


@dataclass(frozen=True, slots=True)
class Target:
    """One published value: what was given, what was measured, and within which limits a model must lie."""

    target: str
    title: str
    statistic: str
    analyte: str
    against: str
    published: float
    low: float
    high: float
    unit: str
    source: str
    grade: str
    doses: tuple[Mapping[str, Any], ...]
    models: tuple[str, ...] = ()
    age_y: float = 45.0
    at_min: float = 0.0
    curve: str = ""
    scenario: Mapping[str, str] | None = None
    by_construction: str = ""
    explanation: str = ""

    @property
    def regimen(self) -> Regimen:
        """Return what was given."""
        return Regimen(tuple(DoseEvent(**dose) for dose in self.doses))

    @property
    def person(self) -> Person:
        """Return a typical person of the study, at 70 kg."""
        return Person(self.age_y, WEIGHT_KG)


class Verdict(StrEnum):
    """What became of a published value; partly: the band meets the limits, but its middle lies outside them."""

    PASS = "pass"
    PARTLY = "partly"
    FAIL = "fail"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one target: ``values`` of each member, and the ``verdict``."""

    target: Target
    values: tuple[tuple[str, float], ...]
    verdict: Verdict

    @property
    def predicted(self) -> tuple[float, float]:
        """Return the lowest and highest value of the members."""
        numbers = [value for _, value in self.values]
        return min(numbers), max(numbers)

    @property
    def centre(self) -> float:
        """Return the median of the models."""
        return float(np.median(_by_model(self.values)))

    @property
    def inside(self) -> int:
        """Return how many members lie within the limits."""
        return sum(self.target.low <= value <= self.target.high for _, value in self.values)

    @property
    def holds_published(self) -> bool:
        """Return whether the published value lies within the band of the members."""
        low, high = self.predicted
        return low <= self.target.published <= high

    @property
    def caveats(self) -> tuple[str, ...]:
        """Return what a reader must know who sees only that a value passed."""
        told = [f"by construction: {self.target.by_construction}"] if self.target.by_construction else []
        if self.target.against == "band" and len(self.values) > 1:
            where = "inside" if self.holds_published else "outside"
            told.append(f"{self.inside} of {len(self.values)} within the limits, published value {where} the band")
        return tuple(told)


@dataclass(frozen=True, slots=True)
class NotComputed:
    """Targets that no model answers, and why."""

    targets: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class CurveFit:
    """A model against a digitised curve, both in ng/mL at ``times_min``: MDAPE in %, geometric mean ratio."""

    times_min: Array
    observed: Array
    predicted: Array

    @property
    def mdape(self) -> float:
        """Return the median absolute prediction error in per cent of the observed values."""
        return float(100 * np.median(np.abs(self.predicted / self.observed - 1)))

    @property
    def gmr(self) -> float:
        """Return the geometric mean of predicted over observed."""
        return float(np.exp(np.mean(np.log(self.predicted / self.observed))))


def _targets() -> tuple[tuple[Target, ...], tuple[NotComputed, ...]]:
    data = tomllib.loads((DATA / "targets.toml").read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = [
        {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in data["checks"]
    ]
    return tuple(Target(**row) for row in rows), tuple(
        NotComputed(tuple(row["targets"]), row["because"]) for row in data["unanswered"]
    )


TARGETS, UNANSWERED = _targets()


def validate() -> tuple[Row, ...]:
    """Return every target that a model answers, computed and judged, in the order of the data."""
    return tuple(_judged(target) for target in TARGETS)


def curve_fit(target: Target, model_id: str) -> CurveFit:
    """Return a model's prediction at the times of a target's digitised curve."""
    times, observed = _curve(target.curve, target.analyte)
    profile = simulate(MODELS[model_id], target.regimen, target.person, times)
    return CurveFit(times, observed, profile.concentrations_ng_per_ml[target.analyte][0])


def _judged(target: Target) -> Row:
    named = [Member(MODELS[name], S_OVER_R) for name in target.models]
    joined = named or [m for m in members(target.regimen, target.person) if _predicts(m, target.analyte)]
    statistic = STATISTICS[target.statistic]
    values = tuple((_name(member), statistic(target, member)) for member in joined)
    return Row(target, values, JUDGES[target.against](target, [value for _, value in values], _by_model(values)))


S_IS_R = " (S = R)"


def _name(member: Member) -> str:
    return member.model.model_id if member.s_over_r == S_OVER_R else member.model.model_id + S_IS_R


def _by_model(values: Sequence[tuple[str, float]]) -> list[float]:
    return by_model([(name.removesuffix(S_IS_R), value) for name, value in values])


def _predicts(member: Member, analyte: str) -> bool:
    molecule = analyte.removeprefix("S-").removeprefix("R-")
    return bool({analyte, f"S-{molecule}"} & set(member.model.analytes))


def _within(target: Target, *values: float) -> bool:
    return all(target.low <= value <= target.high for value in values)


def _each_within(target: Target, values: Sequence[float], by_model: Sequence[float]) -> Verdict:
    return Verdict.PASS if _within(target, *values) else Verdict.FAIL


def _band_meets(target: Target, values: Sequence[float], by_model: Sequence[float]) -> Verdict:
    if _within(target, float(np.median(by_model))):
        return Verdict.PASS
    meets = min(values) <= target.high and max(values) >= target.low
    return Verdict.PARTLY if meets else Verdict.FAIL


def _centre_within(target: Target, values: Sequence[float], by_model: Sequence[float]) -> Verdict:
    return _each_within(target, [float(np.median(by_model))], by_model)


def _only_shown(target: Target, values: Sequence[float], by_model: Sequence[float]) -> Verdict:
    return Verdict.SHOWN


JUDGES: Mapping[str, Callable[[Target, Sequence[float], Sequence[float]], Verdict]] = {
    "model": _each_within,
    "band": _band_meets,
    "centre": _centre_within,
    "shown": _only_shown,
}
"""Each looks at the target, the values of all members, and one value a model."""


def _exposed(target: Target, member: Member, scenario: Mapping[str, str] | None = None) -> Exposure:
    found = exposure(member.model, target.regimen, target.person, scenario=scenario, s_over_r=member.s_over_r)
    return found[target.analyte]


def _of(name: str, per: float = 1.0) -> Callable[[Target, Member], float]:
    return lambda target, member: float(getattr(_exposed(target, member), name)[0]) / per


def _ratio(name: str) -> Callable[[Target, Member], float]:
    def ratio(target: Target, member: Member) -> float:
        changed, plain = (_exposed(target, member, scenario) for scenario in (target.scenario, None))
        return float(getattr(changed, name)[0] / getattr(plain, name)[0])

    return ratio


def _at(target: Target, member: Member) -> float:
    profile = simulate(member.model, target.regimen, target.person, [target.at_min], s_over_r=member.s_over_r)
    return float(profile.concentrations_ng_per_ml[target.analyte][0, 0])


def _bioavailability(target: Target, member: Member) -> float:
    """Return the area by the route over the area by the vein, in per cent."""
    (dose,) = target.regimen.doses
    in_vein = Regimen((DoseEvent(dose.drug, Route.IV, dose.amount_mg),))
    area, whole = (_moments(target, member, regimen)[0] for regimen in (target.regimen, in_vein))
    return 100 * area / whole


def _clearance(target: Target, member: Member) -> float:
    """Return dose over area in L/h; an enantiomer of a racemic dose is half of it."""
    area, _ = _moments(target, member, target.regimen)
    return _amount(target) / area * 60_000


def _volume(target: Target, member: Member) -> float:
    """Return the volume at steady state in L, from the area and the area of its first moment after a bolus."""
    area, moment = _moments(target, member, target.regimen)
    return _amount(target) * moment / area**2 * 1000


def _amount(target: Target) -> float:
    (dose,) = target.regimen.doses
    half = dose.drug is Drug.KETAMINE and target.analyte != "ketamine"
    return dose.amount_mg / 2 if half else dose.amount_mg


def _moments(target: Target, member: Member, regimen: Regimen) -> tuple[float, float]:
    """Return the area (ng·min/mL) and the first moment (ng·min²/mL) of a regimen as if it were given at once."""
    areas: dict[str, Array] = {}
    moments: dict[str, Array] = {}
    for course in courses(regimen, typical(member.model, target.person), member.s_over_r):
        amounts = np.zeros((course.system.states, 1))
        for given in course.inputs:
            amounts[given.state] += given.amount
        once = np.linalg.solve(-course.system.rates[..., 0], amounts)
        twice = np.linalg.solve(-course.system.rates[..., 0], once)
        readout = course.system.readout[..., 0]
        areas |= dict(zip(course.analytes, readout @ once, strict=True))
        moments |= dict(zip(course.analytes, readout @ twice, strict=True))
    return float(with_sums(areas)[target.analyte][0]), float(with_sums(moments)[target.analyte][0])


@cache
def _curve(name: str, analyte: str) -> tuple[Array, Array]:
    """Return times in min and concentrations in ng/mL of a digitised curve, without the points that are artefacts."""
    text = (DATA / "curves" / name).read_text(encoding="utf-8")
    lines = [line.split(",") for line in text.splitlines() if line[:1].isdigit()]
    hours, nmol = np.array(lines, dtype=float).T
    real = (hours > 0) & (nmol > 0)
    return hours[real] * 60, nmol[real] * MOLAR_MASS[analyte.removeprefix("S-")]


STATISTICS: Mapping[str, Callable[[Target, Member], float]] = {
    "cmax": _of("cmax_ng_per_ml"),
    "tmax_min": _of("tmax_min"),
    "auc_0_24": _of("auc_ng_h_per_ml"),
    "auc_infinity": _of("auc_infinity_ng_h_per_ml"),
    "half_life_h": _of("half_life_h"),
    "at_min": _at,
    "bioavailability": _bioavailability,
    "clearance_l_per_h": _clearance,
    "clearance_ml_per_min_per_kg": lambda target, member: _clearance(target, member) * 1000 / 60 / WEIGHT_KG,
    "volume_l": _volume,
    "auc_ratio": _ratio("auc_infinity_ng_h_per_ml"),
    "cmax_ratio": _ratio("cmax_ng_per_ml"),
    "mdape": lambda target, member: curve_fit(target, member.model.model_id).mdape,
}
