"""Two ways of giving a session side by side: where their bands overlap, the models cannot tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ketaclinic.pkpd.presenters.courses import band_of, course_of, drug_of, sites_words, span, top_words
from ketaclinic.pkpd.presenters.panels import Panel, hours, panel
from ketacore.pkpd import Person, Regimen


@dataclass(frozen=True, slots=True)
class Choice:
    """One way of giving it, in words and as doses."""

    words: str
    regimen: Regimen


@dataclass(frozen=True, slots=True)
class Compared:
    """The picture, a sentence for each choice, what the bands span, and what to know about them."""

    panel: Panel
    lines: tuple[str, ...]
    basis: str
    notes: tuple[str, ...]


_SHOWN_MIN = 360.0
_CSS = ("", "other")


def compared(choices: Sequence[Choice], person: Person) -> Compared:
    """Return one or two choices as bands over six hours; raises ``Refusal`` where no model answers."""
    courses = [course_of(choice.regimen, person, _SHOWN_MIN) for choice in choices]
    bands = [band_of(course, choice.words, css) for course, choice, css in zip(courses, choices, _CSS, strict=False)]
    lines = tuple(
        f"{band.name}: the most {drug_of(course)} in the blood {top_words(course)}, "
        f"{span(band.peak)} ng/mL; {sites_words(course)}."
        for band, course in zip(bands, courses, strict=True)
    )
    shown = panel("In the blood after one session", "ng/mL", bands, hours(_SHOWN_MIN), " ".join(lines))
    spans = dict.fromkeys(f"{course.basis} (grade {course.grade})" for course in courses)
    basis = (
        f"Each band is {next(iter(spans))}" if len(spans) == 1 else "The first band is {}, the second {}".format(*spans)
    )
    notes = dict.fromkeys(note for course in courses for note in course.notes)
    return Compared(shown, lines, basis, tuple(notes))
