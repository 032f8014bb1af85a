"""What happened, as a line a person reads; the words of symptoms, answers and phases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ketacore.treatment import SessionFacts, dose_complete, dose_given_mg, dosing_over_at
from ketacore.treatment import events as e

PRODUCT_WORDS = {
    "esketamine-nasal": ("Esketamine", "nasal", "nasal"),
    "ketamine-iv": ("Ketamine", "IV", "drip"),
}
"""Product id to drug, route and the icon of the route."""

MOAAS_WORDS = {
    5: "readily responds to name",
    4: "lethargic response to name",
    3: "responds only to loud or repeated name",
    2: "responds only to mild prodding or shaking",
    1: "responds only to a painful stimulus",
    0: "no response",
}

PHASE_WORDS = {
    "arriving": "Arriving",
    "ready": "Start gate",
    "dosing": "Devices",
    "infusion": "Infusion",
    "observation": "Observation",
    "leaving": "Leaving",
    "left": "Left",
    "stopped": "Stopped",
}


def phase_word(now: str, *, nasal: bool) -> str:
    """Return the phase as people call it: after an infusion it is the recovery."""
    return "Recovery" if now == "observation" and not nasal else PHASE_WORDS[now]


def product_line(product: str, dose_mg: Any) -> str:
    """Return drug, dose and route: ``Esketamine 84 mg nasal``."""
    drug, route, _ = PRODUCT_WORDS.get(product, (product, "", ""))
    dose = f" {float(dose_mg):g} mg" if dose_mg is not None else ""
    return f"{drug}{dose} {route}".strip()


def given_line(product: str, planned_mg: Any, facts: SessionFacts, at: datetime) -> str:
    """Return drug, dose and route, and once dosing is over what of it was given: ``Ketamine 23.1 of 31.5 mg IV``."""
    given = dose_given_mg(facts, at)
    if planned_mg is None or dosing_over_at(facts) is None or dose_complete(facts, at) is not False:
        return product_line(product, planned_mg)
    return product_line(product, planned_mg).replace(" ", f" {given:g} of ", 1)


def route(product: str) -> str:
    """Return the route in one word."""
    return PRODUCT_WORDS.get(product, (product, product, ""))[1]


def route_icon(product: str) -> str:
    """Return the name of the route's icon."""
    return PRODUCT_WORDS.get(product, ("", "", "nasal"))[2]


def vitals_text(vitals: e.Vitals) -> str:
    """Return measured values in one line."""
    parts = [f"BP {vitals.systolic}/{vitals.diastolic}"] if vitals.systolic is not None else []
    for word, value, unit in (
        ("heart rate", vitals.heart_rate, ""),
        ("SpO₂", vitals.oxygen_saturation, " %"),
        ("breaths", vitals.respiratory_rate, ""),
        ("temperature", vitals.temperature_c, " °C"),
    ):
        if value is not None:
            parts.append(f"{word} {value:g}{unit}")
    line = ", ".join(parts)
    return line[:1].upper() + line[1:]


def _with(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text


def _answer(p: e.AnswerGiven) -> str:
    words = {"yes": "yes", "no": "no", "not_known": "not known"}[p.answer.value]
    question = p.question.replace("_", " ")
    return _with(f"{question[:1].upper()}{question[1:]}: {words}", p.note)


def symptom_text(seen: e.SymptomSeen, *, had: bool = False) -> str:
    """Return what is said of a symptom: it "is gone" only where somebody ``had`` it, else there is none."""
    name = "other symptom" if seen.symptom is e.Symptom.OTHER else seen.symptom.words
    if seen.present:
        return _with(f"{name[:1].upper()}{name[1:]}", seen.note)
    return _with(f"{name[:1].upper()}{name[1:]} is gone" if had else f"No {name}", seen.note)


def _device(p: e.DeviceGiven) -> str:
    dots = "no green dots left" if p.no_green_dots_after else "green dots still showing"
    return f"Device {p.number} given, {dots}, lot {p.lot}"


def _dissociation(p: e.Dissociation) -> str:
    return f"Dissociation {p.level.value}" if p.level.value != "none" else "No dissociation"


_SENTENCES: Mapping[type[e.Payload], Callable[[Any], str]] = {
    e.Arrived: lambda p: _with("Checked in", p.note),
    e.AnswerGiven: _answer,
    e.Vitals: vitals_text,
    e.Sedation: lambda p: f"MOAA/S {p.moaas}, {MOAAS_WORDS[p.moaas]}",
    e.Dissociation: _dissociation,
    e.SymptomSeen: symptom_text,
    e.DeviceGiven: _device,
    e.DosingEnded: lambda p: f"Dosing ended early: {p.reason}",
    e.InfusionStarted: lambda p: (
        f"Infusion started, {p.rate_mg_per_min:g} mg/min for {p.planned_min:g} min, lot {p.lot}"
    ),
    e.InfusionPaused: lambda p: _with("Infusion paused", p.reason),
    e.InfusionResumed: lambda p: _with(
        "Infusion runs again", f"{p.rate_mg_per_min:g} mg/min" if p.rate_mg_per_min else ""
    ),
    e.InfusionEnded: lambda p: _with("Infusion ended", p.reason),
    e.EscortSeen: lambda p: f"{p.name}, escort, is {'here' if p.here else 'on the way'}",
    e.InstructionsGiven: lambda p: f"Aftercare sheet given{' to patient and escort' if p.to_escort else ''}",
    e.PrescriberDecision: lambda p: (
        f"Prescriber on {p.about}: {'go ahead' if p.ruling.value == 'go_ahead' else 'hold'}, {p.reason}"
    ),
    e.AlertAcknowledged: lambda p: _with("Alert acknowledged", p.note or p.alert),
    e.ReleaseSigned: lambda p: _with("Prescriber signed: clinically stable", p.note),
    e.Discharged: lambda p: f"Left{f' with {p.escort}' if p.escort else ''}",
    e.Stopped: lambda p: f"Stopped, {p.outcome.value.replace('_', ' ')}: {p.reason}",
}


def sentence(payload: e.Payload, *, had: bool = False) -> str:
    """Return one event as the line the timeline of the session shows; ``had``: the symptom was there before."""
    if isinstance(payload, e.SymptomSeen):
        return symptom_text(payload, had=had)
    return _SENTENCES[type(payload)](payload)


def correction_text(new: e.Payload, old: e.Payload) -> str:
    """Return what a correction changed, both values named: ``Blood pressure 168/92 → 138/84``.

    Entries of one kind are compared; what stayed the same is left out, and a correction of nothing reads as the entry.
    """
    if not isinstance(new, e.Vitals) or not isinstance(old, e.Vitals):
        before, after = sentence(old), sentence(new)
        return after if before == after else f"{before} → {after}"
    changes = [
        f"{name} {was} → {now}{unit}"
        for (name, was, unit), (_, now, _) in zip(_measured(old), _measured(new), strict=True)
        if was != now
    ]
    line = ", ".join(changes) or vitals_text(new)
    return line[:1].upper() + line[1:]


def _measured(vitals: e.Vitals) -> tuple[tuple[str, str, str], ...]:
    """Return every reading by name, with a dash for what was not measured, and its unit."""
    pressure = "–" if vitals.blood_pressure is None else str(vitals.blood_pressure)
    rest = (
        ("heart rate", vitals.heart_rate, ""),
        ("SpO₂", vitals.oxygen_saturation, " %"),
        ("breaths", vitals.respiratory_rate, ""),
        ("temperature", vitals.temperature_c, " °C"),
    )
    numbers = ((name, "–" if value is None else f"{value:g}", unit) for name, value, unit in rest)
    return (("blood pressure", pressure, ""), *numbers)
