"""What people notice of a dose, for the page that explains: how many after a spray, how strongly after the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ketaclinic.pkpd.presenters.courses import KEPT, SHOWN_MIN, SOMEBODY, STEP_MIN, band_from, clock, span
from ketaclinic.pkpd.presenters.panels import Band, Panel, hours, panel
from ketacore.pkpd import Incidence, Noticed, Regimen, Unanswered, dissociation, incidence

MANY = "How many people notice it"
STRONG = "How strong dissociation is"
PEOPLE = {Noticed.DISSOCIATION: "floating away (dissociation)", Noticed.SEDATION: "sleepiness (sedation)"}
NOBODY_KNOWS = (
    "For this way of giving it, nobody has published how many people float away or get sleepy, or how strongly."
)
ONLY_STRONG = "How many people notice it, and how sleepy they get, is published for the nasal spray only."


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its head and what it is read from."""

    head: str
    band: Band


@dataclass(frozen=True, slots=True)
class Felt:
    """What people notice of a course: bands in %, sentences, or what has no published answer."""

    title: str
    bands: tuple[Band, ...]
    words: str
    unanswered: str
    notes: tuple[str, ...]

    def panel(self, look_min: float) -> Panel:
        """Return the picture."""
        return panel(self.title, "%", self.bands, hours(SHOWN_MIN), self.words, marked=look_min, top=100)

    @property
    def columns(self) -> list[Column]:
        """Return the same for the table."""
        return [Column(f"{band.name}, %", band) for band in self.bands]


@lru_cache(maxsize=KEPT)
def noticed_of(regimen: Regimen) -> Felt:
    """Return how many people notice a nasal dose, or how strong the dissociation of another is."""
    times = np.arange(0.0, SHOWN_MIN + STEP_MIN, STEP_MIN)
    felt = [incidence(of, regimen, SOMEBODY, times) for of in Noticed]
    shares = tuple(_share_band(of) for of in felt if isinstance(of, Incidence))
    if shares:
        notes = tuple(note for of in felt for note in of.basis.notes)
        return Felt(MANY, shares, " ".join(_share_words(of) for of in felt if isinstance(of, Incidence)), "", notes)
    strong = dissociation(regimen, SOMEBODY, times)
    if isinstance(strong, Unanswered):
        return Felt("", (), "", NOBODY_KNOWS, ())
    band = band_from("dissociation", strong.times_min.tolist(), strong.intensity, factor=100)
    words = (
        f"Dissociation is strongest about {clock(band.top_min)} after the start: {span(band.peak)} % of the strongest "
        "there can be, in a typical person."
    )
    return Felt(STRONG, (band,), words, ONLY_STRONG, strong.basis.notes)


def _share_band(found: Incidence) -> Band:
    css = "" if found.of is Noticed.DISSOCIATION else "other"
    return band_from(PEOPLE[found.of], found.times_min.tolist(), found.share, css, factor=100)


def _share_words(found: Incidence) -> str:
    """Return the highest share in words, as the label counts people."""
    peak = span((100 * found.at_peak.low, 100 * found.at_peak.high))
    return (
        f"{PEOPLE[found.of].capitalize()} is noticed by {peak} of 100 people at its most, about "
        f"{clock(_share_band(found).top_min)} after the start."
    )
