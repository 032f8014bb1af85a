"""The NMDA index is a band and says that nobody measured it."""

from __future__ import annotations

import numpy as np

from ketacore.pkpd import Matrix, occupancy
from tests.core.pkpd.people import ADULT, INFUSION, NASAL_84

TIMES = np.arange(0, 241, 5.0)


def test_an_index_with_its_band() -> None:
    found = occupancy(INFUSION, ADULT, TIMES)
    index = found.index
    assert np.all((index.low >= 0) & (index.low <= index.point) & (index.point <= index.high) & (index.high < 1))
    assert (found.index.low[0], found.index.high[0]) == (0, 0)
    assert found.peak.high < found.peak_by_other_ki.high
    assert found.basis.grade == "D"
    assert any("never measured" in note for note in found.basis.notes)
    assert "does not order" in found.basis.says
    assert {"ebert-1997", "plasma-binding", "otto-2021", "simons-2022"} <= set(found.basis.sources)
    assert "domino" not in found.basis.sources
    assert not any("not stated" in note for note in found.basis.notes)


def test_where_no_site_is_stated_the_index_says_so() -> None:
    found = occupancy(NASAL_84, ADULT, TIMES)
    assert any("not stated" in note for note in found.basis.notes)
    assert "perez-ruixo-2021" in found.basis.sources
    assert Matrix.UNKNOWN == "unknown"
    inhibited = occupancy(NASAL_84, ADULT, TIMES, scenario={"cyp2b6": "inhibited"})
    assert inhibited.peak.point > found.peak.point
