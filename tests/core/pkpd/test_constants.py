"""Every number of the effects has a source or a reason, and a wrong file is refused with its place."""

from __future__ import annotations

import pytest

from ketacore.evidence import Grade
from ketacore.pkpd import SOURCES, ModelDataError
from ketacore.pkpd.bands import basis
from ketacore.pkpd.constants import EFFECTS, MECHANISM, parse_quantities

GOOD = """
[sources]
assumed = "Assumption"
paper = "A paper"
[values.x]
value = 2
low = 1
high = 3
unit = "h"
grade = "A"
source = "paper"
reason = "Printed."
"""


def test_every_number_says_where_it_comes_from() -> None:
    for quantity in (*EFFECTS.values(), *MECHANISM.values()):
        assert quantity.source in SOURCES
        assert quantity.assumed == (quantity.grade is Grade.D)
        assert quantity.reason.endswith(".")
    assert all(quantity.assumed for quantity in MECHANISM.values())


def test_a_quantity_is_read() -> None:
    found = parse_quantities(GOOD, "x.toml")["x"]
    assert (found.ends, found.source, found.unit) == ((1, 2, 3), "paper", "h")
    assert EFFECTS["ke0_half_life"].target == "T51"


def test_a_published_number_whose_middle_or_ends_are_our_own_says_so() -> None:
    assert {q.name: q.own for q in EFFECTS.values() if q.own} == {
        "fraction_unbound": "middle",
        "sedation_on_label": "middle",
        "dissociation_on_label": "middle",
        "dissociation_c50": "ends",
        "sedation_peak": "middle",
        "sedation_over_in_most": "middle",
    }
    (note,) = basis([EFFECTS["fraction_unbound"]], []).notes
    assert note.startswith("Assumed, the middle of fraction_unbound 0.35-0.45-0.55")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("value = 2", "value = 4", "not within its band"),
        ("low = 1", "low = -1", "not within its band"),
        ('source = "paper"', 'source = "rumour"', "not listed"),
        ('source = "paper"', 'source = "assumed"', "belong together"),
        ('grade = "A"', 'grade = "D"', "belong together"),
        ('reason = "Printed."', 'reason = ""', "reason is missing"),
        ('unit = "h"', "", "unit"),
        ("value = 2", 'value = "many"', "many"),
        ("value = 2", "value = [2]", "float"),
    ],
)
def test_a_wrong_file_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(ModelDataError, match=says):
        parse_quantities(GOOD.replace(old, new), "x.toml")
