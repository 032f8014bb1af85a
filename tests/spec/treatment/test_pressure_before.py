"""SPR-PRE-01-DOSE, DEC-06-DOSE, IVK-MON-04-PRE: which blood pressure holds the first dose, as a table."""

from __future__ import annotations

import pytest

from ketacore.treatment import INFUSION, NASAL, may_start
from tests.core.treatment.course import IV_GATE, NASAL_GATE, bp, infusion, nasal, setting

SOFT, HARD = "IVK-MON-04-PRE-SOFT", "IVK-MON-04-PRE-HARD"


@pytest.mark.parametrize(
    ("place", "product", "pressure", "held_by"),
    [
        ("US", NASAL, (140, 90), set()),
        ("US", NASAL, (141, 90), {"SPR-PRE-01-DOSE"}),
        ("US", NASAL, (140, 91), {"SPR-PRE-01-DOSE"}),
        ("EU", NASAL, (140, 90), set()),
        ("EU", NASAL, (141, 90), {"DEC-06-DOSE"}),
        ("CH", NASAL, (140, 91), {"DEC-06-DOSE"}),
        ("US", INFUSION, (140, 90), set()),
        ("US", INFUSION, (141, 90), {SOFT}),
        ("US", INFUSION, (159, 99), {SOFT}),
        ("US", INFUSION, (160, 90), {SOFT, HARD}),
        ("US", INFUSION, (150, 100), {SOFT, HARD}),
        ("UK", INFUSION, (160, 100), {SOFT, HARD}),
    ],
)
def test_the_pressure_before_the_dose(place: str, product: str, pressure: tuple[int, int], held_by: set[str]) -> None:
    facts = nasal(*NASAL_GATE, bp(-5, *pressure)) if product == NASAL else infusion(*IV_GATE, bp(-5, *pressure))
    decision = may_start(facts, setting(product, place=place))
    assert {f.rule.rule_id for f in decision.findings if f.stops} == held_by
