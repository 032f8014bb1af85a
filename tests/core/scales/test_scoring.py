"""The scorer is proven by worked examples; half a form gives no number, and nothing outside the items is taken."""

from __future__ import annotations

import pytest

from ketacore.evidence import Refusal
from ketacore.scales import SCALES, Incomplete, Scale, Score, ShipMode, band_of, score

VECTORS = [(scale, golden) for scale in SCALES.values() for golden in scale.golden]
PHQ9 = SCALES["phq9"]


def answers(scale: Scale, values: tuple[int, ...]) -> dict[str, int | None]:
    return dict(zip((item.key for item in scale.items), values, strict=True))


@pytest.mark.parametrize(("scale", "golden"), VECTORS, ids=[f"{s.scale_id}-{g.total}" for s, g in VECTORS])
def test_worked_example(scale: Scale, golden: object) -> None:
    result = score(scale, answers(scale, golden.answers))  # type: ignore[attr-defined]
    assert isinstance(result, Score)
    assert (result.total, result.band.name) == (golden.total, golden.band)  # type: ignore[attr-defined]


@pytest.mark.parametrize("scale", SCALES.values(), ids=list(SCALES))
def test_the_examples_reach_both_ends_of_every_band(scale: Scale) -> None:
    totals = {g.total for g in scale.golden}
    assert {band.low for band in scale.bands} | {band.high for band in scale.bands} <= totals


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"q1": 4}, "q1 is 4: expected one of 0, 1, 2, 3"),
        ({"q1": -1}, "q1 is -1"),
        ({"q1": True}, "q1 is True"),
        ({"q1": 1.5}, "q1 is 1.5"),
        ({"q1": "2"}, "q1 is 2"),
        ({"q77": 1}, "no item q77"),
    ],
)
def test_an_answer_the_item_does_not_offer_is_refused(given: dict[str, int | None], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        score(PHQ9, given)


def test_extras_are_not_counted_and_not_asked_for() -> None:
    full = answers(PHQ9, PHQ9.golden[-1].answers)
    extra = PHQ9.extras[0].key
    assert score(PHQ9, full) == score(PHQ9, {**full, extra: 3}) == score(PHQ9, {**full, extra: None})


def test_what_is_missing_is_named() -> None:
    result = score(PHQ9, {"q1": 0, "q2": None})
    assert isinstance(result, Incomplete)
    assert result.missing == ("q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9")


@pytest.mark.parametrize("total", [-1, 28])
def test_a_total_outside_the_scale_has_no_band(total: int) -> None:
    with pytest.raises(Refusal, match="outside 0 to 27"):
        band_of(PHQ9, total)


def test_items_speak_and_a_threshold_that_may_not_act_is_none() -> None:
    assert PHQ9.item("q9").words(0) == "Not at all"
    meaningful = PHQ9.change("meaningful")
    assert meaningful is not None and meaningful.points == 3
    assert SCALES["gad7"].change("meaningful") is None
    assert SCALES["gad7"].remission is None


@pytest.mark.parametrize("mode", ShipMode)
def test_every_licence_mode_says_what_it_means(mode: ShipMode) -> None:
    assert mode.meaning
