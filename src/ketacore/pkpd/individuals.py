"""The parameters of individual people: typical, drawn, or changed by an enantiomer or an interaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ketacore.pkpd.model import Model, Parameter, Spread, check_model
from ketacore.pkpd.refusals import a_whole_number, are_all, impossible, not_answered
from ketacore.pkpd.regimen import ADULT_FROM_Y, Person
from ketacore.pkpd.system import Array

MOST_PEOPLE = 10_000_000
MOST_OCCASIONS = 100_000


@dataclass(frozen=True, slots=True)
class Individuals:
    """``parameters`` of N people in base units (min, L, mg), each (N,), or (1,) where all are alike.

    ``occasions`` hold, of people drawn from a model that varies between occasions, the parameters that are others on
    each occasion, (N,); a dose and all that comes from it follow those of its own occasion.
    """

    model: Model
    parameters: Mapping[str, Array]
    notes: tuple[str, ...] = ()
    occasions: tuple[Mapping[str, Array], ...] = ()

    @property
    def size(self) -> int:
        """Return N."""
        every = [self.parameters, *self.occasions]
        return max(int(value.shape[0]) for parameters in every for value in parameters.values())

    def on(self, occasion: int) -> Individuals:
        """Return them as they are on one occasion (from 0); raises ``ImpossibleInput`` for one nobody drew."""
        if not self.occasions:
            return self
        if occasion >= len(self.occasions):
            because = f"these people were drawn for {len(self.occasions)} occasion(s), and there are more"
            raise impossible(because, "Draw them with occasions=regimen.occasion_count.")
        return replace(self, parameters={**self.parameters, **self.occasions[occasion]}, occasions=())

    def changed(self, factors: Mapping[str, Array | float], *notes: str) -> Individuals:
        """Return them with some parameters multiplied by ``factors``, (N,) or one number."""
        own, *occasions = (
            {name: value * factors[name] if name in factors else value for name, value in parameters.items()}
            for parameters in (self.parameters, *self.occasions)
        )
        return replace(self, parameters=own, notes=(*self.notes, *notes), occasions=tuple(occasions))

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


def population(model: Model, n: int, rng: np.random.Generator, person: Person, *, occasions: int = 1) -> Individuals:
    """Return ``n`` people drawn around ``person`` with the published variability between people and ``occasions``.

    ``rng`` is the only source of chance. ``occasions`` matters to a model that varies between them only: give
    ``regimen.occasion_count``. Raises ``ImpossibleInput`` for a senseless ``n``, ``occasions`` or ``rng``.
    """
    check_model(model)
    size = a_whole_number("n", n, 1, MOST_PEOPLE)
    of_each = range(a_whole_number("occasions", occasions, 1, MOST_OCCASIONS))
    if not isinstance(rng, np.random.Generator):
        raise impossible("rng is no generator of NumPy", "Give numpy.random.default_rng(seed).")
    drawn = rng.standard_normal((size, len(model.effects)))
    if model.effects:
        drawn = drawn @ np.linalg.cholesky(np.asarray(model.omega)).T
    people = with_effects(typical(model, person), drawn)
    spreads = np.sqrt(list(model.occasion_variances.values()))
    names = tuple(model.occasion_variances)
    on_each = (rng.standard_normal((size, len(names))) * spreads for _ in of_each if names)
    return replace(people, occasions=tuple(_shifted_by(people, names, effects) for effects in on_each))


def with_effects(people: Individuals, effects: Array, names: Sequence[str] | None = None) -> Individuals:
    """Return people (N, or 1 for all alike) with the random ``effects`` (N, R) on the parameters ``names``.

    Left out, these are ``model.effects`` in their order.
    """
    shifted = _shifted_by(people, people.model.effects if names is None else names, effects)
    return replace(people, parameters={**people.parameters, **shifted})


def _shifted_by(people: Individuals, names: Sequence[str], effects: Array) -> dict[str, Array]:
    of = people.model.parameters
    return {
        name: _shifted(of[name].spread, people.parameters[name], effects[:, number])
        for number, name in enumerate(names)
    }


def _checked(model: Model, people: Any) -> tuple[Person, ...]:
    check_model(model)
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
