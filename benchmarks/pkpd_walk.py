"""A regimen as plain arrays, for peers that are compiled: moments in order, and what happens at each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ketacore.pkpd import Individuals, Regimen
from ketacore.pkpd.grid import Input
from ketacore.pkpd.simulate import courses


@dataclass(frozen=True, slots=True)
class Walk:
    """What n patients of S states go through at M moments of their own, and where their T output times lie.

    ``rates`` (n, S, S) in 1/min; ``gaps`` (n, M) min since the moment before; ``jumps`` (n, M, S) mg that enter at
    once; ``turns`` (n, M, S) by how many mg/min an inflow changes; ``readout`` (n, S) of the first analyte;
    ``places`` (n, T).
    """

    rates: np.ndarray
    gaps: np.ndarray
    jumps: np.ndarray
    turns: np.ndarray
    readout: np.ndarray
    places: np.ndarray


def lay(regimen: Regimen, people: Individuals, times: np.ndarray) -> Walk:
    """Return the walk of ``people`` through a regimen, read at ``times`` (T,) or (n, T) in min."""
    (course,) = courses(regimen, people, 1.0)
    n, inputs = people.size, course.inputs
    changes = [np.broadcast_to(t, n) for i in inputs for t in (i.start, np.add(i.start, i.duration))]
    own = np.broadcast_to(times, (n, times.shape[-1]))
    moments = np.concatenate([np.stack(changes, axis=1), own], axis=1)
    order = np.argsort(moments, axis=1, kind="stable")  # at one moment a dose goes before what is read
    places = np.argsort(order, axis=1)
    jumps, turns = (np.zeros((*moments.shape, course.system.states)) for _ in range(2))
    for k, given in enumerate(inputs):
        _enter(jumps, turns, given, places[:, 2 * k], places[:, 2 * k + 1])
    return Walk(
        rates=np.ascontiguousarray(np.moveaxis(course.system.rates, -1, 0)),
        gaps=np.diff(np.take_along_axis(moments, order, axis=1), axis=1, prepend=0.0),
        jumps=jumps,
        turns=turns,
        readout=np.ascontiguousarray(course.system.readout[0].T),
        places=places[:, len(changes) :],
    )


def _enter(jumps: np.ndarray, turns: np.ndarray, given: Input, start: np.ndarray, end: np.ndarray) -> None:
    everybody = np.arange(len(jumps))
    if np.any(given.duration):
        flow = given.amount / given.duration
        turns[everybody, start, given.state] += flow
        turns[everybody, end, given.state] -= flow
    else:
        jumps[everybody, start, given.state] += given.amount
