"""How many people notice a spray is what was published, at the doses it was published for, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from ketacore.pkpd import DoseEvent, ImpossibleInput, Incidence, Noticed, Regimen, Unanswered, incidence
from tests.core.pkpd.people import FILM_50, INFUSION, NASAL_84, S_INFUSION, one

TIMES = np.arange(0, 481, 5.0)
NASAL_56 = one("esketamine", "nasal", 56)


def answered(of: Noticed, regimen: Regimen, times: np.ndarray = TIMES) -> Incidence:
    found = incidence(of, regimen, times)
    assert isinstance(found, Incidence)
    return found


@pytest.mark.parametrize(
    ("of", "regimen", "ends"),
    [
        (Noticed.DISSOCIATION, NASAL_56, (0.61, 0.61, 0.84)),
        (Noticed.DISSOCIATION, NASAL_84, (0.61, 0.69, 0.84)),
        (Noticed.SEDATION, NASAL_56, (0.48, 0.50, 0.61)),
        (Noticed.SEDATION, NASAL_84, (0.48, 0.61, 0.61)),
    ],
)
def test_the_share_is_that_of_the_study_within_the_label(
    of: Noticed, regimen: Regimen, ends: tuple[float, float, float]
) -> None:
    ever = answered(of, regimen).ever
    assert (ever.low, ever.point, ever.high) == pytest.approx(ends)


def test_sedation_comes_and_goes_as_reported() -> None:
    found = answered(Noticed.SEDATION, NASAL_84)
    share = found.share
    assert share is not None and found.peak_min is not None
    assert (found.peak_min.low, found.peak_min.high) == (30, 45)
    assert np.all((share.low <= share.point) & (share.point <= share.high) & (share.low >= 0))
    assert share.high[TIMES <= 15].max() == 0 and share.high[TIMES > 240].max() == 0
    assert share.high[TIMES == 40] == pytest.approx(0.61) and share.low[TIMES == 45] == pytest.approx(0.48)
    assert share.high[TIMES == 90] == pytest.approx(0.305) and share.low[TIMES >= 90].max() == 0  # over in most
    assert 30 <= TIMES[np.argmax(share.point)] <= 45


def test_a_later_spray_is_noticed_later() -> None:
    later = Regimen(tuple(DoseEvent("esketamine", "nasal", 28, start_min=100.0 + 5 * n) for n in range(3)))  # type: ignore[arg-type]
    shifted, plain = answered(Noticed.SEDATION, later, TIMES + 100), answered(Noticed.SEDATION, NASAL_84)
    assert shifted.share is not None and plain.share is not None
    np.testing.assert_allclose(shifted.share.high, plain.share.high, atol=1e-12)
    assert shifted.peak_min is not None and shifted.peak_min.low == 130


def test_dissociation_has_a_share_and_no_course() -> None:
    found = answered(Noticed.DISSOCIATION, NASAL_84)
    assert found.share is None and found.peak_min is None
    assert any("no curve is drawn" in note for note in found.basis.notes)


@pytest.mark.parametrize(
    "regimen",
    [
        INFUSION,
        S_INFUSION,
        FILM_50,
        one("esketamine", "nasal", 28),
        one("ketamine", "nasal", 84),
        Regimen((*NASAL_84.doses, DoseEvent("esketamine", "nasal", 84, start_min=5_000))),  # type: ignore[arg-type]
        Regimen(tuple(DoseEvent("esketamine", "nasal", 28, start_min=120.0 * n) for n in range(3))),  # type: ignore[arg-type]
        Regimen((*NASAL_56.doses, DoseEvent("esketamine", "iv", 28, start_min=60))),  # type: ignore[arg-type]
    ],
)
@pytest.mark.parametrize("of", Noticed)
def test_another_dose_route_or_drug_has_no_answer(of: Noticed, regimen: Regimen) -> None:
    found = incidence(of, regimen, TIMES)
    assert isinstance(found, Unanswered)
    (label,) = found.known
    assert (label.low, label.high) == (of.on_label.low, of.on_label.high)
    assert "one sitting of 56 or 84 mg" in found.because and "does not order" in found.basis.says


def test_what_it_rests_on_is_told() -> None:
    basis = answered(Noticed.SEDATION, NASAL_84).basis
    assert basis.grade == "D" and "does not order" in basis.says
    assert {"uspi-esketamine", "nasal-by-dose", "nasal-course", "assumed"} == set(basis.sources)
    assert any("people under 65" in note for note in basis.notes)
    assert any(note.startswith("Assumed, sedation_gone") for note in basis.notes)


def test_a_word_nobody_knows_is_refused() -> None:
    with pytest.raises(ImpossibleInput, match="dissociation, sedation"):
        incidence("bliss", NASAL_84, TIMES)  # type: ignore[arg-type]
    with pytest.raises(ImpossibleInput):
        incidence(Noticed.SEDATION, NASAL_84, [[1.0], [2.0]])
