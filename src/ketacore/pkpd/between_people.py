"""How far apart the people of one model lie in their exposure: percentiles of people drawn at a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ketacore.pkpd.expected import SHARE
from ketacore.pkpd.exposure import Exposure, exposure
from ketacore.pkpd.individuals import population
from ketacore.pkpd.interactions import Scenario
from ketacore.pkpd.loading import MODELS
from ketacore.pkpd.model import Matrix, Model
from ketacore.pkpd.refusals import a_whole_number, impossible, not_answered
from ketacore.pkpd.regimen import Person, Regimen
from ketacore.pkpd.system import Array

FEWEST, MOST = 2, 10_000
LAST_SEED = 2**32 - 1
MOST_PORTIONS = 100_000
"""Patients times what each is given, every device counted, and times occasions: beyond it an answer takes minutes."""
BLOCK = 500
"""Patients whose curves are held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How many people are drawn and the seed they are drawn at; raises ``ImpossibleInput`` for anything else."""

    patients: int
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "patients", a_whole_number("patients", self.patients, FEWEST, MOST))
        object.__setattr__(self, "seed", a_whole_number("seed", self.seed, 0, LAST_SEED))

    def note(self, model: Model) -> str:
        """Return what a reader must know of the bands of people drawn from ``model``."""
        low, high = SHARE
        what = "between-patient and between-occasion" if model.occasion_variances else "between-patient"
        return (
            f"Bands run from the {low:g}th to the {high:g}th percentile of {self.patients} people drawn with the "
            f"published {what} variability; how uncertain the model itself is does not widen them."
        )


def between_people(
    model: Model,
    regimen: Regimen,
    person: Person,
    draw: Draw,
    *,
    until_min: float,
    matrix: Matrix | None = None,
    scenario: Scenario | None = None,
) -> dict[str, dict[str, Array]]:
    """Return of each analyte the percentiles ``SHARE`` of each figure of ``Exposure``, (2,), of people like ``person``.

    ``draw`` alone decides who they are. Raises ``NotAnswered`` for a model without published variability,
    ``ImpossibleInput`` for more people than can be answered in good time, and what ``exposure`` raises.
    """
    _check(model, regimen, draw)
    rng, occasions = np.random.default_rng(draw.seed), regimen.occasion_count
    blocks = [
        exposure(
            model,
            regimen,
            population(model, size, rng, person, occasions=occasions),
            until_min=until_min,
            matrix=matrix,
            scenario=scenario,
        )
        for size in _sizes(draw.patients)
    ]
    return {analyte: _percentiles([block[analyte] for block in blocks]) for analyte in blocks[0]}


def _check(model: Model, regimen: Regimen, draw: Draw) -> None:
    """Raise where ``model`` publishes no variability or the draw is more than can be answered in good time."""
    if not model.varies:
        others = ", ".join(m.model_id for m in MODELS.values() if m.enabled and m.varies)
        because = f"{model.model_id} publishes no variability between patients"
        raise not_answered(because, f"Leave population out, or ask one of: {others}.")
    most = most_people(model, regimen)
    if draw.patients > most:
        because = f"{draw.patients} patients times {regimen.portions} portions take too long"
        raise impossible(because, f"Draw at most {most} patients for these doses, or use the library.")


def most_people(model: Model, regimen: Regimen) -> int:
    """Return for how many people an answer comes in good time: each occasion of its own is one more course."""
    occasions = regimen.occasion_count if model.occasion_variances else 1
    return MOST_PORTIONS // (regimen.portions * occasions)


def _sizes(patients: int) -> Iterator[int]:
    for low in range(0, patients, BLOCK):
        yield min(BLOCK, patients - low)


def _percentiles(blocks: list[Exposure]) -> dict[str, Array]:
    names = ("cmax_ng_per_ml", "tmax_min", "auc_ng_h_per_ml")
    every = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in names}
    return {name: np.percentile(values, SHARE) for name, values in every.items()}
