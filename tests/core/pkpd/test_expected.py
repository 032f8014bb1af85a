"""The expected concentration is a band: of models where several answer, of people where one does."""

from __future__ import annotations

import numpy as np
import pytest

from ketacore.evidence import Grade
from ketacore.pkpd import DoseEvent, Drug, Matrix, NotAnswered, Person, Regimen, Route, ensemble, expected
from ketacore.pkpd.expected import VENOUS_ONLY

SOMEBODY = Person(45, 70)
TIMES = np.linspace(0, 240, 49)


def test_where_models_disagree_the_band_is_theirs() -> None:
    infusion = Regimen((DoseEvent(Drug.KETAMINE, Route.IV, 35, duration_min=40),))
    found = expected(infusion, SOMEBODY, TIMES, np.random.default_rng(1))
    low, high = ensemble(infusion, SOMEBODY, TIMES).band("ketamine", Matrix.VENOUS)
    assert found.analyte == "ketamine" and found.matrix is Matrix.VENOUS
    assert found.basis == "the span of 4 published models of a typical person, venous blood" and len(found.models) == 4
    assert np.array_equal(found.low, low) and np.array_equal(found.high, high)


def test_the_other_sampling_site_is_told_and_the_weakest_rule_names_the_grade() -> None:
    infusion = Regimen((DoseEvent(Drug.KETAMINE, Route.IV, 35, duration_min=40),))
    found = expected(infusion, SOMEBODY, TIMES, np.random.default_rng(1))
    peaks = {site.matrix: site for site in found.sites}
    assert set(peaks) == set(Matrix) and found.grade is Grade.D
    assert peaks[Matrix.VENOUS].high < peaks[Matrix.ARTERIAL].low
    drawn = [peaks[Matrix.VENOUS], peaks[Matrix.UNKNOWN]]
    assert min(s.low for s in drawn) == pytest.approx(found.low.max())
    assert max(s.high for s in drawn) == pytest.approx(found.high.max())
    assert VENOUS_ONLY in found.notes and any("Extrapolated" in note or "not at hand" in note for note in found.notes)
    venous = expected(infusion, SOMEBODY, TIMES, np.random.default_rng(1), matrix=Matrix.VENOUS)
    assert Matrix.ARTERIAL not in {site.matrix for site in venous.sites}


def test_what_ancestry_would_change_is_told_where_nobody_asked_for_it() -> None:
    spray = Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, 84),))
    found = expected(spray, SOMEBODY, TIMES, np.random.default_rng(1))
    assert any("+30 % in people of japanese ancestry" in note for note in found.notes)
    asked = expected(spray, Person(45, 70, ancestry="japanese"), TIMES, np.random.default_rng(1))  # type: ignore[arg-type]
    assert not any("Ancestry is not asked for" in note for note in asked.notes)
    assert asked.high.max() > found.high.max()


def test_another_draw_of_people_moves_the_edges_little() -> None:
    spray = Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, 84),))
    draws = [expected(spray, SOMEBODY, TIMES, np.random.default_rng(seed)) for seed in range(4)]
    for edge in ("low", "high"):
        tops = [getattr(found, edge).max() for found in draws]
        assert max(tops) / min(tops) < 1.08


def test_one_model_alone_is_never_one_line() -> None:
    spray = Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, 84),))
    found = expected(spray, SOMEBODY, TIMES, np.random.default_rng(1))
    typical = ensemble(spray, SOMEBODY, TIMES).band("S-ketamine")[0]
    assert found.models == ("perez-ruixo-2021",) and "nine of ten people" in found.basis
    inside = (found.low <= typical) & (typical <= found.high)
    assert inside[1:].all() and (found.high[1:] > found.low[1:]).all()
    assert np.array_equal(found.high, expected(spray, SOMEBODY, TIMES, np.random.default_rng(1)).high)


def test_no_model_no_band() -> None:
    spray = Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, 84),))
    with pytest.raises(NotAnswered):
        expected(spray, SOMEBODY, TIMES, np.random.default_rng(1), matrix=Matrix.ARTERIAL)


def test_devices_at_their_own_times_are_devices_of_one_sitting() -> None:
    together = Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, 84),))
    apart = Regimen(tuple(DoseEvent(Drug.ESKETAMINE, Route.NASAL, 28, 5.0 * n) for n in range(3)))
    one, other = (ensemble(given, SOMEBODY, TIMES).band("S-ketamine")[0] for given in (together, apart))
    assert np.allclose(one, other, rtol=1e-12)


def test_when_the_concentration_is_highest_is_told_for_the_typical_person_and_between_when() -> None:
    spray = Regimen((DoseEvent(Drug.ESKETAMINE, Route.NASAL, 84),))
    top = expected(spray, SOMEBODY, TIMES, np.random.default_rng(1)).top_min
    assert top.point == pytest.approx(45) and top.low < 35 and 55 < top.high < 120
    infusion = Regimen((DoseEvent(Drug.KETAMINE, Route.IV, 35, duration_min=40),))
    top = expected(infusion, SOMEBODY, TIMES, np.random.default_rng(1)).top_min
    assert (top.low, top.point, top.high) == (40, 40, 40)


def test_what_is_said_of_one_model_names_it() -> None:
    infusion = Regimen((DoseEvent(Drug.KETAMINE, Route.IV, 35, duration_min=40),))
    notes = expected(infusion, SOMEBODY, TIMES, np.random.default_rng(1)).notes
    assert "domino: The sampling site of this model is not stated." in notes
    assert not any(note.startswith("It was fitted") for note in notes)
    assert not any("+0 %" in note for note in notes)
