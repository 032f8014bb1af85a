"""Whom to call in a crisis, each number ready to be dialled from the page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ketaclinic.people.models import Clinic
from ketacore import followup
from ketacore.evidence import Setting

_NUMBER = re.compile(r"\+?\d[\d\s()./-]*\d")
_NOT_DIALLED = re.compile(r"[^\d+]")


@dataclass(frozen=True, slots=True)
class Call:
    """Whom to call in what case; ``dial`` is what a telephone is given, empty where no number is clear."""

    name: str
    number: str
    dial: str


@dataclass(frozen=True, slots=True)
class Crisis:
    """Whom to call now: the checked numbers of the place, and always the clinic's own contact."""

    lines: tuple[Call, ...]
    clinic: Call


def call(name: str, number: str) -> Call:
    """Return whom to call; the number may stand in words of the clinic's own ("Dr on call: +1 555 0199")."""
    found = _NUMBER.findall(number)
    return Call(name, number, _NOT_DIALLED.sub("", found[0]) if len(found) == 1 else "")


def crisis(clinic: Clinic, setting: Setting) -> Crisis:
    """Return the crisis numbers of the clinic's jurisdiction, and the clinic's contact at any hour."""
    lines = tuple(call(line.name, line.number) for line in followup.crisis_lines(setting))
    return Crisis(lines, call("Your clinic, outside opening hours", clinic.emergency_contact))


def safety_words(found: Crisis) -> SafeString:
    """Return what a patient is told at once whose answer speaks of suicide: whom to call now, and by what number."""
    return format_html(
        "Thank you for telling us. The clinic will look at your answers. Do not wait for that if you might hurt "
        "yourself. Call now. {}.",
        format_html_join("; ", "{}: {}", ((one.name, _dialled(one)) for one in (*found.lines, found.clinic))),
    )


def _dialled(one: Call) -> SafeString | str:
    return format_html('<a href="tel:{}">{}</a>', one.dial, one.number) if one.dial else one.number
