"""Exposure: highest concentration and when, area under the curve, terminal half-life, time above a level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ketacore.pkpd.interactions import Scenario, under
from ketacore.pkpd.model import Matrix, Model
from ketacore.pkpd.propagate import propagate
from ketacore.pkpd.refusals import a_quantity, impossible
from ketacore.pkpd.regimen import LONGEST_MIN, Regimen
from ketacore.pkpd.session import JUST_BEFORE_MIN
from ketacore.pkpd.simulate import (
    S_OVER_R,
    Course,
    Who,
    as_individuals,
    check_answers,
    concentrations,
    courses,
    of_all_occasions,
    with_sums,
)
from ketacore.pkpd.system import Array, LinearSystem, drained

DAY_MIN = 1440.0
_GRID = 480
_ZOOMS, _POINTS = 5, 13
_BETWEEN = 60
"""Moments between two doses where the time above a level is asked for."""
_AFTER_MIN = (0, 3, 6, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Exposure of N people to one analyte, each (N,).

    ``cmax_ng_per_ml`` and ``tmax_min`` within the window; ``auc_ng_h_per_ml`` between its limits;
    ``auc_infinity_ng_h_per_ml`` for the whole regimen; ``half_life_h`` the terminal one; ``fraction_above`` the share
    of the window above the level asked for (NaN where none was).
    """

    cmax_ng_per_ml: Array
    tmax_min: Array
    auc_ng_h_per_ml: Array
    auc_infinity_ng_h_per_ml: Array
    half_life_h: Array
    fraction_above: Array


def exposure(
    model: Model,
    regimen: Regimen,
    who: Who,
    *,
    until_min: float = DAY_MIN,
    auc_min: tuple[float, float] = (0.0, DAY_MIN),
    above_ng_per_ml: float | None = None,
    matrix: Matrix | None = None,
    scenario: Scenario | None = None,
    s_over_r: float = S_OVER_R,
    research: bool = False,
) -> dict[str, Exposure]:
    """Return the exposure to each analyte from 0 to ``until_min``; areas between the limits ``auc_min``.

    Areas are exact: an integral is one more compartment, not a sum of trapezoids. The highest concentration is
    narrowed down around the highest of a grid that is closer after each dose, however long the window. Raises what
    ``simulate`` raises.
    """
    until = a_quantity("until_min", until_min, 1e-3, LONGEST_MIN, "min")
    limits = [a_quantity("auc_min", limit, 0, LONGEST_MIN, "min") for limit in auc_min]
    if len(limits) != 2:
        raise impossible("auc_min is not a pair of limits", "Give (from, to) in min.")
    low, high = limits
    if not low < high:
        raise impossible(f"the area from {low:g} to {high:g} min", "Give limits in the order of time.")
    check_answers(model, regimen, matrix, research=research)
    given = courses(regimen, under(scenario, as_individuals(model, who)), s_over_r)
    times = _grid(regimen, until)
    highest = _highest(given, times, concentrations(given, times))
    above = _above(given, regimen, until, above_ng_per_ml)
    areas, whole, half_lives = _areas(given, low, high), _areas_to_infinity(given), _half_lives(given)
    return {
        analyte: Exposure(*of, areas[analyte], whole[analyte], half_lives[analyte], above[analyte])
        for analyte, of in highest.items()
    }


def _grid(regimen: Regimen, until: float) -> Array:
    close = np.add.outer(regimen.breakpoints_min(), _AFTER_MIN).ravel()
    return np.unique(np.concatenate([np.linspace(0, until, _GRID + 1), close[close <= until]]))


def _highest(given: Sequence[Course], times: Array, curves: Mapping[str, Array]) -> dict[str, tuple[Array, Array]]:
    """Return each highest concentration and its time, by looking ever closer around the highest points so far.

    The points of all analytes are asked for in one pass: what is passed on the way to them is long.
    """
    peaks = [_Peak(times, curve) for curve in curves.values()]
    for _ in range(_ZOOMS):
        seen = concentrations(given, np.concatenate([peak.near() for peak in peaks], axis=1))
        for number, (name, peak) in enumerate(zip(curves, peaks, strict=True)):
            peak.look(seen[name][:, number * _POINTS : (number + 1) * _POINTS])
    return {name: (peak.highest, peak.at) for name, peak in zip(curves, peaks, strict=True)}


class _Peak:
    """The highest point so far of N people's curves of one analyte, ``highest`` (N,) ``at`` (N,), and around it."""

    def __init__(self, times: Array, curve: Array) -> None:
        best = np.argmax(curve, axis=1)
        self._people = np.arange(curve.shape[0])
        self.highest, self.at = curve[self._people, best], times[best]
        self._low, self._high = times[np.maximum(best - 1, 0)], times[np.minimum(best + 1, times.size - 1)]

    def near(self) -> Array:
        """Return the points (N, P) to look at next."""
        return np.linspace(self._low, self._high, _POINTS, axis=1)

    def look(self, seen: Array) -> None:
        """Take in what was seen (N, P) at the points ``near``."""
        top = np.argmax(seen, axis=1)
        value, place = seen[self._people, top], self.near()[self._people, top]
        higher, width = value > self.highest, (self._high - self._low) / (_POINTS - 1)
        self.highest, self.at = np.where(higher, value, self.highest), np.where(higher, place, self.at)
        self._low, self._high = np.maximum(self.at - width, self._low), np.minimum(self.at + width, self._high)


def _areas(given: Sequence[Course], low: float, high: float) -> dict[str, Array]:
    """Return the areas in ng·h/mL, each read from a compartment that collects its concentration."""
    found: list[tuple[str, Array]] = []
    for course in given:
        reached = propagate(_collecting(course.system), course.inputs, np.array([low, high]))
        found += [(name, (reached[o, 1] - reached[o, 0]) / 60) for o, name in enumerate(course.analytes)]
    return with_sums(of_all_occasions(found))


def _collecting(system: LinearSystem) -> LinearSystem:
    outputs, states, people = system.readout.shape
    rates = np.zeros((states + outputs, states + outputs, people))
    rates[:states, :states] = system.rates
    rates[states:, :states] = system.readout
    readout = np.zeros((outputs, states + outputs, 1))
    readout[range(outputs), range(states, states + outputs)] = 1.0
    return LinearSystem(rates, readout)


def _areas_to_infinity(given: Sequence[Course]) -> dict[str, Array]:
    """Return the areas of the whole regimen, C (-A)⁻¹ · amounts: when it was given does not matter."""
    found: list[tuple[str, Array]] = []
    for course in given:
        people = course.system.patients
        amounts = np.zeros((people, course.system.states, 1))
        for given_in in course.inputs:
            amounts[:, given_in.state, 0] += given_in.amount
        way = drained(course.system, {i.state for i in course.inputs}, course.system.readout, np)
        of_way = course.system.only(way, np)
        rates, readout = (np.moveaxis(a, -1, 0) for a in (of_way.rates, of_way.readout))
        areas = (readout @ np.linalg.solve(-rates, amounts[:, way]))[..., 0] / 60
        found += [(name, areas[:, o]) for o, name in enumerate(course.analytes)]
    return with_sums(of_all_occasions(found))


def _half_lives(given: Sequence[Course]) -> dict[str, Array]:
    """Return ln 2 over the slowest rate on the way from the doses to each analyte, in h; of sums the longest."""
    found: dict[str, Array] = {}
    for course in given:
        entries = {i.state for i in course.inputs}
        for output, name in enumerate(course.analytes):
            way = drained(course.system, entries, course.system.readout[output : output + 1], np)
            rates = np.moveaxis(course.system.only(way, np).rates, -1, 0)
            slowest = np.min(-np.linalg.eigvals(rates).real, axis=-1)
            found[name] = np.maximum(np.log(2) / slowest / 60, found.get(name, 0.0))
    longest = {n[2:]: np.maximum(found[n], found.get(f"S-{n[2:]}", 0)) for n in found if n.startswith("R-")}
    return {**found, **longest}


def _above(given: Sequence[Course], regimen: Regimen, until: float, level: float | None) -> dict[str, Array]:
    """Return the share of the window above ``level``; between two points the curve is taken as exponential."""
    if level is None:
        return {name: np.full(given[0].system.patients, np.nan) for name in concentrations(given, np.zeros(1))}
    level = a_quantity("above_ng_per_ml", level, 0, 1e9, "ng/mL")
    times = _close_grid(regimen, until)
    return {name: _share_above(times, curve, level) for name, curve in concentrations(given, times).items()}


def _close_grid(regimen: Regimen, until: float) -> Array:
    """Return moments close after everything that begins or ends, and one just before it: a bolus is no slope."""
    edges = np.unique(np.clip([0.0, *regimen.breakpoints_min(), until], 0, until))
    within = np.linspace(0, 1, _BETWEEN, endpoint=False) ** 3  # most of what happens, happens soon after
    starts, gaps = edges[:-1, None], np.diff(edges)[:, None]
    before = np.maximum(edges[1:] - np.minimum(JUST_BEFORE_MIN, np.diff(edges) / 2), 0)
    return np.unique(np.concatenate([(starts + gaps * within).ravel(), before, edges[-1:]]))


def _share_above(times: Array, curve: Array, level: float) -> Array:
    floor = max(level, 1e-12) * 1e-9  # a concentration of nothing has no logarithm
    logs, line = np.log(np.maximum(curve, floor)), np.log(max(level, floor))
    upper, lower = np.maximum(logs[:, 1:], logs[:, :-1]), np.minimum(logs[:, 1:], logs[:, :-1])
    share = np.clip((upper - line) / np.maximum(upper - lower, 1e-12), 0, 1)
    return np.sum(share * np.diff(times), axis=1) / (times[-1] - times[0])
