"""Whatever the course: effects are not below zero, their bands hold their points, and more drug is not less effect."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ketacore.pkpd import Band, Dissociation, DoseEvent, Effects, Person, Regimen, delayed, effects_of

TIMES = np.array([0.0, 5, 20, 40, 45, 60, 120, 400])
FEW = settings(max_examples=15, deadline=None)
PEOPLE = st.builds(Person, st.floats(18, 100), st.floats(35, 200))
KINDS = st.sampled_from(
    [
        ("ketamine", "iv", {"duration_min": 40}),
        ("esketamine", "iv", {"duration_min": 20}),
        ("ketamine", "iv", {}),
        ("esketamine", "nasal", {}),
        ("esketamine", "film", {}),
        ("ketamine", "oral", {}),
    ]
)


@st.composite
def courses(draw: st.DrawFn) -> tuple[Person, tuple[tuple[str, str, dict[str, float]], ...], tuple[float, ...]]:
    """Draw a person, kinds of doses, and their amounts."""
    first = draw(KINDS)
    kinds = [first]
    if draw(st.booleans()):  # the same again, later
        kinds.append((*first[:2], {**first[2], "start_min": draw(st.integers(1, 300))}))
    amounts = tuple(draw(st.floats(0.5, 150)) for _ in kinds)
    return draw(PEOPLE), tuple(kinds), amounts


def run(person: Person, kinds: tuple, amounts: tuple[float, ...], factor: float = 1.0) -> Effects:
    doses = [
        DoseEvent(drug, route, factor * mg, **more) for (drug, route, more), mg in zip(kinds, amounts, strict=True)
    ]
    return effects_of(Regimen(tuple(doses)), person, TIMES, times_h=[1.0, 6, 24, 200])


def bands(found: Effects) -> list[Band]:
    vital = found.haemodynamics
    felt = [found.dissociation.intensity] if isinstance(found.dissociation, Dissociation) else []
    curves = [rise.mean_curve for rise in (vital.systolic, vital.diastolic, vital.heart_rate)]
    arms = [found.arms.fast, found.arms.slow, found.arms.glutamate, found.arms.bdnf_mtor]
    return [*felt, found.occupancy.index, *curves, *arms, *(p.total for p in found.plasma.values())]


@given(courses())
@FEW
def test_nothing_is_below_zero_and_bands_hold_their_points(case: tuple) -> None:
    found = run(*case)
    for band in bands(found):
        assert np.all(np.isfinite(band.high))
        assert np.all((band.low >= 0) & (band.low <= band.point) & (band.point <= band.high))
    share = found.haemodynamics.systolic.share_above(20)
    assert 0 <= share.low <= share.point <= share.high <= 1


@given(courses(), st.floats(1.1, 5))
@FEW
def test_more_drug_is_not_less_effect(case: tuple, factor: float) -> None:
    person, kinds, amounts = case
    if kinds[0][1] == "nasal":  # a share that depends on the number of devices
        kinds = tuple((drug, route, {**more, "devices": 3}) for drug, route, more in kinds)
    less, more = run(person, kinds, amounts), run(person, kinds, amounts, factor)
    for one, other in zip(bands(less), bands(more), strict=True):
        for line in ("low", "point", "high"):
            small, large = getattr(one, line), getattr(other, line)
            assert np.all(small <= large * (1 + 1e-9) + 1e-9)
    one, other = (found.haemodynamics.systolic.share_above(20) for found in (less, more))
    assert one.point <= other.point
    assert one.low <= other.low
    assert one.high <= other.high


@given(st.lists(st.floats(0, 500), min_size=3, max_size=12), st.floats(0, 60), st.floats(0.5, 30))
@example(curve=[0.0, 100.0, 50.0], half_life=5e-324, step=3.0)
@example(curve=[0.0, 100.0, 50.0], half_life=1.2e-308, step=30.0)
@FEW
def test_a_delay_invents_no_drug(curve: list[float], half_life: float, step: float) -> None:
    times = step * np.arange(len(curve))
    found = delayed(times, curve, half_life)
    assert np.all(found >= 0)
    assert np.max(found) <= max(curve) * (1 + 1e-9)
