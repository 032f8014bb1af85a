"""A published model as data: compartments, what flows between them, parameters, and what its source does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import Any

from ketacore.evidence import Grade
from ketacore.pkpd.refusals import impossible
from ketacore.pkpd.regimen import Ancestry, Drug, Route
from ketacore.pkpd.system import Array

MOLAR_MASS = {"ketamine": 237.73, "norketamine": 223.70, "hydroxynorketamine": 239.70, "dehydronorketamine": 221.68}
"""g/mol, from the formulae."""


class Matrix(StrEnum):
    """Where the blood was drawn that a model describes; unknown where its source does not say."""

    ARTERIAL = "arterial"
    VENOUS = "venous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Product:
    """``factor`` × the parameters ``times`` × (1 - product of ``rest``) ÷ the parameters ``over``."""

    times: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    factor: float = 1.0

    def value(self, parameters: Mapping[str, Array]) -> Any:
        """Return its value, in the units of the parameters."""
        value = prod((parameters[name] for name in self.times), start=self.factor)
        value = value / prod(parameters[name] for name in self.over)
        return value * (1 - prod(parameters[name] for name in self.rest)) if self.rest else value

    @property
    def names(self) -> frozenset[str]:
        """Return the parameters it needs."""
        return frozenset((*self.times, *self.over, *self.rest))


class Spread(StrEnum):
    """How people differ in a parameter: by a factor, or by an addition on the logit."""

    LOG = "log"
    LOGIT = "logit"


@dataclass(frozen=True, slots=True)
class Covariate:
    """What a parameter depends on: ``per_year`` over ``from_age_y`` (added), or ``factor`` for some ancestries."""

    per_year: float = 0.0
    from_age_y: float = 0.0
    factor: float = 1.0
    ancestry: frozenset[Ancestry] = frozenset()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: typical value at 70 kg in base units (min, L, mg), as printed, and how it varies."""

    name: str
    value: float
    printed: float
    unit: str
    allometry: float = 0.0
    spread: Spread = Spread.LOG
    covariates: tuple[Covariate, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """What leaves the state ``of`` for ``to`` (None: the body) per min, as a share of what is there."""

    of: str
    to: str | None
    rate: Product


@dataclass(frozen=True, slots=True)
class Channel:
    """One way in by one route: the share of a dose that enters ``to``, at once or evenly over a parameter ``lasting``.

    ``later`` is the share of the second and further nasal devices; None: the same.
    """

    to: str
    share: Product = Product()
    later: Product | None = None
    lasting: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """What is measured: ``analyte`` in ng/mL is the state's amount over ``volume``."""

    analyte: str
    state: str
    per_volume: Product
    proportional_sd: float = 0.0
    additive_ng_per_ml: float = 0.0


@dataclass(frozen=True, slots=True)
class Clearance:
    """The parameters that eliminate the drug together; with a ``flow``, out of a liver of ``volume`` fed by it."""

    parameters: tuple[str, ...]
    flow: str | None = None
    volume: str | None = None


@dataclass(frozen=True, slots=True)
class Studied:
    """Whom the source studied: outside these ranges a prediction is an extrapolation and says so."""

    people: str
    age_y: tuple[float, float] | None = None
    weight_kg: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One published model; ``docs/guide/adding-a-pk-model.md`` says how to write one.

    ``effects`` names the parameters that vary between people, ``omega`` (R, R) is the covariance of their effects;
    ``occasion_variances`` are those of the parameters that vary in one person from occasion to occasion.
    ``enabled`` is false for what must not reach a dosing path; ``drugs`` lists what it answers.
    """

    model_id: str
    title: str
    citation: str
    doi: str
    transcription: str
    grade: Grade
    matrix: Matrix
    enabled: bool
    drugs: frozenset[Drug]
    studied: Studied
    states: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    flows: tuple[Flow, ...]
    routes: Mapping[Route, tuple[Channel, ...]]
    outputs: tuple[Output, ...]
    clearance: Clearance
    effects: tuple[str, ...]
    omega: tuple[tuple[float, ...], ...]
    occasion_variances: Mapping[str, float]
    gut: str | None = None
    not_for: frozenset[Matrix] = frozenset()
    gaps: tuple[str, ...] = ()
    why_disabled: str = ""

    @property
    def source(self) -> str:
        """Return citation and doi in one line."""
        return f"{self.citation} doi:{self.doi}" if self.doi else self.citation

    @property
    def analytes(self) -> tuple[str, ...]:
        """Return what it predicts, as its source names it."""
        return tuple(output.analyte for output in self.outputs)

    @property
    def varies(self) -> bool:
        """Return whether its source publishes how people, or their occasions, differ."""
        return bool(self.effects or self.occasion_variances)

    def fits(self, matrix: Matrix) -> bool:
        """Return whether it may speak for samples from ``matrix``: its own site, or one its source leaves open."""
        return self.matrix in (matrix, Matrix.UNKNOWN) and matrix not in self.not_for


def check_model(given: Any) -> None:
    """Raise ``ImpossibleInput`` for what is no model, e.g. its id alone."""
    if not isinstance(given, Model):
        raise impossible(f"{str(given)[:40]!r} is no model", "Take one of MODELS by its id, or parse_model.")
