"""The network goes: a board says that it is old, a tablet keeps what was typed and sends it once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.treatment.models import Session, SessionEvent
from tests.clinic.treatment_screens.floor import full_floor
from tests.journeys.conftest import OpenAs
from tests.support.browser import accessibility_faults
from tests.support.clock import Clock
from tests.support.people import make_staff

TABLET = {"width": 1180, "height": 820}


@pytest.fixture
def nurse(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.NURSE)


@pytest.fixture
def chairs(clinic: Clinic, clock: Clock, nurse: Staff) -> dict[int, Session]:
    director = make_staff(clinic, Role.PRESCRIBER, is_medical_director=True)
    return full_floor(clinic, nurse, director, clock.at)


def forgive_the_cut(page: Page) -> None:
    """Take the browser's own words about the cut off the list of what went wrong; everything else stays on it."""
    watch = page.watch  # type: ignore[attr-defined]
    cut = ("ERR_INTERNET_DISCONNECTED", "console: htmx:afterRequest", "console: htmx:sendError")
    watch.faults[:] = [fault for fault in watch.faults if not any(words in fault for words in cut)]


@pytest.mark.browser
@pytest.mark.parametrize("board", ["/treatment/floor/", "/treatment/wall/"])
def test_a_board_that_lost_the_server_says_so(
    open_as: OpenAs, nurse: Staff, chairs: dict[int, Session], board: str
) -> None:
    page = open_as(nurse, TABLET)
    page.clock.install()
    page.goto(board)
    told = page.locator("#lost")
    expect(told).to_be_hidden()
    page.context.set_offline(True)
    page.clock.run_for(16_000)
    expect(told).to_be_visible()
    expect(told).to_contain_text("Watch the bedside monitor.")
    assert told.locator("[data-since]").inner_text().count(":") == 2
    assert accessibility_faults(page) == []
    page.context.set_offline(False)
    page.clock.run_for(11_000)
    expect(told).to_be_hidden()
    forgive_the_cut(page)


@pytest.mark.browser
def test_a_board_whose_server_hangs_says_so(open_as: OpenAs, nurse: Staff, chairs: dict[int, Session]) -> None:
    """No answer at all, not even an error: the board does not wait for one."""
    page = open_as(nurse, TABLET)
    page.clock.install()
    page.goto("/treatment/floor/")
    page.route("**/treatment/floor/live/", lambda route: None)
    page.clock.run_for(14_000)
    expect(page.locator("#lost")).to_be_hidden()
    page.clock.run_for(4_000)
    expect(page.locator("#lost")).to_be_visible()


@pytest.mark.browser
def test_what_cannot_be_sent_is_kept_shown_and_sent_once(
    open_as: OpenAs, nurse: Staff, chairs: dict[int, Session], clock: Clock
) -> None:
    session = chairs[1]
    before = SessionEvent.objects.filter(session=session, kind="vitals").count()
    page = open_as(nurse, TABLET)
    page.clock.set_fixed_time(clock.at)
    page.goto(f"/treatment/session/{session.pk}/")
    page.context.set_offline(True)
    for name, value in (("systolic", "131"), ("diastolic", "79"), ("heart_rate", "71")):
        page.locator(f"#{name}").fill(value)
    page.locator("#pad button.primary").last.click()
    expect(page.locator("#unsent")).to_contain_text("Not sent: 1")
    assert SessionEvent.objects.filter(session=session, kind="vitals").count() == before
    page.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#unsent")).to_be_hidden()
    rows = SessionEvent.objects.filter(session=session, kind="vitals").order_by("pk")
    assert rows.count() == before + 1
    kept = rows.last()
    assert kept is not None and kept.payload["systolic"] == 131 and kept.payload["heart_rate"] == 71
    forgive_the_cut(page)
