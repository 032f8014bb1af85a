"""Whatever the answers: the total stays on the scale, rises with every answer, and a missing one gives no number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ketacore.scales import SCALES, Incomplete, Scale, Score, score


@st.composite
def filled(draw: st.DrawFn) -> tuple[Scale, dict[str, int | None]]:
    scale = draw(st.sampled_from(list(SCALES.values())))
    return scale, {i.key: draw(st.sampled_from([o.value for o in i.options])) for i in scale.items}


@given(filled())
def test_the_total_stays_on_the_scale(form: tuple[Scale, dict[str, int | None]]) -> None:
    scale, answers = form
    result = score(scale, answers)
    assert isinstance(result, Score)
    assert scale.lowest <= result.total <= scale.highest
    assert result.band.low <= result.total <= result.band.high


@given(filled(), st.data())
def test_a_missing_answer_never_gives_a_number(form: tuple[Scale, dict[str, int | None]], data: st.DataObject) -> None:
    scale, answers = form
    gone = data.draw(st.sets(st.sampled_from(sorted(answers)), min_size=1))
    for key in gone:
        if data.draw(st.booleans()):
            answers[key] = None
        else:
            del answers[key]
    result = score(scale, answers)
    assert isinstance(result, Incomplete)
    assert set(result.missing) == gone


@given(filled(), st.data())
def test_one_answer_higher_is_one_total_higher(form: tuple[Scale, dict[str, int | None]], data: st.DataObject) -> None:
    scale, answers = form
    key = data.draw(st.sampled_from(sorted(answers)))
    values = [o.value for o in scale.item(key).options]
    low, high = score(scale, {**answers, key: min(values)}), score(scale, {**answers, key: max(values)})
    assert isinstance(low, Score) and isinstance(high, Score)
    assert high.total - low.total == max(values) - min(values)
