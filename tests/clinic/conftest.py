"""The pages of the clinic are asked at one moment, so that no test depends on the day it runs on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache

from tests.support.clock import Clock, install
from tests.support.people import NOON


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return install(monkeypatch, NOON + timedelta(minutes=5))
