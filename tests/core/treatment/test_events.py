"""What may be written down: every kind reads back as it was written, and what cannot be true is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from ketacore.evidence import Refusal
from ketacore.treatment import EventKind, payload_as_json, read_payload
from ketacore.treatment.events import PAYLOADS, Vitals
from tests.core.treatment.course import DEVICE, LOT

START = {**LOT, "rate_mg_per_min": 1, "planned_min": 40}
WELL: dict[str, dict[str, Any]] = {
    "arrived": {"note": "walked in"},
    "answer": {"question": "ride_arranged", "answer": "not_known"},
    "vitals": {"systolic": 128, "diastolic": 80, "heart_rate": None, "temperature_c": 36.6},
    "sedation": {"moaas": 5},
    "dissociation": {"level": "mild"},
    "symptom": {"symptom": "nausea", "present": False},
    "device": {**DEVICE, "number": 1},
    "dosing_ended": {"reason": "nausea"},
    "infusion_start": START,
    "infusion_pause": {},
    "infusion_resume": {"rate_mg_per_min": 0.5},
    "infusion_end": {"reason": "complete"},
    "escort": {"name": "Daniel", "here": True},
    "instructions": {"to_escort": True},
    "prescriber_decision": {"about": "DEC-10", "ruling": "go_ahead", "reason": "cuff failed"},
    "alert_acknowledged": {"alert": "IVK-MON-04-HR@x"},
    "release_signed": {},
    "discharged": {"escort": "Daniel"},
    "stopped": {"outcome": "not_started", "reason": "changed her mind"},
}


def test_every_kind_is_tried() -> None:
    assert set(WELL) == set(EventKind) == set(PAYLOADS)


@pytest.mark.parametrize("kind", WELL)
def test_every_kind_reads_back_as_it_was_written(kind: str) -> None:
    payload = read_payload(kind, WELL[kind])
    assert payload.kind == kind
    assert read_payload(kind, payload_as_json(payload)) == payload


@pytest.mark.parametrize(
    ("kind", "fields", "because"),
    [
        ("magic", {}, "'magic' is not a kind of event"),
        ("sedation", {}, "moaas: missing"),
        ("sedation", {"moaas": 5, "mood": 1}, "mood: unknown field"),
        ("sedation", {"moaas": "5"}, "moaas: expected a whole number, got '5'"),
        ("sedation", {"moaas": True}, "expected a whole number"),
        ("sedation", {"moaas": 6}, "expected 0 to 5"),
        ("dissociation", {"level": "deep"}, "'deep' is not one of none, mild, strong"),
        ("vitals", {}, "at least one value is needed"),
        ("vitals", {"systolic": 120}, "both numbers are needed"),
        ("vitals", {"systolic": 80, "diastolic": 120}, "80"),
        ("vitals", {"heart_rate": 900}, "900"),
        ("vitals", {"oxygen_saturation": 101}, "101"),
        ("vitals", {"temperature_c": 12.0}, "expected 25 to 45"),
        ("vitals", {"temperature_c": "warm"}, "expected a number"),
        ("device", {**DEVICE, "number": 0}, "counting starts at 1"),
        ("device", {**DEVICE, "number": 1, "lot": " "}, "the lot of the device is needed"),
        ("device", {**DEVICE, "number": 1, "expires_on": 2027}, "expected a date such as"),
        ("device", {**DEVICE, "number": 1, "expires_on": "soon"}, "expires_on"),
        ("device", {**DEVICE, "number": 1, "not_primed": "yes"}, "expected true or false"),
        ("dosing_ended", {"reason": " "}, "reason: may not be empty"),
        ("escort", {"name": "", "here": True}, "name of the escort: may not be empty"),
        ("infusion_start", {**START, "rate_mg_per_min": 0}, "expected a number above 0"),
        ("infusion_resume", {"rate_mg_per_min": -1}, "expected a number above 0"),
        ("escort", {"name": "D" * 161, "here": True}, "name: longer than 160 characters"),
        ("device", {**DEVICE, "number": 1, "lot": "L\n42"}, "lot: contains characters that cannot be shown"),
        ("answer", {"question": "ride\x00", "answer": "yes"}, "question: contains characters"),
        ("release_signed", {"note": "\ud800"}, "note: contains characters"),
    ],
)
def test_what_cannot_be_true_is_refused_by_name(kind: str, fields: dict[str, Any], because: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_payload(kind, fields)
    assert because in str(refused.value)


def test_a_pressure_is_there_or_not() -> None:
    assert Vitals(heart_rate=70).blood_pressure is None
    assert str(Vitals(systolic=120, diastolic=80).blood_pressure) == "120/80"


@pytest.mark.parametrize("name", ["Marie\u00a0Curie", "שלום\u200f", "نام\u200cها", "N" * 160])
def test_a_name_may_hold_the_signs_its_script_needs(name: str) -> None:
    assert payload_as_json(read_payload("escort", {"name": name, "here": True}))["name"] == name


def test_a_note_may_hold_lines_as_a_form_sends_them() -> None:
    assert read_payload("arrived", {"note": "Tired.\r\nSlept badly."}).kind == "arrived"
