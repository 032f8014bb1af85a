"""Aftercare from the shell: what it answers, and what it refuses to read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ketacore.aftercare import AftercareFacts, contact_due_on, instructions, no_driving_until
from ketacore.aftercare.ask import answer
from ketacore.evidence import Refusal, Setting

WHOLE: dict[str, Any] = {
    "jurisdiction": "US",
    "product": "esketamine-nasal",
    "ended_at": "2026-11-23T23:40:00-05:00",
    "time_zone": "America/New_York",
    "emergency_contact": "+1 555 0100",
    "clinic_phone": "+1 555 0101",
    "signed": ["KC-AFT-01"],
}


def test_the_whole_sheet_is_answered() -> None:
    said = answer(WHOLE)
    assert (said["no_driving_before"], said["no_driving_rule_id"]) == ("2026-11-24", "SPR-MON-10")
    assert said["contact_on"] == "2026-11-24" and said["rule_pack"]
    assert [c["number"] for c in said["call"]] == ["911", "988", "+1 555 0100", "+1 555 0101"]
    assert said["until_then"] and said["watch"] and said["normal"] == []


def test_without_signature_and_phone_there_is_less() -> None:
    said = answer({k: v for k, v in WHOLE.items() if k not in ("signed", "clinic_phone")})
    assert said["contact_on"] is None and said["call"][-1]["rule_id"] == ""


def test_an_infusion_has_its_own_rule_and_words() -> None:
    said = answer({**WHOLE, "product": "ketamine-iv"})
    assert said["no_driving_rule_id"] == "DIS-06" and said["normal"]


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        ({"mood": 1}, "unknown field: mood"),
        ({"product": None}, "product: expected text"),
        ({"clinic_phone": 5}, "clinic_phone: expected text"),
        ({"product": "aspirin"}, "there are no words for aspirin"),
        ({"time_zone": "Mars/Base"}, "there is no zone 'Mars/Base'"),
        ({"time_zone": "../etc/passwd"}, "there is no zone"),
        ({"ended_at": "soon"}, "expected a time with its zone"),
        ({"ended_at": "2026-11-23T12:40:00"}, "expected a time with its zone"),
        ({"signed": "KC-AFT-01"}, "expected a list of clinic policies"),
        ({"signed": ["SAF-04-SHEET"]}, "expected a list of clinic policies"),
        ({"emergency_contact": " "}, "no emergency contact"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(wrong: dict[str, Any], because: str) -> None:
    with pytest.raises(Refusal) as refused:
        answer({**WHOLE, **wrong})
    assert because in str(refused.value)


def test_a_moment_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="time zone"):
        no_driving_until(datetime(2026, 11, 23, 12, 0), UTC)  # noqa: DTZ001


def test_unsigned_there_is_no_contact() -> None:
    setting = Setting("US", date(2026, 11, 23), "ketamine-iv")
    at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert contact_due_on(at, UTC, setting) is None
    told = instructions(AftercareFacts("ketamine-iv", at, ZoneInfo("Asia/Tokyo"), "+81 3", ""), setting)
    assert told.contact_on is None and "KC-AFT-01" not in {line.rule.rule_id for line in told.watch}
