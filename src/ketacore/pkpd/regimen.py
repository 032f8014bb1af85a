"""What is given to whom: doses with route, amount and time, and the person who receives them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeVar

from ketacore.pkpd.refusals import a_quantity, a_whole_number, are_all, impossible

E = TypeVar("E", bound=StrEnum)

LONGEST_MIN = 1_000_000.0
MOST_DEVICES = 400
SHORTEST_INFUSION_MIN = 0.01
DEVICE_MG = 28.0
"""Content of one nasal device of esketamine, by its label."""
SITTING_MIN = 60.0
"""Devices less than this apart are one sitting (grade D, our own line: the label rests 5 min between them)."""
OCCASION_MIN = 1440.0
"""Doses within a day are one occasion (grade D, our own line: a study gave a film and an infusion 6 h later)."""
ADULT_FROM_Y = 18
LIGHTEST_ADULT_KG = 20.0


class Drug(StrEnum):
    """What is given: the S-enantiomer alone, or the racemate."""

    ESKETAMINE = "esketamine"
    KETAMINE = "ketamine"


class Route(StrEnum):
    """Where it goes in."""

    IV = "iv"
    IM = "im"
    NASAL = "nasal"
    ORAL = "oral"
    SUBLINGUAL = "sublingual"
    FILM = "film"


class Sex(StrEnum):
    """Sex, as the published covariates use it."""

    FEMALE = "female"
    MALE = "male"


class Ancestry(StrEnum):
    """Ancestry, as the published covariates use it."""

    CAUCASIAN = "caucasian"
    ASIAN = "asian"
    JAPANESE = "japanese"


def one_of(kind: type[E], name: str, given: Any) -> E:
    """Return ``given`` as a member of ``kind``; raises ``ImpossibleInput`` with the words that are known."""
    if isinstance(given, str) and given in list(kind):
        return kind(given)
    raise impossible(f"{name} {str(given)[:40]!r} is not known", f"Use one of: {', '.join(kind)}.")


@dataclass(frozen=True, slots=True)
class DoseEvent:
    """One dose: ``amount_mg`` of base in all, from ``start_min``.

    ``duration_min`` is the length of an infusion (0: at once; only ``iv`` may last). A nasal dose is split equally over
    ``devices``, each ``device_gap_min`` after the one before; left out, devices of 28 mg are filled one after the
    other. Raises ``ImpossibleInput`` for what cannot be given.
    """

    drug: Drug
    route: Route
    amount_mg: float
    start_min: float = 0.0
    duration_min: float = 0.0
    devices: int | None = None
    device_gap_min: float = 5.0

    def __post_init__(self) -> None:
        keep = object.__setattr__
        keep(self, "drug", one_of(Drug, "drug", self.drug))
        keep(self, "route", one_of(Route, "route", self.route))
        keep(self, "amount_mg", a_quantity("amount_mg", self.amount_mg, 0, 10_000, "mg"))
        for name in ("start_min", "duration_min", "device_gap_min"):
            keep(self, name, a_quantity(name, getattr(self, name), 0, LONGEST_MIN, "min"))
        if self.amount_mg == 0:
            raise impossible("amount_mg is 0", "Leave out what is not given.")
        if self.duration_min and self.route is not Route.IV:
            raise impossible(f"a dose by the route {self.route} has no duration_min", "Only an infusion (iv) lasts.")
        if 0 < self.duration_min < SHORTEST_INFUSION_MIN:
            raise impossible(
                f"duration_min {self.duration_min:g} is shorter than any infusion",
                f"Give {SHORTEST_INFUSION_MIN:g} min or more, or 0 for a dose at once.",
            )
        if self.devices is not None:
            if self.route is not Route.NASAL:
                raise impossible(f"a dose by the route {self.route} has no devices", "Leave devices out.")
            keep(self, "devices", a_whole_number("devices", self.devices, 1, MOST_DEVICES))

    def portions(self) -> tuple[tuple[float, float], ...]:
        """Return (start in min, amount in mg) of each part that is given at once: devices, or the dose itself."""
        return tuple((self.start_min + k * self.device_gap_min, amount) for k, amount in enumerate(self._amounts()))

    def _amounts(self) -> list[float]:
        if self.route is not Route.NASAL:
            return [self.amount_mg]
        if self.devices is not None:
            return [self.amount_mg / self.devices] * self.devices
        full, rest = divmod(self.amount_mg, DEVICE_MG)
        return [DEVICE_MG] * int(full) + ([rest] if rest else [])


@dataclass(frozen=True, slots=True)
class Regimen:
    """Doses in the order of time, any number of them; raises ``ImpossibleInput`` for none or what is no dose.

    A dose that starts before the one listed above it is refused: most likely its start is mistyped.
    """

    doses: tuple[DoseEvent, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.doses, Iterable):
            raise impossible("doses is not a list", "Give a list of doses.")
        doses = tuple(self.doses)
        object.__setattr__(self, "doses", doses)
        if not doses or not are_all(DoseEvent, doses):
            raise impossible("a regimen is not a list of doses", "Give one DoseEvent or more.")
        for number, (one, next_one) in enumerate(pairwise(doses), start=2):
            if next_one.start_min < one.start_min:
                because = f"dose {number} starts at {next_one.start_min:g} min, before the dose above it"
                raise impossible(because, "List doses in the order of time, and check start_min.")

    @property
    def drugs(self) -> frozenset[Drug]:
        """Return the drugs given."""
        return frozenset(dose.drug for dose in self.doses)

    @property
    def routes(self) -> frozenset[Route]:
        """Return the routes used."""
        return frozenset(dose.route for dose in self.doses)

    def places(self) -> tuple[tuple[int, ...], ...]:
        """Return for each portion of each dose how many devices came before it in its sitting (0 where none is)."""
        given = [list(dose.portions()) for dose in self.doses]
        found = [[0] * len(portions) for portions in given]
        devices = sorted(
            (start, dose, number)
            for dose, portions in enumerate(given)
            if self.doses[dose].route is Route.NASAL
            for number, (start, _) in enumerate(portions)
        )
        for (last, *before), (start, dose, number) in pairwise(devices):
            if start - last < SITTING_MIN:
                found[dose][number] = found[before[0]][before[1]] + 1
        return tuple(tuple(places) for places in found)

    @property
    def portions(self) -> int:
        """Return how many devices and other doses are given in all."""
        return sum(len(dose.portions()) for dose in self.doses)

    def occasions(self) -> tuple[int, ...]:
        """Return the number (from 0) of the occasion each dose belongs to: those within a day of its first dose."""
        found: list[int] = []
        began = self.doses[0].start_min
        for dose in self.doses:
            fresh = dose.start_min - began >= OCCASION_MIN
            began = dose.start_min if fresh else began
            found.append((found[-1] if found else 0) + fresh)
        return tuple(found)

    @property
    def occasion_count(self) -> int:
        """Return how many occasions there are."""
        return 1 + max(self.occasions())

    def breakpoints_min(self) -> tuple[float, ...]:
        """Return the minutes at which something given starts or ends, in order."""
        moments = {t for dose in self.doses for start, _ in dose.portions() for t in (start, start + dose.duration_min)}
        return tuple(sorted(moments))


@dataclass(frozen=True, slots=True)
class Person:
    """Who receives it: age in years, weight in kg; sex and ancestry where they are known.

    Raises ``ImpossibleInput`` for a number that no living person has.
    """

    age_y: float
    weight_kg: float
    sex: Sex | None = None
    ancestry: Ancestry | None = None

    def __post_init__(self) -> None:
        keep = object.__setattr__
        keep(self, "age_y", a_quantity("age_y", self.age_y, 0, 120, "years"))
        keep(self, "weight_kg", a_quantity("weight_kg", self.weight_kg, 0.3, 650, "kg"))
        if self.age_y >= ADULT_FROM_Y and self.weight_kg < LIGHTEST_ADULT_KG:
            raise impossible(
                f"{self.weight_kg:g} kg is the weight of no adult", "Check the number and its unit, and the age."
            )
        if self.sex is not None:
            keep(self, "sex", one_of(Sex, "sex", self.sex))
        if self.ancestry is not None:
            keep(self, "ancestry", one_of(Ancestry, "ancestry", self.ancestry))
