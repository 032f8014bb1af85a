"""A clock that only moves when a test moves it, read by the one place in a request that reads the time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone


class Clock:
    """Stands in for ``django.utils.timezone`` inside the middleware; everything but ``now`` is the real thing."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def pass_minutes(self, minutes: float) -> datetime:
        self.at += timedelta(minutes=minutes)
        return self.at

    def pass_days(self, days: int) -> datetime:
        self.at += timedelta(days=days)
        return self.at

    def __getattr__(self, name: str) -> Any:
        return getattr(timezone, name)


def install(monkeypatch: pytest.MonkeyPatch, at: datetime) -> Clock:
    clock = Clock(at)
    monkeypatch.setattr("ketaclinic.people.middleware.timezone", clock)
    return clock
