"""The engine against an independent solver; its two methods against one another; other array libraries."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
from scipy.linalg import expm as scipy_expm

from ketacore.pkpd import own_times
from ketacore.pkpd import propagate as engine
from ketacore.pkpd.expm import expm
from ketacore.pkpd.grid import Input
from ketacore.pkpd.modes import modes
from ketacore.pkpd.propagate import propagate
from ketacore.pkpd.system import LinearSystem, Structure
from tests.core.pkpd.systems import CHAIN, DOSES, MAMMILLARY, RING, STIFF, TIMES, TRANSIT, system
from tests.support.solvers import solved

CASES = {
    "mammillary with a metabolite": system(5, MAMMILLARY, [1, 4]),
    "transit chain of equal rates": system(4, CHAIN, [2, 3]),
    "transit chains of two": system(8, TRANSIT, [0, 3, 4, 7]),
    "two drain into a third as fast": system(4, [(0, 2, 0.1), (1, 2, 0.1), (2, 3, 0.1), (3, None, 0.4)], [2, 3]),
    "a ring has no symmetric form": system(3, RING, [0, 2]),
    "stiff": system(3, STIFF, [0, 1, 2]),
}


def close(one: np.ndarray, other: np.ndarray, relative: float) -> None:
    assert np.max(np.abs(one - other)) <= relative * np.max(np.abs(other))


@pytest.mark.parametrize("name", CASES)
def test_it_agrees_with_scipys_solver(name: str) -> None:
    close(propagate(CASES[name], DOSES, TIMES)[..., 0], solved(CASES[name], DOSES, TIMES), 1e-8)


@pytest.mark.parametrize(
    "name", ["mammillary with a metabolite", "stiff", "transit chains of two", "two drain into a third as fast"]
)
def test_both_methods_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = propagate(CASES[name], DOSES, TIMES)
    monkeypatch.setattr(engine, "modes", lambda *given: None)
    close(fast, propagate(CASES[name], DOSES, TIMES), 1e-11)


def test_which_systems_have_modes() -> None:
    found = {name: modes(case, [0, 1], np) for name, case in CASES.items()}
    assert found.pop("a ring has no symmetric form") is None
    assert found.pop("transit chain of equal rates") is None
    assert all(np.all(of.sound) for of in found.values() if of is not None)


@pytest.mark.parametrize("state", range(8))
def test_what_enters_a_transit_chain_anywhere_is_exact(state: int) -> None:
    given = [Input(state, 5.0, 10.0), Input(state, 3.0, 12.0, 40.0)]
    chains = CASES["transit chains of two"]
    close(propagate(chains, given, TIMES)[..., 0], solved(chains, given, TIMES), 1e-8)


@pytest.mark.parametrize("rate", [1e-9, 1e-4, 0.02, 30.0])
def test_a_pair_of_equal_rates_is_exact_however_slow(rate: float) -> None:
    pair = system(2, [(0, 1, rate), (1, None, rate)], [1])
    found = propagate(pair, [Input(0, 1.0, 0.0), Input(0, 20.0, 0.0, 20.0)], np.array([0.0, 20.0, 50.0]))[0, :, 0]
    x = rate * np.array([20.0, 50.0, 30.0])
    bolus = x * np.exp(-x)
    integral = np.where(x < 1e-3, x**2 / 2 - x**3 / 3, 1 - np.exp(-x) * (1 + x))  # of x · exp(-x)
    infused = np.array([integral[0], integral[1] - integral[2]]) / rate
    np.testing.assert_allclose(found, [0.0, *(bolus[:2] + infused)], rtol=1e-8)


def test_equal_rates_that_are_no_neighbours_are_found_unsound() -> None:
    apart = system(3, [(0, 1, 0.1), (1, 2, 0.2), (2, None, 0.1)], [2])
    assert not np.any(modes(apart, [0], np).sound)  # type: ignore[union-attr]
    close(propagate(apart, DOSES, TIMES)[..., 0], solved(apart, DOSES, TIMES), 1e-8)


def varied(n: int) -> LinearSystem:
    """Return n patients of whom the second has two equal rates, and the third no exchange with a compartment."""
    many = system(5, MAMMILLARY, [1, 4], n)
    rates = many.rates * np.exp(0.3 * np.random.default_rng(1).standard_normal((1, 1, n)))
    if n > 2:
        slowest = np.linalg.eigvals(rates[1:4, 1:4, 1])[0].real
        rates[4, 4, 1] = slowest
        rates[3, 1, 2] = rates[1, 3, 2] = 0.0
    return LinearSystem(rates, many.readout)


def test_patients_without_sound_modes_are_answered_by_matrices() -> None:
    many = varied(7)
    assert np.all(modes(many, [0, 1], np).sound == [True, False, False, True, True, True, True])  # type: ignore[union-attr]
    found = propagate(many, DOSES, TIMES, block=4)
    for patient in range(7):
        close(found[..., patient], solved(many, DOSES, TIMES, patient), 1e-8)


def test_each_patient_may_have_own_times_amounts_and_durations() -> None:
    many = varied(4)
    times = TIMES + np.arange(4)[:, None] * 0.7
    amounts, starts, lasting = np.array([1.0, 2, 3, 4]), np.array([0.0, 5, 5, 9]), np.array([10.0, 0.5, 3, 7])
    found = propagate(many, [Input(0, amounts, starts, lasting), Input(1, amounts, 20.0)], times, block=3)
    for patient in range(4):
        a, s, d = amounts[patient], starts[patient], lasting[patient]
        alone = solved(many, [Input(0, a, s, d), Input(1, a, 20.0)], times[patient], patient)
        close(found[..., patient], alone, 1e-8)


OWN_TIMES = np.sort(np.random.default_rng(2).uniform(0, 300, (4, 40)), axis=1)


@pytest.mark.parametrize("name", ["patients", *CASES])
def test_own_times_are_read_as_exactly_as_shared_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    of = varied(4) if name == "patients" else CASES[name]
    monkeypatch.setattr(own_times, "AT_ONCE", 90)  # two patients at once
    found = propagate(of, DOSES, OWN_TIMES)
    for patient in range(4):
        close(found[..., patient], propagate(of, DOSES, OWN_TIMES[patient])[..., min(patient, of.patients - 1)], 1e-10)
        alone = solved(of, DOSES, OWN_TIMES[patient], min(patient, of.patients - 1))
        close(found[..., patient], alone, 1e-8)


def test_own_times_among_many_doses_and_before_the_first() -> None:
    many = [Input(0, 1.0 + n, 20.0 + 9 * n, 3.0 * (n % 2)) for n in range(30)]
    for of in (varied(4), CASES["transit chains of two"]):
        found = propagate(of, many, OWN_TIMES)
        for patient in range(4):
            shared = propagate(of, many, OWN_TIMES[patient])[..., min(patient, of.patients - 1)]
            close(found[..., patient], shared, 1e-10)
        assert np.all(found[:, (OWN_TIMES < 20).T] == 0)


def test_own_times_after_what_enters_at_once_only() -> None:
    given = [Input(0, 50.0, 10.0), Input(1, 5.0, 100.0)]
    found = propagate(CASES["stiff"], given, OWN_TIMES)
    close(found[..., 3], propagate(CASES["stiff"], given, OWN_TIMES[3])[..., 0], 1e-9)


def test_what_hardly_fades_during_an_inflow_is_walked_to() -> None:
    slow = system(2, [(0, 1, 1e-7), (1, None, 1e-8)], [1])
    given = [Input(1, 5.0, 10.0, 30.0), Input(0, 2.0, 0.0)]
    found = propagate(slow, given, OWN_TIMES)
    for patient in range(4):
        np.testing.assert_allclose(
            found[0, :, patient], propagate(slow, given, OWN_TIMES[patient])[0, :, 0], rtol=1e-10
        )


def test_a_typical_system_serves_patients_with_own_amounts() -> None:
    amounts = np.array([1.0, 2.0, 4.0])
    found = propagate(CASES["stiff"], [Input(0, amounts, 0.0)], TIMES)
    assert found.shape == (3, TIMES.size, 3)
    np.testing.assert_allclose(found[..., 1:], found[..., :1] * amounts[1:], rtol=1e-12)
    ring = propagate(CASES["a ring has no symmetric form"], [Input(0, amounts, 0.0)], TIMES + np.zeros((3, 1)))
    np.testing.assert_allclose(ring[..., 1:], ring[..., :1] * amounts[1:], rtol=1e-12)


def test_what_no_output_sees_is_zero() -> None:
    downstream = system(2, [(0, 1, 0.1), (1, None, 0.1)], [0])
    assert np.all(propagate(downstream, [Input(1, 1.0, 0.0)], TIMES) == 0)


def test_a_store_that_nothing_leaves_keeps_all() -> None:
    store = system(2, [(0, 1, 0.1)], [1])
    found = propagate(store, [Input(0, 1.0, 0.0), Input(1, 6.0, 0.0, 60.0)], np.array([60.0, 10_000.0]))
    np.testing.assert_allclose(found[0, :, 0], [7 - np.exp(-6.0), 7.0], rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 300.0])
def test_the_exponential_agrees_with_scipys(scale: float) -> None:
    rng = np.random.default_rng(3)
    matrices = scale * (rng.standard_normal((6, 5, 5)) - 4 * np.eye(5))
    np.testing.assert_allclose(expm(matrices, np), scipy_expm(matrices), rtol=1e-9, atol=1e-12 * np.exp(min(scale, 0)))


def test_a_complex_step_gives_the_derivative() -> None:
    def at(rate: complex | float) -> np.ndarray:
        of = system(5, MAMMILLARY, [1, 4])
        rates = of.rates.astype(np.result_type(rate))
        rates[1, 1] += 0.12 - rate
        rates[4, 1] += rate - 0.12
        return propagate(LinearSystem(rates, of.readout), DOSES, TIMES)

    numeric = (at(0.12 + 1e-6) - at(0.12 - 1e-6)) / 2e-6
    close(at(0.12 + 1e-30j).imag / 1e-30, numeric, 1e-7)


@pytest.mark.parametrize("name", ["mammillary with a metabolite", "a ring has no symmetric form"])
def test_a_complex_step_in_a_duration_gives_the_derivative(name: str) -> None:
    def at(lasting: complex | float) -> np.ndarray:
        return propagate(CASES[name], [Input(0, 50.0, 10.0), Input(1, 20.0, 30.0, lasting)], TIMES + 0.3)  # type: ignore[arg-type]

    numeric = (at(20 + 1e-4) - at(20 - 1e-4)) / 2e-4
    close(at(20 + 1e-30j).imag / 1e-30, numeric, 1e-5)


@pytest.mark.parametrize("name", [*CASES, "patients of both kinds"])
def test_any_array_library_of_the_standard_serves(name: str) -> None:
    xp, here = array_api_strict, CASES.get(name) or varied(3)
    there = LinearSystem(xp.asarray(here.rates), xp.asarray(here.readout))
    times = TIMES + np.arange(3)[:, None]
    for wanted in (TIMES, times):
        found = np.asarray(propagate(there, DOSES, wanted, xp=xp))
        np.testing.assert_allclose(found, propagate(here, DOSES, wanted), rtol=1e-12, atol=1e-13)


def test_the_groups_of_a_structure_stand_in_the_order_of_the_flow() -> None:
    structure = Structure.of(system(5, MAMMILLARY, [1]), np)
    assert structure.components() == ((0,), (1, 2, 3), (4,))
    assert structure.tree((1, 2, 3)) in (((1, 2), (1, 3)), ((1, 3), (1, 2)))
    assert Structure.of(system(3, RING, [0]), np).tree((0, 1, 2)) is None


def test_memory_stays_near_that_of_the_answer() -> None:
    import tracemalloc

    many = varied(20_000)
    times = np.linspace(0, 500, 200)
    tracemalloc.start()
    found = propagate(many, DOSES, times)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 3 * found.nbytes
