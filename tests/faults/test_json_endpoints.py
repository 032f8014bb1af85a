"""Every address that answers JSON is sent what nobody expects, by people who may and people of another clinic."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as drawn
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.treatment.models import Session, SessionEvent
from tests.clinic.treatment_screens.floor import full_floor
from tests.support.canaries import OF_CLINIC
from tests.support.clock import install
from tests.support.figures import write_figures
from tests.support.inputs import EXAMPLES
from tests.support.openapi import FIELDS, WITHOUT_INPUT, document, path_of
from tests.support.people import NOON, make_clinic, make_patient, make_staff
from tests.support.routes import ROUTES

EXAMPLES_EACH = int(os.environ.get("KETACLINIC_FUZZ_EXAMPLES", "60"))
"""Requests drawn for each address and person; more with the variable, for a long night."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
TOKEN = "k" * 32
HEADERS = {"X-CSRFToken": TOKEN, "Accept-Encoding": "identity"}
SENT: Counter[str] = Counter()


class Two:
    """Two clinics with a full floor each, and who is sent against them."""

    def __init__(self) -> None:
        self.clinics = [make_clinic(), make_clinic(name="Another Synthetic Clinic")]
        self.staff: dict[int, dict[str, Staff]] = {}
        for clinic in self.clinics:
            people = {r.value: make_staff(clinic, r, is_medical_director=r is Role.PRESCRIBER) for r in Role}
            full_floor(clinic, people["nurse"], people["prescriber"], NOON)
            make_patient(clinic)
            self.staff[clinic.pk] = people

    def objects(self) -> dict[str, list[int]]:
        """Return keys of both clinics, and of nothing."""
        nothing = [0, 2**31, 2**63]
        return {
            "session_pk": [*Session.objects.values_list("pk", flat=True), *nothing],
            "event_pk": [*SessionEvent.objects.order_by("pk").values_list("pk", flat=True)[:40], *nothing],
            "patient_pk": [*Patient.objects.values_list("pk", flat=True), *nothing],
        }

    def rows_of(self, clinic: Clinic) -> list[Any]:
        """Return everything that an entry could change in a clinic."""
        found = [list(m.objects.filter(clinic=clinic).order_by("pk").values()) for m in (Session, Patient)]
        return [*found, list(SessionEvent.objects.filter(session__clinic=clinic).order_by("pk").values())]


@pytest.fixture
def two(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Yield the clinics; the application must not close the connection on which the test can take everything back."""
    install(monkeypatch, NOON)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield Two()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def cookies_of(staff: Staff) -> dict[str, str]:
    client = Client()
    client.force_login(staff.user)
    name = settings.SESSION_COOKIE_NAME
    return {name: client.cookies[name].value, settings.CSRF_COOKIE_NAME: TOKEN}


@pytest.mark.parametrize("role", [Role.PRESCRIBER, Role.NURSE, Role.FRONT_DESK])
def test_no_request_breaks_an_address_or_reaches_another_clinic(two: Two, role: Role) -> None:
    mine, other = two.clinics
    cookies, before = cookies_of(two.staff[mine.pk][role.value]), two.rows_of(other)
    schema = schemathesis.openapi.from_dict(document(two.objects()))
    schema.app = WSGIHandler()
    statuses: Counter[int] = Counter()

    def attack(case: Any) -> None:
        with transaction.atomic():
            answer = case.call(headers=HEADERS, cookies=cookies)
            transaction.set_rollback(True)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        strangers = {number for number in OF_CLINIC.findall(answer.text) if int(number) != mine.pk}
        assert not strangers, f"somebody of clinic {strangers}"

    for found in schema.get_all_operations():
        operation = found.ok()
        bounded = drawn(
            max_examples=EXAMPLES_EACH,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        bounded(given(case=operation.as_strategy())(attack))()
    assert two.rows_of(other) == before
    SENT.update({"requests": sum(statuses.values()), **{f"answered {s}": n for s, n in statuses.items()}})
    expected = {403} if role is Role.FRONT_DESK else {200, 404, 409}
    assert expected <= set(statuses), "some were taken, some refused, some found nothing"
    write_figures("json-fuzzing", {**SENT, "addresses": len(FIELDS)})


@pytest.mark.same_on_every_database
def test_an_address_that_answers_json_is_in_the_document(two: Two) -> None:
    """Every route is asked for JSON, as everybody who may; what does answer so must be fuzzed."""
    session = Session.objects.filter(clinic=two.clinics[0], chair=1).latest("pk")
    event = SessionEvent.objects.filter(session=session).latest("pk")
    mine = {"session_pk": session.pk, "event_pk": event.pk, "patient_pk": session.patient_id}
    people = [two.staff[two.clinics[0].pk][role.value] for role in (Role.PRESCRIBER, Role.ADMINISTRATOR, Role.NURSE)]
    signed_in = [cookies_of(staff) for staff in people]
    answered = set()
    for name, route in ROUTES.items():
        kinds = {key: type(converter).__name__ for key, converter in route.pattern.converters.items()}
        keys = {key: mine.get(key, 1) if "Int" in kind else "phq9" for key, kind in kinds.items()}
        for cookies in signed_in:
            browser = Client(raise_request_exception=False)
            browser.cookies.load(cookies)
            for method in (browser.get, browser.post):
                with transaction.atomic():
                    sent = {"entry_key": "k" * 8}
                    answer = method(reverse(name, kwargs=keys), sent, headers={"Accept": "application/json"})
                    transaction.set_rollback(True)
                if "json" not in answer.get("Content-Type", ""):
                    continue
                if answer.status_code >= 400:
                    assert {"refused", "because", "do"} <= set(answer.json()) or name in FIELDS, name
                if answer.status_code < 400 or name in FIELDS:
                    answered.add(name)
    assert answered == set(FIELDS) | WITHOUT_INPUT, "tests/support/openapi.py describes every address that answers JSON"
    assert {path_of(name) for name in FIELDS} and set(FIELDS) <= set(EXAMPLES)
