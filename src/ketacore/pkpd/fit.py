"""Individual parameters from a few measured concentrations: maximum a posteriori, for research use.

The objective is minus the log posterior of the random effects η of one person,
``½ Σ [(y - f)²/v + ln v] + ½ ηᵀ Ω⁻¹ η`` with ``v = (proportional·f)² + additive²``. Gradients are exact to rounding:
the propagator is analytic, so a complex step differentiates it. Each person takes damped Fisher-scoring steps of their
own; all are worked on at once. Whoever is not at rest after these is finished by Newton's steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ketacore.pkpd.individuals import Individuals, typical, with_effects
from ketacore.pkpd.model import Matrix, Model
from ketacore.pkpd.refusals import impossible, not_answered
from ketacore.pkpd.regimen import Person, Regimen
from ketacore.pkpd.simulate import S_OVER_R, check_answers, check_times, concentrations, courses
from ketacore.pkpd.system import Array

STEP = 1e-30
"""Size of the complex step: so small that its square is nothing."""
_ROUNDS = 60
_STILL = 1e-10
"""Square of the distance to the optimum, in posterior standard deviations, at which a person has arrived."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Concentrations measured in N people: ``ng_per_ml`` (N, M) of ``analytes`` (M) at ``times_min`` (M,).

    NaN is a sample that was not taken. ``matrix`` says where the blood was drawn.
    """

    times_min: Array
    analytes: tuple[str, ...]
    ng_per_ml: Array
    matrix: Matrix


@dataclass(frozen=True, slots=True)
class Fit:
    """The most probable ``effects`` (N, R) with their ``covariance`` (N, R, R) by Laplace, and who they make.

    ``names`` (R) says on which parameter each acts; of a model that varies between occasions it is what makes this
    person on this occasion.
    ``objective`` (N,) is minus the log posterior up to a constant; ``converged`` (N,) says whether steps came to rest.
    """

    names: tuple[str, ...]
    effects: Array
    covariance: Array
    individuals: Individuals
    objective: Array
    converged: Array


_NEWTON_ROUNDS, _NEARBY, _LEAST_CURVATURE = 60, 1e-4, 1e-3
_ROUNDING = 1e-13
"""By how much of itself an objective may seem worse from rounding alone."""


def fit(
    model: Model,
    regimen: Regimen,
    people: Person | Sequence[Person],
    samples: Samples,
    *,
    s_over_r: float = S_OVER_R,
) -> Fit:
    """Return the most probable individual parameters of N people given one regimen and their samples.

    Raises ``NotAnswered`` for a model without published variability or residual error, or one that varies between
    occasions where there are several, ``MatrixMismatch`` for blood drawn elsewhere, ``ImpossibleInput`` for samples
    that cannot be. Source of the prior: the model's own.
    """
    problem = _problem(model, regimen, typical(model, people), samples, s_over_r)
    effects, damping = np.zeros((problem.people, len(problem.names))), np.full(problem.people, 1e-3)
    value, gradient, information = problem.at(effects)
    rounds = 0
    while rounds < _ROUNDS and not np.all(_resting(gradient, information)):
        rounds += 1
        steps = _steps(information, gradient, damping)
        new = problem.at(effects + steps)
        better = new[0] <= value
        damping = np.where(better, np.maximum(damping * 0.1, 1e-9), damping * 10)
        effects = np.where(better[:, None], effects + steps, effects)
        value, gradient, information = (
            np.where(better.reshape(-1, *[1] * (old.ndim - 1)), fresh, old)
            for fresh, old in zip(new, (value, gradient, information), strict=True)
        )
    slow = np.flatnonzero(~_resting(gradient, information))
    if slow.size:
        for person in slow.tolist():
            effects[person] = _finished(problem.alone(person), effects[person])
        value, gradient, information = problem.at(effects)
    individuals = with_effects(problem.prior, effects, problem.names)
    resting = _resting(gradient, information)
    return Fit(problem.names, effects, np.linalg.inv(information), individuals, value, resting)


def _finished(problem: _Problem, effects: Array) -> Array:
    """Return where Newton's steps come to rest for one person whom Fisher scoring brings there too slowly.

    The curvature is the difference of exact gradients, in units of the posterior's width; a direction without curvature
    is lifted, and a step that does not improve is shortened.
    """
    now = tuple(part[0] for part in problem.at(effects[None]))
    width = np.sqrt(np.diag(np.linalg.inv(now[2])))
    nearby, lift, rounds = _NEARBY * np.diag(width), 0.0, 0
    while rounds < _NEWTON_ROUNDS and not _resting(now[1][None], now[2][None])[0]:
        rounds += 1
        _, around, _ = problem.at(effects + np.concatenate([nearby, -nearby]))
        curvature = (around[: width.size] - around[width.size :]) * width / (2 * _NEARBY)
        curvature = (curvature + curvature.T) / 2
        lowest = float(np.linalg.eigvalsh(curvature)[0])
        lifted = curvature + (max(0.0, _LEAST_CURVATURE - lowest) + lift) * np.eye(width.size)
        step = -width * np.linalg.solve(lifted, width * now[1])
        new = tuple(part[0] for part in problem.at((effects + step)[None]))
        better = new[0] <= now[0] + _ROUNDING * abs(now[0])
        lift = lift / 10 if better else max(lift * 10, 1e-2)
        effects, now = (effects + step, new) if better else (effects, now)
    return effects


def _resting(gradient: Array, information: Array) -> Array:
    return np.sum(gradient * np.linalg.solve(information, gradient[..., None])[..., 0], axis=1) < _STILL


def _steps(information: Array, gradient: Array, damping: Array) -> Array:
    raised = information * (1 + damping[:, None, None] * np.eye(information.shape[-1]))
    return -np.linalg.solve(raised, gradient[..., None])[..., 0]


@dataclass(frozen=True, slots=True)
class _Problem:
    """Everything the objective needs: ``rows`` (M,) pick each sample from the analytes at the sorted ``times``."""

    regimen: Regimen
    prior: Individuals
    names: tuple[str, ...]
    people: int
    times: Array
    rows: tuple[tuple[str, int], ...]
    observed: Array
    proportional: Array
    additive: Array
    inverse_omega: Array
    s_over_r: float

    def alone(self, person: int) -> _Problem:
        """Return the problem of one person."""
        own = {n: v if v.shape[0] == 1 else v[person : person + 1] for n, v in self.prior.parameters.items()}
        rows = self.observed if self.observed.shape[0] == 1 else self.observed[person : person + 1]
        return replace(self, prior=replace(self.prior, parameters=own), people=1, observed=rows)

    def at(self, effects: Array) -> tuple[Array, Array, Array]:
        """Return the objective (N,), its exact gradient (N, R) and the Fisher information (N, R, R)."""
        predicted, slopes = self._sensitivities(effects)
        miss, taken = self.observed - predicted, ~np.isnan(self.observed)
        variance = np.where(taken, (self.proportional * predicted) ** 2 + self.additive**2, 1.0)
        by_f = 2 * self.proportional**2 * predicted
        pull = np.where(taken, -miss / variance + by_f * (1 - miss**2 / variance) / (2 * variance), 0)
        weight = np.where(taken, 1 / variance + by_f**2 / (2 * variance**2), 0)
        fit = np.sum(np.where(taken, miss**2 / variance + np.log(variance), 0), axis=1)
        prior = effects @ self.inverse_omega
        value = (fit + np.sum(prior * effects, axis=1)) / 2
        gradient = np.einsum("nm,nmr->nr", pull, slopes) + prior
        return value, gradient, np.einsum("nm,nmr,nms->nrs", weight, slopes, slopes) + self.inverse_omega

    def _sensitivities(self, effects: Array) -> tuple[Array, Array]:
        """Return predictions (N, M) and their derivatives by each effect (N, M, R), from one complex run."""
        people, size = effects.shape
        stepped = np.repeat(effects.astype(complex)[None], size, axis=0)
        stepped[range(size), :, range(size)] += 1j * STEP
        tiled = {n: v if v.shape[0] == 1 else np.tile(v, size) for n, v in self.prior.parameters.items()}
        whole = with_effects(Individuals(self.prior.model, tiled), stepped.reshape(size * people, size), self.names)
        found = concentrations(courses(self.regimen, whole, self.s_over_r), self.times)
        picked = np.stack([found[name][:, place] for name, place in self.rows], axis=1)
        picked = picked.reshape(size, people, len(self.rows))
        return picked[0].real, np.moveaxis(picked.imag / STEP, 0, -1)


def _problem(model: Model, regimen: Regimen, prior: Individuals, samples: Samples, s_over_r: float) -> _Problem:
    if not isinstance(samples, Samples):
        raise impossible("what was measured is not Samples", "Give Samples(times_min, analytes, ng_per_ml, matrix).")
    check_answers(model, regimen, None if samples.matrix is Matrix.UNKNOWN else samples.matrix)
    if not model.varies:
        raise not_answered(f"{model.model_id} has no published variability", "Take a model that has.")
    if model.occasion_variances and max(regimen.occasions()):
        because = f"{model.model_id} varies from occasion to occasion, and these doses are of several"
        raise not_answered(because, "Fit the doses and samples of one day.")
    names, omega = _one_occasion(model)
    observed = _observed(samples)
    moments = check_times(np.unique(samples.times_min))
    if moments[0] <= min(dose.start_min for dose in regimen.doses):
        raise impossible("a sample was drawn before the first dose", "Leave it out: it says nothing of this regimen.")
    rows = tuple(
        (name, int(np.searchsorted(moments, t))) for name, t in zip(samples.analytes, samples.times_min, strict=True)
    )
    errors = [_error(model, name) for name in samples.analytes]
    if 1 not in (observed.shape[0], prior.size) and observed.shape[0] != prior.size:
        because = f"samples are of {observed.shape[0]} people, and there are {prior.size}"
        raise impossible(because, "Give a row of samples for each person.")
    _check_given(regimen, prior, moments, rows, ~np.isnan(observed).all(axis=0), s_over_r)
    return _Problem(
        regimen=regimen,
        prior=prior,
        names=names,
        people=max(observed.shape[0], prior.size),
        times=moments,
        rows=rows,
        observed=observed,
        proportional=np.array([proportional for proportional, _ in errors]),
        additive=np.array([additive for _, additive in errors]),
        inverse_omega=np.linalg.inv(omega),
        s_over_r=s_over_r,
    )


def _check_given(
    regimen: Regimen,
    prior: Individuals,
    moments: Array,
    rows: Sequence[tuple[str, int]],
    taken: Array,
    s_over_r: float,
) -> None:
    """Raise where a sample is of what these doses do not give, or not yet."""
    expected = concentrations(courses(regimen, prior, s_over_r), moments)
    for (name, place), is_taken in zip(rows, taken.tolist(), strict=True):
        if name not in expected:
            raise not_answered(f"these doses give no {name}", f"They give: {', '.join(expected)}.")
        if is_taken and not np.all(expected[name][:, place] > 0):
            raise impossible(f"a sample of {name} was drawn before any of it was given", "Leave it out.")


def _one_occasion(model: Model) -> tuple[tuple[str, ...], Array]:
    """Return which parameters differ from the typical ones on one occasion of one person, and their covariance.

    Between people and between occasions cannot be told apart on one occasion: their variances add up.
    """
    names = tuple(dict.fromkeys((*model.effects, *model.occasion_variances)))
    omega = np.diag([model.occasion_variances.get(name, 0.0) for name in names])
    size = len(model.effects)
    omega[:size, :size] += np.asarray(model.omega).reshape(size, size)
    return names, omega


def _observed(samples: Samples) -> Array:
    try:
        observed = np.atleast_2d(np.asarray(samples.ng_per_ml, dtype=float))
    except (TypeError, ValueError):
        raise impossible("concentrations are not numbers", "Give ng/mL as numbers, NaN where there is none.") from None
    if observed.shape[1] != len(samples.analytes) or len(samples.analytes) != len(samples.times_min):
        raise impossible("times, analytes and concentrations do not belong together", "Give one of each per sample.")
    if np.any(observed < 0) or np.any(np.isinf(observed)):
        raise impossible("a concentration is below 0 or without end", "Leave out what was not measured (NaN).")
    return observed


def _error(model: Model, analyte: str) -> tuple[float, float]:
    """Return proportional SD and additive SD (ng/mL) of an analyte; enantiomers and sums share the published one."""
    molecule = analyte.removeprefix("S-").removeprefix("R-")
    for output in model.outputs:
        if output.analyte in (analyte, molecule, f"S-{molecule}") and output.proportional_sd:
            return output.proportional_sd, output.additive_ng_per_ml
    raise not_answered(f"{model.model_id} has no residual error of {analyte}", f"It has: {', '.join(model.analytes)}.")
