"""The page "How does ketamine work?": panels, a sentence for each, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ketaclinic.pkpd.presenters.courses import (
    KEPT,
    SHOWN_MIN,
    SOMEBODY,
    STEP_MIN,
    band_from,
    band_of,
    clock,
    course_of,
    drug_of,
    sites_words,
    span,
    top_words,
)
from ketaclinic.pkpd.presenters.felt import Column, Felt, noticed_of
from ketaclinic.pkpd.presenters.panels import Band, Panel, days, hours, panel
from ketacore.pkpd import SOURCES, Arms, Basis, Expected, Occupancy, Regimen, arms, occupancy
from ketacore.pkpd.session import session_times

_TABLE_MIN = (10, 20, 40, 60, 90, 120, 180, 240, 360, 480)
_DAYS_SHOWN = 28
_ARMS_TABLE_H = (2, 4, 12, 24, 72, 168, 336, 672)
INDEX = "Receptors held: a calculated index"
ARMS = "Two arms over four weeks: an illustration"


@dataclass(frozen=True, slots=True)
class Table:
    """The same as a picture: heads, and lines of cells of which the first is the time."""

    caption: str
    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows for one choice."""

    summary: str
    looked: str
    panels: tuple[Panel, ...]
    tables: tuple[Table, ...]
    said: str
    basis: str
    notes: tuple[str, ...]
    sources: tuple[str, ...]


def shown(regimen: Regimen, given: str, look_min: float) -> Shown:
    """Return panels, sentences and tables of a regimen (``given`` in words), looked at ``look_min`` after the start."""
    course, held_of, arms_of = course_of(regimen, SOMEBODY, SHOWN_MIN), _held(regimen), _two_arms(regimen)
    drug, index = drug_of(course), _index(held_of)
    blood, told = _blood(course, drug, look_min)
    held = panel(
        INDEX,
        "%",
        [index],
        hours(SHOWN_MIN),
        _index_words(held_of, index),
        marked=look_min,
        top=100,
        grade=held_of.basis.grade,
    )
    both = _arms(arms_of)
    noticed = noticed_of(regimen)
    weeks = panel(
        ARMS, "part of the scale", both, days(_DAYS_SHOWN * 1440), _arms_words(both), top=1, grade=arms_of.basis.grade
    )
    looked = (
        f"{clock(look_min)} after the start: {span(band_of(course, drug).at(look_min))} ng/mL of {drug} in the blood; "
        f"a calculated {span(index.at(look_min))} % of the receptors held."
    )
    return Shown(
        summary=f"{given}. {told}",
        looked=looked,
        panels=(blood, held, *([noticed.panel(look_min)] if noticed.bands else []), weeks),
        tables=(
            _hours_table(
                [
                    Column(f"{drug} in the blood, ng/mL", band_of(course, drug)),
                    Column("index, %", index),
                    *noticed.columns,
                ]
            ),
            _weeks_table(both),
        ),
        said=noticed.said,
        basis=f"{course.basis} (grade {course.grade}); {sites_words(course)}",
        notes=tuple(dict.fromkeys([*course.notes, *held_of.basis.notes, *noticed.notes, *arms_of.basis.notes[:3]])),
        sources=(*course.sources, *(SOURCES[name] for name in _named(held_of.basis, noticed, arms_of.basis))),
    )


def _named(*parts: Basis | Felt) -> list[str]:
    """Return the sources of the parts that are no models: these stand there already."""
    return [name for name in dict.fromkeys(name for part in parts for name in part.sources) if name in SOURCES]


@lru_cache(maxsize=KEPT)
def _held(regimen: Regimen) -> Occupancy:
    return occupancy(regimen, SOMEBODY, np.arange(0.0, SHOWN_MIN + STEP_MIN, STEP_MIN))


@lru_cache(maxsize=KEPT)
def _two_arms(regimen: Regimen) -> Arms:
    every, _ = session_times(regimen, np.array([0.0]))
    return arms(occupancy(regimen, SOMEBODY, every))


def _blood(course: Expected, drug: str, look_min: float) -> tuple[Panel, str]:
    band = band_of(course, drug)
    words = f"The most {drug} in the blood is expected {top_words(course)}: {span(band.peak)} ng/mL."
    return panel("In the blood", "ng/mL", [band], hours(SHOWN_MIN), words, marked=look_min, grade=course.grade), words


def _index(found: Occupancy) -> Band:
    """Return the index in per cent."""
    return band_from("index", found.times_min.tolist(), found.index, factor=100)


def _index_words(found: Occupancy, index: Band) -> str:
    other = found.peak_by_other_ki
    return (
        f"The calculated index is highest about {clock(index.top_min)} after the start, {span(index.peak)} %; with "
        f"another published binding constant it is {span((100 * other.low, 100 * other.high))} %. It was never "
        "measured in people."
    )


def _arms(found: Arms) -> list[Band]:
    minutes = (found.times_h * 60).tolist()
    return [band_from("fast arm", minutes, found.fast, "other"), band_from("slow arm: synapses", minutes, found.slow)]


def _arms_words(arms: list[Band]) -> str:
    fast, slow = arms
    return (
        f"The fast arm is highest {clock(fast.top_min)} after the start and fades over days; the slow one, connections "
        f"of nerve cells, is highest after {clock(slow.top_min)} and fades over weeks. An illustration, no prediction."
    )


def _hours_table(columns: Sequence[Column]) -> Table:
    lines = tuple((clock(t), *(span(column.band.at(t)) for column in columns)) for t in _TABLE_MIN)
    return Table("Expected values in the hours after the start", tuple(column.head for column in columns), lines)


def _weeks_table(arms: list[Band]) -> Table:
    def part(band: Band, hour: float) -> str:
        low, high = band.at(hour * 60)
        return f"{low:.2f} to {high:.2f}"

    lines = tuple((clock(h * 60), *(part(band, h) for band in arms)) for h in _ARMS_TABLE_H)
    return Table("Both arms in the weeks after, 0 to 1", tuple(band.name for band in arms), lines)
