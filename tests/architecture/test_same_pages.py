"""Nothing a clinic sees depends on whether another clinic exists in the same database."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from ketaclinic.people.models import User
from tests.support.figures import write_figures
from tests.support.matrix import ASKED, DOORS, OWN, STAFF, holds
from tests.support.two_clinics import (
    MINE,
    THEIRS,
    Home,
    all_text,
    browser_of,
    found,
    held,
    make_room_for_another,
    taken_back,
)

CHANGES = re.compile(
    r'(name="(?:csrfmiddlewaretoken|entry_key|seen|drawn_for)" value=")[^"]+|(data-key=")[^"]+|(/account/devices/)\d+'
    r"|^Expires: .*$|[0-9a-f]{32}",
    re.MULTILINE,
)


DRAWN_ANEW = ("access:account", "access:add_factor")
"""One's own devices and a new secret: nothing of a clinic, and different every time."""


def _everything_shown(home: Home) -> dict[tuple[str, str], str]:
    """Return every page of a clinic as each of its people sees it, without what is drawn anew each time."""
    shown = {}
    for actor in (*STAFF, *OWN):
        browser = browser_of(home, actor)
        for route, door in DOORS.items():
            if "GET" not in door.methods or not holds(actor, door.permission) or route in DRAWN_ANEW:
                continue
            cache.clear()
            User.objects.update(last_login=None)  # a page of the staff list shows it, and each sign-in here moves it
            keys = home.keys(route)
            with taken_back():
                for asked in ("", *(a for a in ASKED.get(route, ()) if "{" not in a)):
                    answer = browser.get(reverse(route, kwargs=keys) + asked)
                    shown[actor, route + asked] = CHANGES.sub(r"\1\2\3", all_text(answer).split("Set-Cookie")[0])
    return shown


@pytest.mark.takes_long
def test_another_clinic_changes_nothing_on_my_pages(django_db_setup: None, django_db_blocker: Any) -> None:
    """Every number, list and page of mine is the same, byte for byte, whether the other clinic exists or not."""
    with held(django_db_blocker) as patch:
        mine = found(MINE, 1, patch)
        make_room_for_another()
        before = _everything_shown(mine)
        found(THEIRS, 2, patch)
        after = _everything_shown(mine)
    assert set(after) == set(before)
    assert [key for key, text in after.items() if text != before[key]] == []
    write_figures("same-pages", {"pages": len(after)})
