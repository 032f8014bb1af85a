"""A route that is only asked, in the body: it writes nothing at all, whatever it is sent."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.test import Client

from tests.support.clock import install
from tests.support.demo import demo_clinic
from tests.support.inputs import EXAMPLES, POSTED_AT, address_of
from tests.support.routes import ROUTES

ASKING = [name for name, route in ROUTES.items() if getattr(route.callback, "asking", False)]
MINE = [m for m in apps.get_models() if m.__module__.startswith("ketaclinic.") and m._meta.app_label != "audit"]


@pytest.mark.django_db
def test_nothing_is_written_where_somebody_only_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, POSTED_AT)
    clinic = demo_clinic(at=POSTED_AT)
    assert {"journey:patients", "planning:patient", "treatment:begin_amending"} <= set(ASKING)
    for name in ASKING:
        example = EXAMPLES[name](clinic)
        browser = Client()
        browser.force_login(example.by)  # signing in is no part of asking
        before = {m._meta.label: list(m._base_manager.order_by("pk").values()) for m in MINE}
        assert browser.post(address_of(name, example), dict(example.data)).status_code == 200, name
        after = {m._meta.label: list(m._base_manager.order_by("pk").values()) for m in MINE}
        for label, rows in before.items():
            assert after[label] == rows, (name, label)
