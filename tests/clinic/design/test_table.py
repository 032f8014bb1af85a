"""What leaves as a table starts no formula in anybody's spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from ketaclinic.design.table import inert, write_csv


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=HYPERLINK(1)", "\ufeff=1"]
)
def test_a_cell_that_would_start_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert inert(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "78 kg", "a=b", "2026-11-23", "'quoted", 5, -5, 1.5])
def test_other_cells_stay_as_they_are(cell: object) -> None:
    assert inert(cell) == cell


def test_a_table_is_read_back_as_it_was_written() -> None:
    handle = io.StringIO()
    write_csv(handle, ["time", "=what"], [["a, b", 'say "x"\nsecond line'], [None, -3]])
    assert list(csv.reader(io.StringIO(handle.getvalue()))) == [
        ["time", "'=what"],
        ["a, b", 'say "x"\nsecond line'],
        ["", "-3"],
    ]
