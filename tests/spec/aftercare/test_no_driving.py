"""SPR-MON-10, DIS-06, KC-AFT-01: no driving before which day, and contact on which, across zones and clock changes."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from ketacore.aftercare import RULES, contact_due_on, no_driving_until
from ketacore.evidence import Approval, Setting, SignedPolicies


@pytest.mark.parametrize(
    ("ended", "zone", "next_day"),
    [
        ("2026-11-23T12:40:00-05:00", "America/New_York", "2026-11-24"),
        ("2026-11-23T23:59:00-05:00", "America/New_York", "2026-11-24"),
        ("2026-11-24T00:00:00-05:00", "America/New_York", "2026-11-25"),
        ("2026-11-24T04:30:00+00:00", "America/New_York", "2026-11-24"),
        ("2026-03-07T23:30:00-05:00", "America/New_York", "2026-03-08"),
        ("2026-11-01T01:30:00-04:00", "America/New_York", "2026-11-02"),
        ("2026-11-01T01:30:00-05:00", "America/New_York", "2026-11-02"),
        ("2026-12-31T20:00:00+09:00", "Asia/Tokyo", "2027-01-01"),
        ("2028-02-28T12:00:00+01:00", "Europe/Zurich", "2028-02-29"),
    ],
)
@pytest.mark.parametrize("product", ["esketamine-nasal", "ketamine-iv"])
def test_the_next_day_is_the_clinics(ended: str, zone: str, next_day: str, product: str) -> None:
    at, here = datetime.fromisoformat(ended), ZoneInfo(zone)
    rule = RULES["KC-AFT-01"]
    signed = SignedPolicies((Approval(rule.rule_id, rule.rule_version, "Synthetic director", at),))
    told = no_driving_until(at, here, product)
    assert told.earliest_on == date.fromisoformat(next_day) and "restful sleep" in told.words
    assert contact_due_on(at, here, Setting("US", at.date(), product, signed)) == date.fromisoformat(next_day)
