"""Whatever the doses: concentrations are linear, add up, move with time, stay above zero, and lose no mass."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ketacore.pkpd import MODELS, DoseEvent, Model, Person, Regimen, exposure, population, simulate, typical
from ketacore.pkpd.propagate import propagate
from ketacore.pkpd.regimen import SHORTEST_INFUSION_MIN
from ketacore.pkpd.simulate import courses, system_of
from ketacore.pkpd.system import LinearSystem

ENABLED = [model for model in MODELS.values() if model.enabled]
TIMES = np.array([0.0, 1, 7, 20, 45, 90, 200, 400, 1000, 3000])
PEOPLE = st.builds(
    Person, st.floats(18, 100), st.floats(35, 200), ancestry=st.sampled_from([None, "asian", "japanese"])
)
FEW = settings(max_examples=25, deadline=None)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Model, tuple[DoseEvent, ...], Person]:
    """Draw a model, one to three doses that it answers, and a person; each nasal dose is a sitting of its own."""
    model = draw(st.sampled_from(ENABLED))
    doses = []
    for number in range(draw(st.integers(1, 3))):
        route = draw(st.sampled_from(sorted(model.routes)))
        given = {"start_min": draw(st.integers(0, 300)), "amount_mg": draw(st.floats(0.5, 200))}
        if route == "iv":
            given["duration_min"] = draw(st.sampled_from([0, 0.5, 40]) | st.floats(SHORTEST_INFUSION_MIN, 300))
        if route == "nasal":
            given |= {"devices": draw(st.integers(1, 3)), "start_min": given["start_min"] + 400 * number}
        doses.append(DoseEvent(draw(st.sampled_from(sorted(model.drugs))), route, **given))
    return model, tuple(sorted(doses, key=lambda dose: dose.start_min)), draw(PEOPLE)


def run(model: Model, doses: tuple[DoseEvent, ...], person: Person, times: np.ndarray = TIMES) -> dict[str, np.ndarray]:
    return dict(simulate(model, Regimen(doses), person, times).concentrations_ng_per_ml)


def times_mg(dose: DoseEvent, factor: float, later: float = 0) -> DoseEvent:
    fields = {name: getattr(dose, name) for name in DoseEvent.__slots__}
    fields |= {"amount_mg": dose.amount_mg * factor, "start_min": dose.start_min + later}
    return DoseEvent(**fields)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray], relative: float = 1e-9) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=relative, atol=relative * (1e-6 + np.max(values)))


@given(cases(), st.floats(0.1, 10))
@FEW
def test_twice_the_dose_is_twice_the_concentration(
    case: tuple[Model, tuple[DoseEvent, ...], Person], factor: float
) -> None:
    model, doses, person = case
    more = run(model, tuple(times_mg(dose, factor) for dose in doses), person)
    same(more, {name: factor * values for name, values in run(model, doses, person).items()})


@given(cases())
@FEW
def test_doses_add_up(case: tuple[Model, tuple[DoseEvent, ...], Person]) -> None:
    model, doses, person = case
    together = run(model, doses, person)
    alone = [run(model, (dose,), person) for dose in doses]
    drugs = {dose.drug for dose in doses}
    names = [name for name in together if len(drugs) == 1 or name.startswith(("S-", "R-"))]
    same({n: together[n] for n in names}, {n: sum(found.get(n, np.zeros(1)) for found in alone) for n in names})


@given(cases(), st.integers(1, 5000))
@FEW
def test_later_doses_give_the_same_later(case: tuple[Model, tuple[DoseEvent, ...], Person], later: int) -> None:
    model, doses, person = case
    moved = run(model, tuple(times_mg(dose, 1, later) for dose in doses), person, TIMES + later)
    same(moved, run(model, doses, person))


@given(cases())
@FEW
def test_nothing_is_below_zero(case: tuple[Model, tuple[DoseEvent, ...], Person]) -> None:
    assert all(np.all(values >= 0) and np.all(np.isfinite(values)) for values in run(*case).values())


@given(cases())
@FEW
def test_no_mass_is_lost(case: tuple[Model, tuple[DoseEvent, ...], Person]) -> None:
    """What is in the body and what has left it is what has gone in."""
    model, doses, person = case
    for course in courses(Regimen(doses), typical(model, person), 1.0):
        states = course.system.states
        rates = np.zeros((states + 1, states + 1, 1))
        rates[:states, :states] = course.system.rates
        rates[states, :states] = -course.system.rates.sum(axis=0)
        everything = LinearSystem(rates, np.ones((1, states + 1, 1)))
        inside = propagate(everything, course.inputs, TIMES)[0, :, 0]
        given_by = sum(
            np.where(i.duration > 0, np.clip((TIMES - i.start) / np.maximum(i.duration, 1e-9), 0, 1), i.start <= TIMES)
            * i.amount
            for i in course.inputs
        )
        np.testing.assert_allclose(inside, given_by, rtol=1e-9, atol=1e-9)


@given(st.floats(35, 200), st.floats(1, 80), st.sampled_from([m for m in ENABLED if m.analytes[0] == "S-ketamine"]))
@FEW
def test_a_racemate_of_equal_enantiomers_is_the_drug_itself(weight: float, dose: float, model: Model) -> None:
    person = Person(30, weight)
    racemate = simulate(model, Regimen((DoseEvent("ketamine", "iv", dose),)), person, TIMES, s_over_r=1.0)
    pure = simulate(model, Regimen((DoseEvent("esketamine", "iv", dose),)), person, TIMES)
    for name in model.analytes:
        both = racemate.concentrations_ng_per_ml[name.removeprefix("S-")]
        np.testing.assert_allclose(both, pure.concentrations_ng_per_ml[name], rtol=1e-9, atol=1e-12)


@given(st.sampled_from(ENABLED), st.floats(35, 200))
@FEW
def test_units_go_there_and_back(model: Model, weight: float) -> None:
    back = {"1": 1, "min": 1, "h": 1 / 60, "1/min": 1, "1/h": 60, "L": 1, "L/kg": 1 / 70, "L/min": 1, "L/h": 60}
    for parameter in model.parameters.values():
        np.testing.assert_allclose(parameter.value * back[parameter.unit], parameter.printed, rtol=1e-14)
    people = typical(model, Person(30, weight))
    for name, value in people.parameters.items():
        np.testing.assert_allclose(
            value / (weight / 70) ** model.parameters[name].allometry, model.parameters[name].value
        )


@given(st.integers(0, 2**32))
@FEW
def test_every_drawn_person_is_possible(seed: int) -> None:
    for model in ENABLED:
        drawn = population(model, 20, np.random.default_rng(seed), Person(45, 70))
        assert all(np.all(values > 0) for values in drawn.on(0).parameters.values())
        assert np.all(np.isfinite(system_of(drawn.on(0)).rates))


@given(st.floats(1, 300), st.floats(1.0001, 2))
@FEW
def test_more_from_sprays_is_more_in_the_blood(amount: float, factor: float) -> None:
    """Devices are filled one after the other, so a dose of 29 mg is not two half-empty devices."""
    less, more = (
        exposure(MODELS["perez-ruixo-2021"], Regimen((DoseEvent("esketamine", "nasal", mg),)), Person(45, 70))  # type: ignore[arg-type]
        for mg in (amount, amount * factor)
    )
    for analyte in less:
        assert more[analyte].auc_infinity_ng_h_per_ml[0] > less[analyte].auc_infinity_ng_h_per_ml[0]
        assert more[analyte].cmax_ng_per_ml[0] > less[analyte].cmax_ng_per_ml[0] * (1 - 1e-9)
