"""No page is wider than the screen it is read on, from a small phone to a desk (WCAG 2.2, 1.4.10 Reflow)."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.treatment.models import Session
from ketaclinic.treatment.queries import open_sessions
from tests.journeys.conftest import OpenAs
from tests.support.browser import DESKTOP, PHONE, TABLET
from tests.support.clock import Clock
from tests.support.demo import demo_clinic
from tests.support.doors import add_the_rest
from tests.support.pages import pages_of

SMALL_PHONE = {"width": 320, "height": 640}
WIDER = """() => {
  const screen = document.documentElement.clientWidth, over = document.documentElement.scrollWidth - screen;
  if (over <= 1) return "";
  const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > screen + 1);
  return `${over} px wider than ${screen}: ` + wide.slice(0, 4).map((e) => `${e.tagName}.${e.className}`).join(", ");
}"""


@pytest.fixture
def floor(transactional_db: None, clock: Clock) -> Clinic:
    clinic = demo_clinic(at=clock.at)
    add_the_rest(clinic)
    return clinic


def _wider(page: Page, address: str) -> list[str]:
    answer = page.goto(address)
    assert answer is not None and answer.status == 200, address
    found = []
    for size in (SMALL_PHONE, PHONE, TABLET, DESKTOP):
        page.set_viewport_size(size)
        if told := page.evaluate(WIDER):
            found.append(f"{address}: {told}")
    return found


@pytest.mark.takes_long
def test_no_page_is_wider_than_its_screen(floor: Clinic, open_as: OpenAs, clock: Clock) -> None:
    pages: dict[Role, Page] = {}
    running = [reverse("treatment:session", args=[open_.session.pk]) for open_ in open_sessions(floor, clock.at)]
    assert len(running) == 6 and Session.objects.filter(clinic=floor).count() > 6
    wrong = []
    for role, address in [*pages_of(floor), *((Role.NURSE, address) for address in running)]:
        if role not in pages:
            member = Staff.objects.filter(clinic=floor, role=role).select_related("user").earliest("pk")
            pages[role] = open_as(member)
            pages[role].clock.set_fixed_time(clock.at)
            pages[role].watch.expect(404)  # type: ignore[attr-defined]  # a part opened alone names no icon
        wrong += _wider(pages[role], address)
    assert wrong == [], "\n".join(wrong)
