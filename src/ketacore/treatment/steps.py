"""Do the entries of a session still follow one another? Asked anew of the whole session whenever one is corrected."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ketacore.evidence import Refusal, Setting
from ketacore.treatment.course import first_dose_at
from ketacore.treatment.decide import check_event
from ketacore.treatment.events import DeviceGiven, Event, InfusionPaused, InfusionResumed, Stopped
from ketacore.treatment.facts import SessionFacts
from ketacore.treatment.phases import check_step


@dataclass(frozen=True, slots=True)
class Misfit:
    """An entry that does not follow from those before it, and why."""

    event: Event
    because: tuple[str, ...]


def misfits(facts: SessionFacts, setting: Setting) -> tuple[Misfit, ...]:
    """Return the entries that the entries before them do not allow: by phase, device order, rest and flow.

    The gates are not asked again: a reading corrected after the dose is the truth, even if it would have held the dose.
    """
    found = []
    for number, event in enumerate(facts.events):
        before = replace(facts, events=facts.events[:number])
        try:
            _check_follows(before, event, setting)
        except Refusal as refusal:
            found.append(Misfit(event, refusal.because))
    return tuple(found)


def _check_follows(before: SessionFacts, event: Event, setting: Setting) -> None:
    what = event.what
    if isinstance(what, DeviceGiven) and first_dose_at(before) is None:
        check_step(before, event)
        if what.number != 1:
            raise Refusal("Recording the first device", ["the first device is number 1"], "Check the devices.")
    elif isinstance(what, DeviceGiven | InfusionPaused | InfusionResumed | Stopped):
        check_event(before, event, setting)
    else:
        check_step(before, event)
