"""The session screen under a hurried hand: each reading lands in its own field, whatever it is typed with."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Page, expect

from ketaclinic.access.models import Presence
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.treatment.models import Session, SessionEvent
from tests.clinic.treatment_screens.floor import full_floor
from tests.journeys.conftest import OpenAs
from tests.support.browser import PHONE, accessibility_faults
from tests.support.clock import Clock
from tests.support.people import make_staff

TABLET = {"width": 1180, "height": 820}
FIELDS = ("systolic", "diastolic", "heart_rate", "oxygen_saturation", "respiratory_rate")


@pytest.fixture
def chairs(clinic: Clinic, clock: Clock) -> dict[int, Session]:
    director = make_staff(clinic, Role.PRESCRIBER, is_medical_director=True)
    return full_floor(clinic, make_staff(clinic, Role.NURSE), director, clock.at)


@pytest.fixture
def at_chair(
    open_as: OpenAs, clinic: Clinic, clock: Clock, chairs: dict[int, Session]
) -> Callable[..., tuple[Page, Session]]:
    def opened(chair: int = 1, size: dict[str, int] = TABLET) -> tuple[Page, Session]:
        nurse = Staff.objects.filter(clinic=clinic, role=Role.NURSE).get()
        page = open_as(nurse, size, has_touch=True)
        page.clock.set_fixed_time(clock.at)
        page.goto(f"/treatment/session/{chairs[chair].pk}/")
        return page, chairs[chair]

    return opened


def readings(session: Session) -> list[dict[str, int]]:
    """Return the vital signs stored last, newest first."""
    rows = SessionEvent.objects.filter(session=session, kind="vitals").order_by("-pk")
    return [{k: v for k, v in row.payload.items() if v is not None} for row in rows]


def on_the_pad(page: Page) -> list[str]:
    """Return what stands in the fields, in the order of the monitor."""
    return [page.locator(f"#{name}").input_value() for name in FIELDS]


def tap(page: Page, digits: str, *, then_next: bool = True) -> None:
    for digit in digits:
        page.locator(f"button[data-key='{digit}']").click()
    if then_next:
        page.locator("button[data-key=next]").click()


def save(page: Page) -> None:
    page.locator("#save").click()
    expect(page.locator("#systolic")).to_have_value("")


def type_with_tab(page: Page, values: Sequence[str]) -> None:
    page.locator("#systolic").focus()
    for number, value in enumerate(values):
        page.keyboard.type(value)
        if number < len(values) - 1:
            page.keyboard.press("Tab")


WELL = ("128", "78", "70", "98", "14")
STORED = dict(zip(FIELDS, map(int, WELL), strict=True))


def test_tab_moves_one_field_and_every_reading_stays_where_it_was_typed(
    at_chair: Callable[..., tuple[Page, Session]],
) -> None:
    page, session = at_chair()
    type_with_tab(page, WELL)
    assert on_the_pad(page) == list(WELL)
    save(page)
    assert readings(session)[0] == STORED


@pytest.mark.parametrize("size", [TABLET, PHONE])
def test_the_keys_on_the_screen_fill_one_field_after_the_other(
    at_chair: Callable[..., tuple[Page, Session]], size: dict[str, int]
) -> None:
    page, session = at_chair(size=size)
    page.locator("#systolic").click()
    for value in WELL:
        tap(page, value)
    assert on_the_pad(page) == list(WELL)
    expect(page.locator("#respiratory_rate")).to_be_focused()
    expect(page.locator("[data-hint]")).to_contain_text("last number")
    save(page)
    assert readings(session)[0] == STORED


def test_two_digits_and_next_do_not_skip_the_lower_pressure(at_chair: Callable[..., tuple[Page, Session]]) -> None:
    page, _ = at_chair()
    page.locator("#systolic").click()
    tap(page, "98")
    expect(page.locator("#diastolic")).to_be_focused()
    tap(page, "6012", then_next=False)
    assert on_the_pad(page)[:2] == ["98", "601"], "nothing jumps on: a digit too many stays to be seen"
    expect(page.locator("[data-wrong]")).to_contain_text("too high")


def test_what_cannot_be_is_named_field_by_field_and_nothing_is_sent(
    at_chair: Callable[..., tuple[Page, Session]],
) -> None:
    page, session = at_chair()
    before = len(readings(session))
    type_with_tab(page, ("12", "300", "70", "130", "-3"))
    page.locator("#save").click()
    for words in ("Upper blood pressure 12", "Lower blood pressure 300", "SpO₂ 130", "Breaths “-3”"):
        expect(page.locator("[data-wrong]")).to_contain_text(words)
    for name in ("systolic", "diastolic", "oxygen_saturation", "respiratory_rate"):
        expect(page.locator(f"#{name}")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#heart_rate")).not_to_have_attribute("aria-invalid", "true")
    assert on_the_pad(page)[4] == "-3", "a sign is never taken away in silence"
    assert len(readings(session)) == before
    assert accessibility_faults(page) == []


def test_the_lower_pressure_above_the_upper_marks_both(at_chair: Callable[..., tuple[Page, Session]]) -> None:
    page, session = at_chair()
    before = len(readings(session))
    type_with_tab(page, ("80", "120", "70"))
    expect(page.locator("#systolic")).to_have_class("pair wrong")
    expect(page.locator("#diastolic")).to_have_class("pair wrong")
    page.locator("#save").click()
    expect(page.locator("[data-wrong]")).to_contain_text("80/120")
    page.locator("#diastolic").fill("")
    page.locator("#save").click()
    expect(page.locator("[data-wrong]")).to_contain_text("both numbers are needed")
    assert len(readings(session)) == before


def test_what_is_improbable_is_asked_once_and_can_be_corrected_or_kept(
    at_chair: Callable[..., tuple[Page, Session]],
) -> None:
    page, session = at_chair()
    before = len(readings(session))
    type_with_tab(page, ("128", "78", "70", "14", "98"))
    page.locator("#save").click()
    asks = page.locator("[data-asks]")
    expect(asks).to_contain_text("SpO₂ 14: crosses the clinic’s urgent limit of 90")
    expect(asks).to_contain_text("Breaths 98: as fast as a heart")
    expect(page.locator("#oxygen_saturation")).to_be_focused()
    assert accessibility_faults(page) == []
    page.keyboard.press("Enter")
    assert len(readings(session)) == before, "Enter again asks again"
    page.locator("[data-correct]").click()
    page.locator("#oxygen_saturation").fill("98")
    page.locator("#respiratory_rate").fill("9")
    expect(asks).to_be_hidden()
    page.locator("#save").click()
    expect(asks).to_contain_text("Breaths 9: crosses the clinic’s urgent limit of 10")
    page.locator("#sure").click()
    expect(page.locator("#systolic")).to_have_value("")
    assert readings(session)[0] == {**STORED, "respiratory_rate": 9}


def test_measure_now_puts_the_hand_on_the_first_number(at_chair: Callable[..., tuple[Page, Session]]) -> None:
    page, _ = at_chair(6)
    page.locator("#next-action").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#systolic")).to_be_focused()


def test_what_is_entered_on_a_locked_tablet_waits_for_the_password_and_is_stored_once(
    at_chair: Callable[..., tuple[Page, Session]], clock: Clock
) -> None:
    page, session = at_chair()
    before = len(readings(session))
    page.watch.expect(423)  # type: ignore[attr-defined]
    Presence.objects.update(locked_at=clock.at)
    type_with_tab(page, WELL)
    page.locator("#save").click()
    panel = page.get_by_role("dialog", name="Locked")
    expect(panel).to_be_visible()
    assert accessibility_faults(page) == []
    assert len(readings(session)) == before
    panel.get_by_label("Password of").fill("wrong")
    panel.get_by_role("button", name="Confirm and send").click()
    expect(panel.get_by_role("alert")).to_contain_text("not right")
    panel.get_by_role("button", name="Later").click()
    expect(page.locator("#unsent")).to_contain_text("Not sent: 1")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(panel).to_have_count(0)
    page.reload()
    Presence.objects.update(locked_at=None)
    page.goto(f"/treatment/session/{session.pk}/")
    expect(page.locator("#unsent")).to_be_hidden()
    assert readings(session)[0] == STORED and len(readings(session)) == before + 1


def test_the_password_sends_what_was_held(at_chair: Callable[..., tuple[Page, Session]], clock: Clock) -> None:
    page, session = at_chair()
    before = len(readings(session))
    page.watch.expect(423)  # type: ignore[attr-defined]
    Presence.objects.update(locked_at=clock.at)
    type_with_tab(page, WELL)
    page.locator("#save").click()
    panel = page.get_by_role("dialog", name="Locked")
    panel.get_by_label("Password of").fill("correct horse battery")
    panel.get_by_role("button", name="Confirm and send").click()
    expect(panel).to_have_count(0)
    expect(page.locator("#unsent")).to_be_hidden()
    assert readings(session)[0] == STORED and len(readings(session)) == before + 1
    assert Presence.objects.get().locked_at is None


def test_a_digit_too_many_is_not_cut_off_without_a_word(at_chair: Callable[..., tuple[Page, Session]]) -> None:
    page, session = at_chair()
    before = readings(session)
    page.locator("#systolic").fill("1200")
    page.locator("#diastolic").fill("80")
    assert on_the_pad(page)[:2] == ["1200", "80"]
    page.locator("#save").click()
    expect(page.locator("#pad-wrong")).not_to_be_empty()
    assert readings(session) == before


def test_a_refusal_goes_when_something_else_is_sent(at_chair: Callable[..., tuple[Page, Session]]) -> None:
    page, _ = at_chair()
    page.evaluate(
        """() => { const box = Object.assign(document.createElement("div"), { className: "refused" });
                   box.dataset.refusal = ""; document.getElementById("pad").prepend(box); }"""
    )
    page.locator("#systolic").fill("9")
    page.locator("#save").click()
    expect(page.locator("#pad [data-refusal]")).to_have_count(0)


def test_what_models_expect_is_drawn_behind_the_readings_and_follows_the_doses(
    at_chair: Callable[..., tuple[Page, Session]], clock: Clock
) -> None:
    page, _ = at_chair()
    picture = page.locator("#live-trace svg.picture")
    expect(picture).to_have_accessible_name(re.compile(r"models expect the most \w+ in the blood about \d+:\d\d"))
    expect(page.locator("#live-trace .g-expect").first).to_be_attached()
    solid, ahead = (page.locator(f"#live-trace path.g-edge{css}") for css in (":not(.ahead)", ".ahead"))
    assert solid.count() >= 2 and ahead.count() >= 2
    dashed = page.evaluate("getComputedStyle(document.querySelector('#live-trace .g-edge.ahead')).strokeDasharray")
    assert dashed not in ("", "none"), "what lies ahead is dashed"
    now = page.locator("#live-trace .g-nowl").first.bounding_box()
    edge = ahead.first.bounding_box()
    assert now is not None and edge is not None and edge["x"] + edge["width"] > now["x"]
    page.get_by_text("What to know about the band").click()
    expect(page.get_by_text("The sampling site", exact=False).first).to_be_visible()
