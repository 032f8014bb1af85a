from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from ketacore.aftercare import AftercareFacts, instructions, no_driving_until
from ketacore.evidence import Refusal, Setting

NEW_YORK = ZoneInfo("America/New_York")
SETTING = Setting("US", date(2026, 11, 23), "esketamine-nasal")


@pytest.mark.parametrize(
    ("ended_at", "earliest"),
    [
        (datetime(2026, 11, 23, 17, 0, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 3, 0, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 6, 0, tzinfo=UTC), date(2026, 11, 25)),
    ],
)
def test_no_driving_follows_the_day_of_the_clinic(ended_at: datetime, earliest: date) -> None:
    told = no_driving_until(ended_at, NEW_YORK)
    assert (told.earliest_on, told.words) == (earliest, "the next day, after a restful sleep")


def test_there_is_no_sheet_without_somebody_to_call() -> None:
    with pytest.raises(Refusal, match="emergency contact"):
        instructions(AftercareFacts("esketamine-nasal", datetime(2026, 11, 23, tzinfo=UTC), NEW_YORK, " "), SETTING)


def test_unchecked_numbers_and_unsigned_policies_are_left_out() -> None:
    facts = AftercareFacts("esketamine-nasal", datetime(2026, 11, 23, tzinfo=UTC), NEW_YORK, "+1 555 0100")
    told = instructions(facts, SETTING)
    assert [c.number for c in told.call] == ["911", "988", "+1 555 0100"]
    assert told.contact_on is None and "SAF-04-B" in told.left_out
    abroad = instructions(facts, Setting("EU", date(2026, 11, 23), "esketamine-nasal"))
    assert [c.number for c in abroad.call] == ["+1 555 0100"]
