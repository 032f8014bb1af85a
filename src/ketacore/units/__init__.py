"""Typed quantities: no bare floats for a dose, a weight or a pressure.

Each is a frozen value that knows its unit and the range in which a number can belong to a living person;
outside it construction raises ``ImpossibleValue``. The ranges catch slips of the finger and of the unit
(a weight in pounds, a temperature in Fahrenheit); they are not clinical limits.
"""

from ketacore.units.quantities import (
    BloodPressure,
    Dose,
    DosePerKg,
    Duration,
    Height,
    ImpossibleValue,
    Percent,
    Rate,
    Weight,
)

__all__ = [
    "BloodPressure",
    "Dose",
    "DosePerKg",
    "Duration",
    "Height",
    "ImpossibleValue",
    "Percent",
    "Rate",
    "Weight",
]
