"""The quantities of the clinic, each in one unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class ImpossibleValue(ValueError):
    """A number that cannot belong to a living person in this unit; the message says what was expected."""


@dataclass(frozen=True, slots=True, order=True)
class _Quantity:
    value: float

    low: ClassVar[float]
    high: ClassVar[float]
    unit: ClassVar[str]
    name: ClassVar[str]

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise ImpossibleValue(
                f"{self.name} {self.value:g} {self.unit}: expected {self.low:g} to {self.high:g} {self.unit}"
            )

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


class Weight(_Quantity):
    """Body weight in kilograms."""

    low, high, unit, name = 0.3, 650.0, "kg", "weight"


class Height(_Quantity):
    """Body height in centimetres."""

    low, high, unit, name = 20.0, 280.0, "cm", "height"


class Dose(_Quantity):
    """An amount of drug in milligrams."""

    low, high, unit, name = 0.0, 10_000.0, "mg", "dose"


class DosePerKg(_Quantity):
    """An amount of drug per body weight, mg/kg."""

    low, high, unit, name = 0.0, 20.0, "mg/kg", "dose per weight"

    def for_weight(self, weight: Weight) -> Dose:
        """Return the dose for a body weight, in mg, unrounded."""
        return Dose(self.value * weight.value)


class Duration(_Quantity):
    """A length of time in minutes."""

    low, high, unit, name = 0.0, 100_000.0, "min", "duration"


class Percent(_Quantity):
    """A share of one hundred, as oxygen saturation is read."""

    low, high, unit, name = 0.0, 100.0, "%", "percentage"


class Rate(_Quantity):
    """Events per minute: heart beats, breaths."""

    low, high, unit, name = 0.0, 400.0, "/min", "rate"


@dataclass(frozen=True, slots=True)
class BloodPressure:
    """Systolic over diastolic pressure in mmHg."""

    systolic: int
    diastolic: int

    def __post_init__(self) -> None:
        if not (30 <= self.systolic <= 350 and 10 <= self.diastolic <= 250):
            raise ImpossibleValue(f"blood pressure {self}: expected 30-350 over 10-250 mmHg")
        if self.diastolic >= self.systolic:
            raise ImpossibleValue(f"blood pressure {self}: the lower number must be below the upper one")

    def __str__(self) -> str:
        return f"{self.systolic}/{self.diastolic}"
