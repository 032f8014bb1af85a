"""The parameters of individual people: typical, drawn, or changed by an enantiomer or an interaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ketacore.pkpd.model import Model, Parameter, Spread
from ketacore.pkpd.refusals import a_whole_number, are_all, impossible, not_answered
from ketacore.pkpd.regimen import ADULT_FROM_Y, Person
from ketacore.pkpd.system import Array

MOST_PEOPLE = 10_000_000


@dataclass(frozen=True, slots=True)
class Individuals:
    """``parameters`` of N people in base units (min, L, mg), each (N,), or (1,) where all are alike."""

    model: Model
    parameters: Mapping[str, Array]
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Return N."""
        return max(int(value.shape[0]) for value in self.parameters.values())

    def changed(self, factors: Mapping[str, Array | float], *notes: str) -> Individuals:
        """Return them with some parameters multiplied by ``factors``, (N,) or one number."""
        new = {name: value * factors[name] if name in factors else value for name, value in self.parameters.items()}
        return replace(self, parameters=new, notes=(*self.notes, *notes))

    def intrinsic_clearance_times(self, factor: float) -> Individuals:
        """Return them with the eliminating parameters multiplied by ``factor``."""
        return self.changed(dict.fromkeys(self.model.clearance.parameters, factor))

    def clearance_divided_by(self, ratio: float) -> Individuals:
        """Return them with total clearance divided by ``ratio`` (at least 1).

        Where a liver of flow Q stands between (well stirred: CL = Q·CLint/(Q + CLint)), the intrinsic clearance that
        gives that total is found.
        """
        given, of = self.model.clearance, self.parameters
        factor: Array | float = 1 / ratio
        if given.flow and given.volume:
            flow = of[given.flow]
            intrinsic = sum(of[name] for name in given.parameters) * of[given.volume]
            total = flow * intrinsic / (flow + intrinsic) / ratio
            factor = flow * total / (flow - total) / intrinsic
        return self.changed(dict.fromkeys(given.parameters, factor))


def typical(model: Model, people: Person | Sequence[Person]) -> Individuals:
    """Return the typical parameters of people with these covariates; N is the number of people."""
    them = _checked(model, people)
    values = {name: _covaried(parameter, them) for name, parameter in model.parameters.items()}
    return Individuals(model, values, tuple(_extrapolations(model, them)))


def population(model: Model, n: int, rng: np.random.Generator, person: Person) -> Individuals:
    """Return ``n`` people drawn around ``person`` with the published between-subject variability.

    ``rng`` is the only source of chance. Raises ``ImpossibleInput`` for a senseless ``n``.
    """
    drawn = rng.standard_normal((a_whole_number("n", n, 1, MOST_PEOPLE), len(model.effects)))
    if model.effects:
        drawn = drawn @ np.linalg.cholesky(np.asarray(model.omega)).T
    return with_effects(typical(model, person), drawn)


def with_effects(people: Individuals, effects: Array) -> Individuals:
    """Return people (N, or 1 for all alike) with the random ``effects`` (N, R), in the order of ``model.effects``."""
    of = people.model
    shifted = {
        name: _shifted(of.parameters[name].spread, people.parameters[name], effects[:, number])
        for number, name in enumerate(of.effects)
    }
    return replace(people, parameters={**people.parameters, **shifted})


def _checked(model: Model, people: Any) -> tuple[Person, ...]:
    them = (people,) if isinstance(people, Person) else tuple(people) if isinstance(people, Sequence) else ()
    if not them or not are_all(Person, them):
        raise impossible("there is nobody to calculate for", "Give a person with age_y and weight_kg.")
    if model.enabled and min(person.age_y for person in them) < ADULT_FROM_Y:
        raise not_answered(f"{model.model_id} describes adults", f"Ask for people of {ADULT_FROM_Y} years and over.")
    return them


def _covaried(parameter: Parameter, people: tuple[Person, ...]) -> Array:
    value = np.array([parameter.value])
    if parameter.allometry:
        value = value * (np.array([person.weight_kg for person in people]) / 70.0) ** parameter.allometry
    for covariate in parameter.covariates:
        if covariate.per_year:
            over = np.array([max(0.0, person.age_y - covariate.from_age_y) for person in people])
            value = value + covariate.per_year * over
        if covariate.ancestry:
            value = value * np.array([covariate.factor if p.ancestry in covariate.ancestry else 1.0 for p in people])
    return value


def _shifted(spread: Spread, value: Array, shift: Array) -> Array:
    if spread is Spread.LOG:
        return value * np.exp(shift)
    odds = value / (1 - value) * np.exp(shift)
    return odds / (1 + odds)


def _extrapolations(model: Model, people: tuple[Person, ...]) -> list[str]:
    spans = (
        ("age", "y", model.studied.age_y, [p.age_y for p in people]),
        ("weight", "kg", model.studied.weight_kg, [p.weight_kg for p in people]),
    )
    if model.studied.age_y is None and model.studied.weight_kg is None:
        return [f"Between which ages and weights {model.model_id} was studied is not at hand."]
    return [
        f"Extrapolated: {model.model_id} was studied at {what} {span[0]:g}-{span[1]:g} {unit}."
        for what, unit, span, given in spans
        if span and not (span[0] <= min(given) and max(given) <= span[1])
    ]
