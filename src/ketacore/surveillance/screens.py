"""The long-term screens there are, each with the rule that says when it is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cadence = Literal["session_then_months", "months", "once"]


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen. ``rule_id`` holds its interval; ``watch`` are rules that ask for it without naming an interval.

    ``cadence``: at every session of the induction and every so many months after it; every so many months;
    or once, before treatment. ``months`` names the parameter of the rule. A screen that is not asked for
    ``before_treatment`` falls due for the first time one interval after it began.
    """

    kind: str
    title: str
    rule_id: str
    cadence: Cadence
    months: str = ""
    watch: tuple[str, ...] = ()
    before_treatment: bool = True


SCREENS: tuple[Screen, ...] = (
    Screen("bladder", "Bladder symptoms", "LTS-05", "session_then_months", "bladder_months", ("SPR-W-08", "LTS-01")),
    Screen("blood_pressure", "Blood pressure at rest", "KC-SUR-01", "session_then_months", "blood_pressure_months"),
    Screen("urinalysis", "Urinalysis", "LTS-05", "months", "urinalysis_months", (), False),
    Screen("cognition", "Cognition", "LTS-05", "months", "cognition_months"),
    Screen("liver", "Liver function", "LTS-02-D", "months", "liver_months", ("LTS-02",)),
    Screen("urine_drug_screen", "Urine drug screen", "LTS-05", "once"),
)
"""In the order in which they are shown."""

SCREEN = {screen.kind: screen for screen in SCREENS}
