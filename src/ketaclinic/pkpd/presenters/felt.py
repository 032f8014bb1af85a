"""What people notice of a dose, for the page that explains: how many after a spray, how strongly after the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ketaclinic.pkpd.presenters.courses import KEPT, SHOWN_MIN, SOMEBODY, STEP_MIN, band_from, clock, span
from ketaclinic.pkpd.presenters.panels import Band, Panel, hours, panel
from ketacore.pkpd import Incidence, Noticed, Regimen, Unanswered, dissociation, incidence

SLEEPY = "How many people are sleepy"
STRONG = "How strong dissociation is"
NOT_AT_HAND = (
    "How many people float away or get sleepy, and how strongly, we cannot tell for this dose and way of giving it."
)
ONLY_STRONG = "How many people float away or get sleepy we can only tell for the spray, at 56 and 84 mg."


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its head and what it is read from."""

    head: str
    band: Band


@dataclass(frozen=True, slots=True)
class Felt:
    """What people notice of a course: bands in %, sentences, what is ``said`` beside them, and what they rest on."""

    title: str
    bands: tuple[Band, ...]
    words: str
    said: str
    grade: str
    notes: tuple[str, ...]
    sources: tuple[str, ...]

    def panel(self, look_min: float) -> Panel:
        """Return the picture."""
        return panel(
            self.title, "%", self.bands, hours(SHOWN_MIN), self.words, marked=look_min, top=100, grade=self.grade
        )

    @property
    def columns(self) -> list[Column]:
        """Return the same for the table."""
        return [Column(f"{band.name}, %", band) for band in self.bands]


@lru_cache(maxsize=KEPT)
def noticed_of(regimen: Regimen) -> Felt:
    """Return how many people notice a spray, or how strong the dissociation of another dose is."""
    times = np.arange(0.0, SHOWN_MIN + STEP_MIN, STEP_MIN)
    away, sleepy = (incidence(of, regimen, times) for of in (Noticed.DISSOCIATION, Noticed.SEDATION))
    if isinstance(away, Incidence) and isinstance(sleepy, Incidence):
        return _many(away, sleepy)
    strong = dissociation(regimen, SOMEBODY, times)
    if isinstance(strong, Unanswered):
        return Felt("", (), "", NOT_AT_HAND, "", (), ())
    band = band_from("dissociation", strong.times_min.tolist(), strong.intensity, factor=100)
    words = (
        f"Dissociation is strongest about {clock(band.top_min)} after the start: {span(band.peak)} % of the strongest "
        "there can be, in a typical person."
    )
    return Felt(STRONG, (band,), words, ONLY_STRONG, strong.basis.grade, strong.basis.notes, strong.basis.sources)


def _many(away: Incidence, sleepy: Incidence) -> Felt:
    assert sleepy.share is not None and sleepy.peak_min is not None
    band = band_from("sleepy", sleepy.times_min.tolist(), sleepy.share, factor=100)
    words = (
        f"Sleepiness comes to {_of_100(sleepy)}, most of them {sleepy.peak_min.low:.0f} to {sleepy.peak_min.high:.0f} "
        "min after the first device; in most it is over after 60 to 90 min."
    )
    said = f"Floating away (dissociation) comes to {_of_100(away)}; no published course of it is at hand."
    notes, sources = (
        tuple(x for of in (away, sleepy) for x in getattr(of.basis, part)) for part in ("notes", "sources")
    )
    return Felt(SLEEPY, (band,), words, said, sleepy.basis.grade, notes, sources)


def _of_100(found: Incidence) -> str:
    """Return a share as a study counts people: its own figure, and the label's range."""
    low, seen, high = (f"{100 * end:.0f}" for end in (found.ever.low, found.ever.point, found.ever.high))
    return f"{seen} of 100 people (label: {low} to {high})"
