"""The figures of ``data/figures.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Figure:
    """One published number with its interval (or our tolerance), source and grade."""

    figure_id: str
    quantity: str
    value: float
    unit: str
    source: str
    grade: str
    lo: float | None = None
    hi: float | None = None
    second: float | None = None
    tolerance: float | None = None
    note: str = ""

    @property
    def share(self) -> float:
        """A percentage as a fraction."""
        return self.value / 100

    def covers(self, found: float) -> bool:
        """Return whether a number found in a cohort agrees with the figure."""
        if self.tolerance is not None:
            return abs(found - self.value) <= self.tolerance
        return (self.lo is None or self.lo <= found) and (self.hi is None or found <= self.hi)


FIGURES: dict[str, Figure] = {
    key: Figure(figure_id=key, **record)
    for key, record in tomllib.loads(
        (resources.files("ketaclinic.demo") / "data" / "figures.toml").read_text(encoding="utf-8")
    ).items()
}
