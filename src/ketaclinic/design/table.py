"""Tables that leave the clinic as text: comma separated, with every cell inert in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import IO

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def inert(cell: object) -> object:
    """Return a cell that no spreadsheet runs: text that would start a formula gets an apostrophe before it.

    Numbers stay numbers; blanks before a formula do not hide it.
    """
    if not isinstance(cell, str):
        return "" if cell is None else cell
    begins = cell.lstrip(" \u00a0\u200b\ufeff")
    return f"'{cell}" if begins.startswith(_STARTS_A_FORMULA) or cell.startswith(_STARTS_A_FORMULA) else cell


def write_csv(handle: IO[str], head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table with its heading, one line for each row, every cell inert."""
    out = csv.writer(handle, lineterminator="\r\n")
    out.writerow([inert(name) for name in head])
    for row in rows:
        out.writerow([inert(cell) for cell in row])
