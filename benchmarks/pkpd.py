"""PKPOP, PKPOP-nasal, PKPOP-irregular, MAP: virtual patients a second, beside peers on samples, equal first."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from textwrap import wrap

import numpy as np
from scipy.optimize import minimize

from benchmarks.pkpd_peers import BATCH, COMPILED, SAMPLE, Peer, peers
from ketacore.pkpd import (
    MODELS,
    DoseEvent,
    Individuals,
    Matrix,
    Model,
    Person,
    Regimen,
    Samples,
    fit,
    parse_model,
    population,
    simulate,
    typical,
)
from ketacore.pkpd.fit import _problem

PATIENTS = 100_000
RUNS = 5
PERSON = Person(45, 70)
SESSIONS = [84 * 60.0 * k for k in range(6)]
TIMES = np.concatenate([*(start + 15.0 * np.arange(33) for start in SESSIONS), [480 * 60.0, 504 * 60.0]])
INFUSIONS = Regimen(tuple(DoseEvent("ketamine", "iv", 35, start_min=t, duration_min=40) for t in SESSIONS))  # type: ignore[arg-type]
DEVICES = Regimen(tuple(DoseEvent("esketamine", "nasal", 84, start_min=t) for t in SESSIONS))  # type: ignore[arg-type]
TOLERANCE = 1e-6
METHOD = f"""{PATIENTS:,} virtual patients, log-normal between-patient SD 0.3 (nasal: as published), six doses in three
weeks, {TIMES.size} output times, float64, drawing the parameters included; plain NumPy, one core. Before a figure
counts, the peer solves a sample of its own too; the largest difference stands relative to the highest concentration
(for MAP: in units of the effects). SciPy and libroadrunner take {SAMPLE} patients one after another, at rtol 1e-8. What
is compiled for many patients (extra `bench`) takes more at once, its compiling outside the timing: numba {COMPILED:,},
one after another on one core, a matrix exponential of its own wherever the step or the inflow changes; jax {BATCH} in
one batch, which may use every core, diffrax's Tsit5 from moment to moment at rtol 1e-8, kept to the processor. The
peer's figure leaves out drawing its sample. Median of {RUNS} runs, interleaved with the peer. The processor's seconds
are the steadier figure on a shared machine; ratios are of those. Goals are multiples of what mrgsolve was measured to
do on the same work elsewhere: 100 times its closed form with two compartments (15 k/s) and its solver with three
(1.4 k/s), ten times either where each patient has times of their own."""

_HEAD = """\
id = "compartments"
title = "Made up, for speed only"
grade = "D"
matrix = "unknown"
enabled = true
drugs = ["ketamine"]
states = ["central", "peripheral1", "peripheral2"]
[source]
citation = "none"
transcription = "none"
[studied]
people = "nobody"
[[routes.iv]]
to = "central"
[[outputs]]
analyte = "ketamine"
state = "central"
volume = ["V1"]
[clearance]
parameters = ["CL"]
"""
_VALUES = {"CL": 80, "V1": 60, "Q2": 100, "V2": 100, "Q3": 30, "V3": 200}


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload with its figures: patients a second of ours and of the peer, by wall clock and processor."""

    name: str
    what: str
    goal: float | None
    per_s: float
    per_cpu_s: float
    peer: str
    peer_per_cpu_s: float
    difference: float


def report() -> list[str]:
    """Run all workloads and return their section of docs/benchmarks.md."""
    rows = [
        *_simulated("PKPOP, 2 compartments", compartments(2), INFUSIONS, 1.5e6),
        *_simulated("PKPOP, 3 compartments", compartments(3), INFUSIONS, 140e3),
        *_simulated("PKPOP-nasal", MODELS["perez-ruixo-2021"], DEVICES, 50e3),
        *_simulated("PKPOP-irregular, 2 compartments", compartments(2), INFUSIONS, 150e3, own_times=True),
        *_simulated("PKPOP-irregular, 3 compartments", compartments(3), INFUSIONS, 14e3, own_times=True),
        _fitted(),
    ]
    told = [
        f"| {r.name} | {r.what} | {_short(r.per_s)} | {_short(r.per_cpu_s)} | {_judged(r)} | {r.peer} "
        f"| {_short(r.peer_per_cpu_s)} | {r.per_cpu_s / r.peer_per_cpu_s:,.0f}x | {r.difference:.0e} |"
        for r in rows
    ]
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        "## PKPOP and MAP",
        "",
        *wrap(METHOD, 118),
        "",
        "| workload | answers | patients/s | patients/CPU s | goal | peer | peer/CPU s | ratio | difference |",
        "|---|---|---|---|---|---|---|---|---|",
        *told,
        "",
        f"Highest memory during PKPOP with 3 compartments: {_memory():.1f} times the output array (goal 3). "
        f"Load average at the end: {load}.",
    ]


def _judged(row: Workload) -> str:
    if row.goal is None:
        return "none"
    return f"{_short(row.goal)}, {'pass' if row.per_s >= row.goal else 'miss'}"


def compartments(n: int) -> Model:
    """Return a made-up model of two or three compartments, SD 0.3 on every parameter."""
    flows = [
        ("central", "peripheral1", "Q2", "V1"),
        ("peripheral1", "central", "Q2", "V2"),
        ("central", "", "CL", "V1"),
    ]
    flows += [("central", "peripheral2", "Q3", "V1"), ("peripheral2", "central", "Q3", "V3")] if n == 3 else []
    names = {name for _, _, *pair in flows for name in pair}
    lines = [_HEAD, "[parameters]"]
    for name in [name for name in _VALUES if name in names]:
        unit = "L" if name.startswith("V") else "L/h"
        lines.append(f'{name} = {{ value = {_VALUES[name]}, unit = "{unit}", omega2 = 0.09 }}')
    for of, to, rate, volume in flows:
        where = f'\nto = "{to}"' if to else ""
        lines.append(f'[[flows]]\nfrom = "{of}"{where}\ntimes = ["{rate}"]\nover = ["{volume}"]')
    return parse_model("\n".join(lines), "compartments")


def _simulated(
    name: str, model: Model, regimen: Regimen, goal: float | None, *, own_times: bool = False
) -> list[Workload]:
    rng = np.random.default_rng(2)
    times = np.sort(rng.uniform(0, TIMES[-1], (PATIENTS, TIMES.size)), axis=1) if own_times else TIMES
    analytes = f", {len(model.analytes)} analytes" if len(model.analytes) > 1 else ""
    what = f"{TIMES.size} times{analytes}{', own times' if own_times else ''}"

    def ours() -> None:
        simulate(model, regimen, population(model, PATIENTS, np.random.default_rng(1), PERSON), times)

    rows = []
    for peer in peers():
        few = times[: peer.patients] if own_times else times
        people = population(model, peer.patients, np.random.default_rng(1), PERSON)
        difference = _difference(peer, model, regimen, people, few)
        assert difference <= TOLERANCE, (name, peer.name, difference)
        mine, theirs = _pairs(ours, partial(peer.solve, regimen, people, few))
        rows.append(_workload(name, what, goal, PATIENTS, mine, peer.name, peer.patients / theirs, difference))
    return rows


def _difference(peer: Peer, model: Model, regimen: Regimen, people: Individuals, times: np.ndarray) -> float:
    """Return how far the peer's answers lie from ours; the peer is compiled by this, outside the timing."""
    found = next(iter(simulate(model, regimen, people, times).concentrations_ng_per_ml.values()))
    solved = peer.solve(regimen, people, times)
    return float(np.max(np.abs(found - solved) / np.max(solved, axis=1, keepdims=True)))


def _fitted() -> Workload:
    model, n = MODELS["otto-2021"], 1_000
    regimen = Regimen((DoseEvent("esketamine", "iv", 30, duration_min=40),))  # type: ignore[arg-type]
    times = np.array([20.0, 45, 90, 240])
    rng = np.random.default_rng(5)
    truth = simulate(model, regimen, population(model, n, rng, PERSON), times).concentrations_ng_per_ml
    values = np.concatenate([truth["S-ketamine"], truth["S-norketamine"][:, 1::2]], axis=1)
    analytes = ("S-ketamine",) * 4 + ("S-norketamine",) * 2
    moments = np.concatenate([times, times[1::2]])
    values = values * (1 + 0.15 * rng.standard_normal(values.shape))
    found = fit(model, regimen, PERSON, Samples(moments, analytes, values, Matrix.VENOUS))
    assert found.converged.all()

    def theirs() -> np.ndarray:
        answers = []
        for row in values[:SAMPLE]:
            problem = _problem(
                model, regimen, typical(model, PERSON), Samples(moments, analytes, row[None], Matrix.VENOUS), 1.0
            )
            answers.append(
                minimize(lambda at, of=problem: of.at(at[None])[0][0], np.zeros(4), options={"gtol": 1e-7}).x
            )
        return np.array(answers)

    difference = float(np.max(np.abs(found.effects[:SAMPLE] - theirs())))
    assert difference <= 1e-4
    mine, peer = _pairs(lambda: fit(model, regimen, PERSON, Samples(moments, analytes, values, Matrix.VENOUS)), theirs)
    what = "6 samples, 4 parameters"
    return _workload("MAP", what, None, n, mine, "SciPy BFGS on our objective", SAMPLE / peer, difference)


def _pairs(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[tuple[float, float], float]:
    """Return our wall and processor seconds and the peer's processor seconds: medians of interleaved runs."""
    mine, peer = [], []
    for _ in range(RUNS):
        mine.append(_seconds(ours))
        peer.append(_seconds(theirs)[1])
    return (median(wall for wall, _ in mine), median(cpu for _, cpu in mine)), median(peer)


def _seconds(run: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def _workload(
    name: str,
    what: str,
    goal: float | None,
    n: int,
    mine: tuple[float, float],
    peer: str,
    per_cpu_s: float,
    difference: float,
) -> Workload:
    return Workload(name, what, goal, n / mine[0], n / mine[1], peer, per_cpu_s, difference)


def _memory() -> float:
    model = compartments(3)
    tracemalloc.start()
    profile = simulate(model, INFUSIONS, population(model, PATIENTS, np.random.default_rng(1), PERSON), TIMES)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / profile.concentrations_ng_per_ml["ketamine"].nbytes


def _short(value: float) -> str:
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value / 1e3:.3g} k" if value >= 1e3 else f"{value:.0f}"


if __name__ == "__main__":
    print("\n".join(report()))
