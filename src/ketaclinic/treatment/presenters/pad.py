"""The vitals pad: which numbers can be read at all, and from which on somebody is asked whether it is really so.

Impossible is what the core refuses. Improbable needs no number of its own: it lies beyond an urgent limit that the
clinic has signed, or, where none is signed, outside the range that the picture of the session draws anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ketaclinic.treatment.presenters.trace import AXIS_HIGH, AXIS_LOW, SATURATION_LOW
from ketacore.evidence import Setting
from ketacore.treatment.rules import RULES, stands
from ketacore.units import Percent, Rate


@dataclass(frozen=True, slots=True)
class VitalField:
    """One field of the pad: the numbers that can be read, and those outside ``usual_*`` that are asked about."""

    name: str
    label: str
    low: int
    high: int
    usual_low: int
    usual_high: int
    below_why: str = ""
    above_why: str = ""
    digits: int = 3


_OUT = "outside the range that is drawn"
_PRESSURE = "IVK-MON-04-BP-HARD"
_HEART = "IVK-MON-04-HR"
_SATURATION = "IVK-MON-04-SPO2-HARD"
_BREATHS = "IVK-MON-04-RR"


def pad_fields(setting: Setting, *, nasal: bool) -> Mapping[str, VitalField]:
    """Return the fields of the pad by name, for what this clinic has signed for this route."""
    watched = not nasal or stands("DEC-12", setting)
    signed = {r for r in (_PRESSURE, _HEART, _SATURATION, _BREATHS) if watched and stands(r, setting)}

    def limit(rule_id: str, parameter: str, otherwise: int, inside: int = 0) -> tuple[int, str]:
        """Return the outermost number nobody is asked about, and why the next one is asked about."""
        if rule_id not in signed:
            return otherwise, _OUT
        number = int(RULES[rule_id].number(parameter))
        return number + inside, f"crosses the clinic’s urgent limit of {number}"

    upper, upper_why = limit(_PRESSURE, "systolic_from_mmhg", AXIS_HIGH, -1)
    lower, lower_why = limit(_PRESSURE, "diastolic_from_mmhg", AXIS_HIGH, -1)
    slow, slow_why = limit(_HEART, "below_per_min", AXIS_LOW)
    fast, fast_why = limit(_HEART, "above_per_min", AXIS_HIGH)
    thin, thin_why = limit(_SATURATION, "below_percent", SATURATION_LOW)
    shallow, shallow_why = limit(_BREATHS, "below_per_min", int(Rate.low))
    rate, percent = (int(Rate.low), int(Rate.high)), (int(Percent.low), int(Percent.high))
    found = (
        VitalField("systolic", "Upper blood pressure", 30, 350, AXIS_LOW, upper, _OUT, upper_why),
        VitalField("diastolic", "Lower blood pressure", 10, 250, AXIS_LOW, lower, _OUT, lower_why),
        VitalField("heart_rate", "Heart rate", *rate, slow, fast, slow_why, fast_why),
        VitalField("oxygen_saturation", "SpO₂", *percent, thin, percent[1], thin_why),
        VitalField("respiratory_rate", "Breaths", *rate, shallow, AXIS_LOW - 1, shallow_why, "as fast as a heart"),
    )
    return {field.name: field for field in found}
