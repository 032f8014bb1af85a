"""Days are written as people write them, on every page."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils.safestring import SafeString, mark_safe

from ketaclinic.design.templatetags.design import said
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from tests.support.doors import demo  # noqa: F401  a fixture
from tests.support.pages import pages_of

ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def test_a_text_of_the_core_is_said_with_its_days_and_stays_as_safe_as_it_was() -> None:
    assert said("the next is not before 2026-11-03") == "the next is not before 3 Nov 2026"
    assert not isinstance(said("<b>2026-11-03"), SafeString)
    assert said(mark_safe("<b>2026-11-03</b>")) == "<b>3 Nov 2026</b>"


@pytest.mark.same_on_every_database
def test_no_page_shows_a_day_as_a_machine_writes_it(demo: Clinic) -> None:  # noqa: F811
    browsers: dict[Role, Client] = {}
    wrong = []
    for role, address in pages_of(demo):
        browser = browsers.setdefault(role, Client())
        browser.force_login(Staff.objects.filter(clinic=demo, role=role).earliest("pk").user)
        text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", browser.get(address).content.decode(), flags=re.DOTALL)
        wrong += [f"{address}: {text[max(0, m.start() - 50) : m.end()]!r}" for m in ISO_DAY.finditer(text)]
    assert wrong == [], "\n".join(wrong)
