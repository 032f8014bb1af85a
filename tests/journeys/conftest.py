"""A real server, a real browser, people signed in: what every journey starts from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from ketaclinic.people.models import Clinic, Person
from tests.support.browser import DESKTOP, Watch
from tests.support.clock import Clock, install
from tools.browser import FLAGS, chromium

MORNING = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
"""Monday, eight in the morning in New York: when journeys begin."""

OpenAs = Callable[..., Page]


@pytest.fixture(scope="session", autouse=True)
def _database_beside_the_browsers_loop() -> None:
    # Playwright's synchronous interface keeps an event loop in this thread; Django only needs to know it is harmless.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the SQLite of journeys in a file: each thread of the server has its own connection, as in a clinic."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("db") / "journeys.sqlite3")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Return how Chromium is started."""
    return {"executable_path": chromium(), "args": FLAGS, "headless": True}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return install(monkeypatch, MORNING)


@pytest.fixture
def clinic(transactional_db: None) -> Clinic:
    from tests.support.people import make_clinic

    return make_clinic()


@pytest.fixture
def open_as(browser: Browser, live_server: LiveServer) -> Iterator[OpenAs]:
    """Return a function that gives a signed-in page; at the end none of them may have misbehaved."""
    contexts, watches = [], []

    def open_page(staff: Person | None, size: dict[str, int] = DESKTOP, **options: Any) -> Page:
        context = browser.new_context(
            base_url=live_server.url, viewport=size, timezone_id="America/New_York", locale="en-US", **options
        )
        context.set_default_timeout(10_000)
        if staff is not None:
            context.add_cookies([_session_cookie(staff, live_server.url)])
        page = context.new_page()
        watch = Watch(page, live_server.url)
        page.watch = watch  # type: ignore[attr-defined]
        contexts.append(context)
        watches.append(watch)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [fault for watch in watches for fault in watch.faults] == []


def _session_cookie(staff: Person, url: str) -> Any:
    client = Client()
    client.force_login(staff.user)
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": url,
    }
