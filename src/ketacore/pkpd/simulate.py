"""Concentrations over time: a model, a regimen and people in, a profile out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketacore.evidence import Grade
from ketacore.pkpd.grid import Input
from ketacore.pkpd.individuals import Individuals, typical
from ketacore.pkpd.interactions import Scenario, under
from ketacore.pkpd.model import Channel, Matrix, Model, Product, check_model
from ketacore.pkpd.propagate import propagate
from ketacore.pkpd.refusals import MatrixMismatch, a_quantity, are_all, impossible, not_answered
from ketacore.pkpd.regimen import DEVICE_MG, LONGEST_MIN, DoseEvent, Drug, Person, Regimen, Route, one_of
from ketacore.pkpd.system import Array, LinearSystem

S_OVER_R = 1.165
"""Clearance of S- over R-ketamine within a person (Wang 2019, grade A); uncertain, never below ``S_OVER_R_FLOOR``."""
S_OVER_R_FLOOR = 1.0
ENANTIOMER_RULE = (
    "Racemic ketamine is taken as half its amount of each enantiomer; R-ketamine follows the model of S-ketamine with "
    "its clearance divided by {ratio:g} (Wang 2019: 1.165; uncertain, at least 1); R-metabolites follow S-metabolites; "
    "the racemate is the sum (grade D)."
)
SITE_UNSTATED = "The sampling site of this model is not stated."
OVERFULL = (
    f"A device holds {DEVICE_MG:g} mg by its label: more from one device is no dose of a spray that can be given."
)
RACEMIC_SPRAY = (
    "Racemic ketamine in the nose is taken as sprayed by the device of esketamine: no published model describes it "
    "(grade D)."
)
FILM_UNDER_THE_TONGUE = (
    "A tablet or lozenge under the tongue is taken as the film, the one form a model describes (grade D): in the study "
    "of target T30 a tablet gave a lower peak."
)
SWALLOWED_PEAK = (
    "In the one study of swallowed racemate at hand (target T30) the peak was higher than this model gives; the share "
    "that reaches the blood agrees."
)
DEVICES_ASSUMED = "Devices were not named: devices of {:g} mg are taken, one after the other, {:g} min apart."
SIDES = {"S-": {Drug.ESKETAMINE: 1.0, Drug.KETAMINE: 0.5}, "R-": {Drug.KETAMINE: 0.5}, "": {Drug.KETAMINE: 1.0}}
"""Which share of a dose of each drug is the S-enantiomer, the R-enantiomer, or the drug of a racemic model."""

Who = Person | Sequence[Person] | Individuals


@dataclass(frozen=True, slots=True)
class Profile:
    """``concentrations_ng_per_ml`` of each analyte (N, T) at ``times_min`` (T,) or (N, T), and what they rest on."""

    times_min: Array
    concentrations_ng_per_ml: Mapping[str, Array]
    matrix: Matrix
    model_id: str
    grade: Grade
    source: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """One enantiomer (or the racemate of a racemic model) on its way: ``side`` is ``S-``, ``R-`` or empty."""

    side: str
    system: LinearSystem
    inputs: tuple[Input, ...]
    analytes: tuple[str, ...]


def simulate(
    model: Model,
    regimen: Regimen,
    who: Who,
    times_min: Any,
    *,
    matrix: Matrix | None = None,
    scenario: Scenario | None = None,
    s_over_r: float = S_OVER_R,
    research: bool = False,
    xp: Any = np,
) -> Profile:
    """Return the concentrations of N people at ``times_min``: (T,) shared, or (N, T); strictly rising, in min.

    ``who`` is a person, several, or ``Individuals`` from ``population``. ``matrix`` asks for a sampling site,
    ``scenario`` for an interaction, ``s_over_r`` sets the clearance ratio of the enantiomers, ``research`` lets a
    disabled model answer, ``xp`` is the array library. Raises ``ImpossibleInput``, ``NotAnswered`` or
    ``MatrixMismatch``. The source is the model's own (``Profile.source``).
    """
    times = check_times(times_min)
    check_answers(model, regimen, matrix, research=research)
    people = under(scenario, as_individuals(model, who))
    check_rows(times, people)
    return Profile(
        times_min=times,
        concentrations_ng_per_ml=concentrations(courses(regimen, people, s_over_r), times, xp=xp),
        matrix=model.matrix,
        model_id=model.model_id,
        grade=model.grade,
        source=model.source,
        notes=notes_on(model, regimen, people, s_over_r),
    )


def check_times(times_min: Any) -> Array:
    """Return output times as an array (T,) or (N, T) of finite minutes in rising order; raises ``ImpossibleInput``."""
    try:
        times = np.asarray(times_min)
        times = np.asarray(times_min if np.isrealobj(times) else "complex", dtype=float)
    except (TypeError, ValueError):
        raise impossible("times_min are not numbers", "Give minutes as numbers.") from None
    if times.ndim not in (1, 2) or not times.size:
        raise impossible("times_min is empty or has the wrong shape", "Give (T,), or (N, T) for times of each person.")
    if not np.all(np.isfinite(times)) or np.min(times) < 0 or np.max(times) > LONGEST_MIN:
        raise impossible("times_min holds what is no time", f"Give 0 to {LONGEST_MIN:g} min.")
    if np.any(np.diff(times, axis=-1) <= 0):
        raise impossible("times_min are not in the order of time", "Sort them and leave out doubles.")
    return times


def check_rows(times: Array, people: Individuals) -> None:
    """Raise ``ImpossibleInput`` where times (N, T) are of another number of people."""
    if times.ndim == 2 and 1 not in (times.shape[0], people.size) and times.shape[0] != people.size:
        because = f"times_min are of {times.shape[0]} people, and there are {people.size}"
        raise impossible(because, "Give (T,), or a row for each person.")


def check_answers(model: Model, regimen: Regimen, matrix: Matrix | None, *, research: bool = False) -> None:
    """Raise where ``model`` is none or has no answer for this drug, route or sampling site."""
    check_model(model)
    if not are_all(Regimen, [regimen]):
        raise impossible("what is given is not a regimen", "Give a Regimen of doses.")
    if not model.enabled and not research:
        raise not_answered(f"{model.model_id} is disabled: {model.why_disabled}", "Take an enabled model.")
    for drug in sorted(regimen.drugs - model.drugs):
        raise not_answered(
            f"{model.model_id} does not describe {drug}", f"It answers: {', '.join(sorted(model.drugs))}."
        )
    for route in sorted(regimen.routes - set(model.routes)):
        known = ", ".join(model.routes)
        raise not_answered(f"{model.model_id} has no route {route}", f"It answers: {known}; or ask another model.")
    if matrix is not None and not model.fits(one_of(Matrix, "matrix", matrix)):
        because = f"{model.model_id} does not speak for {matrix} blood (its own: {model.matrix})"
        raise MatrixMismatch("Calculating concentrations", [because], "Ask a model of that sampling site.")


def check_comparable(one: Matrix, other: Matrix) -> None:
    """Raise ``MatrixMismatch`` where arterial and venous would be compared: they differ by a factor of about 2."""
    if {one, other} == {Matrix.ARTERIAL, Matrix.VENOUS}:
        because = "arterial and venous concentrations of one infusion differ by a factor of about 2"
        raise MatrixMismatch("Comparing concentrations", [because], "Compare within one sampling site.")


def as_individuals(model: Model, who: Who) -> Individuals:
    """Return ``who`` as individuals of ``model``; raises ``ImpossibleInput`` for those of another model."""
    if not isinstance(who, Individuals):
        return typical(model, who)
    if who.model is not model:
        raise impossible(f"these people were drawn for {who.model.model_id}", f"Draw them for {model.model_id}.")
    return who


def courses(regimen: Regimen, people: Individuals, s_over_r: float) -> tuple[Course, ...]:
    """Return the system and inputs of each enantiomer that the regimen gives, or of the racemate.

    Of people who vary between occasions, one of each occasion: what is measured is their sum.
    """
    a_quantity("s_over_r", s_over_r, S_OVER_R_FLOOR, 10, "")
    names = people.model.analytes
    sides = ["S-", "R-"] if all(name.startswith("S-") for name in names) else [""]
    occasions = regimen.occasions() if people.occasions else (0,) * len(regimen.doses)
    placed = list(zip(regimen.doses, regimen.places(), occasions, strict=True))
    found = []
    for side in sides:
        given = [(dose, SIDES[side][dose.drug], p, on) for dose, p, on in placed if dose.drug in SIDES[side]]
        for occasion in dict.fromkeys(on for *_, on in given):
            them = people.on(occasion)
            them = them.clearance_divided_by(s_over_r) if side == "R-" else them
            doses = [(dose, share, places) for dose, share, places, on in given if on == occasion]
            inputs = tuple(i for dose, share, places in doses for i in inputs_of(dose, share, places, them))
            analytes = tuple(side + name.removeprefix("S-") for name in names)
            found.append(Course(side, system_of(them), inputs, analytes))
    return tuple(found)


def concentrations(given: Sequence[Course], times: Array, *, xp: Any = np) -> dict[str, Array]:
    """Return each analyte in ng/mL (N, T), the sums of enantiomers included."""
    return with_sums(of_all_occasions(_each(given, times, xp)))


def _each(given: Sequence[Course], times: Array, xp: Any) -> Iterator[tuple[str, Array]]:
    for course in given:
        there = LinearSystem(xp.asarray(course.system.rates), xp.asarray(course.system.readout))
        values = propagate(there, course.inputs, times, xp=xp)
        yield from ((name, values[number, ...].T) for number, name in enumerate(course.analytes))


def of_all_occasions(found: Iterable[tuple[str, Array]]) -> dict[str, Array]:
    """Return the sum of the values of each analyte: one of each occasion."""
    summed: dict[str, Array] = {}
    for name, value in found:
        summed[name] = summed[name] + value if name in summed else value
    return summed


def with_sums(found: Mapping[str, Array]) -> dict[str, Array]:
    """Return values of the enantiomers together with their sums, where a regimen gives R-ketamine at all."""
    racemic = {name[2:] for name in found if name.startswith("R-")}
    sums = {name: sum(found[side + name] for side in ("S-", "R-") if side + name in found) for name in racemic}
    return {**found, **{name[2:]: sums[name[2:]] for name in found if name.startswith("R-")}}


def system_of(people: Individuals) -> LinearSystem:
    """Return the linear system of people's parameters: rates (S, S, N), readout (O, S, N) in ng/mL per mg."""
    model, parameters = people.model, people.parameters
    number = {name: place for place, name in enumerate(model.states)}
    kind = np.result_type(*parameters.values())
    rates = np.zeros((len(number), len(number), people.size), dtype=kind)
    for flow in model.flows:
        rate = flow.rate.value(parameters)
        rates[number[flow.of], number[flow.of]] -= rate
        if flow.to is not None:
            rates[number[flow.to], number[flow.of]] += rate
    readout = np.zeros((len(model.outputs), len(number), people.size), dtype=kind)
    for place, output in enumerate(model.outputs):
        readout[place, number[output.state]] = output.per_volume.value(parameters)
    return LinearSystem(rates, readout)


def inputs_of(dose: DoseEvent, share: float, places: Sequence[int], people: Individuals) -> list[Input]:
    """Return what one dose puts into which state; ``places`` count its devices within their sitting."""
    model, parameters = people.model, people.parameters
    return [
        Input(
            state=model.states.index(channel.to),
            amount=amount * share * _share(channel, place).value(parameters),
            start=start,
            duration=parameters[channel.lasting] if channel.lasting else dose.duration_min,
        )
        for place, (start, amount) in zip(places, dose.portions(), strict=True)
        for channel in model.routes[dose.route]
    ]


def _share(channel: Channel, place: int) -> Product:
    return channel.later if place and channel.later is not None else channel.share


def notes_on(model: Model, regimen: Regimen, people: Individuals, s_over_r: float) -> tuple[str, ...]:
    """Return what a reader must know: whom it extrapolates to, rules applied, gaps of the source."""
    rule = [ENANTIOMER_RULE.format(ratio=s_over_r)] if is_split(model, regimen) else []
    unknown = [SITE_UNSTATED] if model.matrix is Matrix.UNKNOWN else []
    at_once = any(dose.route is Route.IV and not dose.duration_min for dose in regimen.doses)
    bolus = ["An intravenous dose without duration is taken as mixed at once: its first minutes are no prediction."]
    return (*people.notes, *rule, *_on_forms(regimen), *unknown, *(bolus if at_once else []), *model.gaps)


def _on_forms(regimen: Regimen) -> list[str]:
    sprays = [dose for dose in regimen.doses if dose.route is Route.NASAL]
    overfull = any(amount > DEVICE_MG for dose in sprays for _, amount in dose.portions())
    racemic = any(dose.drug is Drug.KETAMINE for dose in sprays)
    under_tongue = Route.SUBLINGUAL in regimen.routes
    gaps = {dose.device_gap_min for dose in sprays if dose.devices is None and dose.amount_mg > DEVICE_MG}
    swallowed = Route.ORAL in regimen.routes and Drug.KETAMINE in regimen.drugs
    return [
        *(DEVICES_ASSUMED.format(DEVICE_MG, gap) for gap in sorted(gaps)),
        *[OVERFULL] * overfull,
        *[RACEMIC_SPRAY] * racemic,
        *[FILM_UNDER_THE_TONGUE] * under_tongue,
        *[SWALLOWED_PEAK] * swallowed,
    ]


def is_split(model: Model, regimen: Regimen) -> bool:
    """Return whether a racemic dose is answered by a model of S-ketamine, by ``ENANTIOMER_RULE``."""
    return Drug.KETAMINE in regimen.drugs and all(name.startswith("S-") for name in model.analytes)


def lowest_grade(model: Model, regimen: Regimen, scenario: Scenario | None = None) -> Grade:
    """Return the grade of everything an answer rests on: the model's, or D with a rule of this project's own."""
    sprayed = {dose.drug for dose in regimen.doses if dose.route is Route.NASAL}
    own_rule = (
        is_split(model, regimen) or bool(scenario) or Drug.KETAMINE in sprayed or Route.SUBLINGUAL in regimen.routes
    )
    return Grade.D if own_rule else model.grade
