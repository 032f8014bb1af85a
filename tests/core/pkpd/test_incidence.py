"""How many people notice a spray: the label at its own doses, less with less, no answer for another route."""

from __future__ import annotations

import numpy as np
import pytest

from ketacore.pkpd import DoseEvent, ImpossibleInput, Incidence, Noticed, Person, Regimen, Unanswered, incidence
from tests.core.pkpd.people import ADULT, FILM_50, INFUSION, NASAL_84, S_INFUSION, one

TIMES = np.arange(0, 481, 5.0)


def answered(of: Noticed, regimen: Regimen, person: Person = ADULT, **given: object) -> Incidence:
    found = incidence(of, regimen, person, TIMES, **given)  # type: ignore[arg-type]
    assert isinstance(found, Incidence)
    return found


@pytest.mark.parametrize(("of", "low", "high"), [(Noticed.DISSOCIATION, 0.61, 0.84), (Noticed.SEDATION, 0.48, 0.61)])
def test_at_the_dose_of_the_label_it_is_the_label(of: Noticed, low: float, high: float) -> None:
    peak = answered(of, NASAL_84).at_peak
    assert peak.point == pytest.approx((low + high) / 2)
    assert peak.low == pytest.approx(low) and high <= peak.high < 1


def test_it_rises_and_fades_within_its_band() -> None:
    found = answered(Noticed.DISSOCIATION, NASAL_84)
    assert found.share.low.shape == TIMES.shape
    assert np.all((found.share.low >= 0) & (found.share.low <= found.share.point))
    assert np.all((found.share.point <= found.share.high) & (found.share.high <= 1))
    assert found.share.high[0] == 0 and found.share.point[-1] < 0.01
    assert 20 <= TIMES[np.argmax(found.share.point)] <= 70
    assert found.at_peak.point >= found.share.point.max()


def test_less_is_noticed_by_fewer_and_what_stays_longer_by_more() -> None:
    peaks = [answered(Noticed.SEDATION, one("esketamine", "nasal", mg)).at_peak.point for mg in (28, 56, 84)]
    assert peaks == sorted(peaks) and peaks[0] < 0.15
    slower = answered(Noticed.SEDATION, NASAL_84, scenario={"cyp2b6": "inhibited"})
    assert slower.share.point[60] > answered(Noticed.SEDATION, NASAL_84).share.point[60]
    asian = answered(Noticed.SEDATION, NASAL_84, Person(45, 70, ancestry="japanese"))  # type: ignore[arg-type]
    assert asian.at_peak.point > peaks[-1]


@pytest.mark.parametrize(
    "regimen",
    [
        INFUSION,
        S_INFUSION,
        FILM_50,
        one("ketamine", "nasal", 84),
        Regimen((*NASAL_84.doses, DoseEvent("esketamine", "iv", 20, start_min=60))),  # type: ignore[arg-type]
    ],
)
def test_another_route_or_drug_has_no_answer(regimen: Regimen) -> None:
    found = incidence(Noticed.SEDATION, regimen, ADULT, TIMES)
    assert isinstance(found, Unanswered)
    (label,) = found.known
    assert (label.low, label.high, label.grade, label.same_route) == (48, 61, "A", False)
    assert "nobody to everybody" in found.because and "does not order" in found.basis.says


def test_what_it_rests_on_is_told() -> None:
    basis = answered(Noticed.DISSOCIATION, NASAL_84).basis
    assert basis.grade == "D" and "does not order" in basis.says
    assert {"uspi-esketamine", "olofsen-2012", "perez-ruixo-2021", "assumed"} <= set(basis.sources)
    assert any("61 to 84 % of patients" in note for note in basis.notes)
    assert any(note.startswith("Assumed, threshold_log_sd") for note in basis.notes)


def test_a_word_nobody_knows_is_refused() -> None:
    with pytest.raises(ImpossibleInput, match="dissociation, sedation"):
        incidence("bliss", NASAL_84, ADULT, TIMES)  # type: ignore[arg-type]
    with pytest.raises(ImpossibleInput):
        incidence(Noticed.SEDATION, NASAL_84, ADULT, [[1.0], [2.0]])
