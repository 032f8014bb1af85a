"""Every example input is really taken: what is built on the examples would otherwise prove nothing."""

from __future__ import annotations

import pytest
from django.db import transaction

from tests.support.clock import install
from tests.support.demo import demo_clinic
from tests.support.inputs import EXAMPLES, POSTED_AT, send
from tests.support.routes import ROUTES


@pytest.mark.django_db
def test_every_example_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, POSTED_AT)
    clinic = demo_clinic(at=POSTED_AT)
    refused = []
    for name, make in EXAMPLES.items():
        with transaction.atomic():
            example = make(clinic)
            answer = send(name, example)
            if answer.status_code != example.status:
                refused.append(f"{name}: {answer.status_code} instead of {example.status}")
            transaction.set_rollback(True)
    assert refused == []


def test_every_example_has_a_route() -> None:
    assert set(EXAMPLES) <= set(ROUTES)
