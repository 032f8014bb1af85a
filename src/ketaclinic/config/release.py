"""Which release this is, and since when: moved by hand with every release, never read from a clock."""

from __future__ import annotations

from datetime import date, timedelta

RELEASED_ON = date(2026, 11, 23)
"""The day the release was made."""
CONTACT_HOLDS_FOR = timedelta(days=364)
"""RFC 9116 asks for less than a year: what says whom to write to goes stale with the release."""
