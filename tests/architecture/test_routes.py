"""Every route declares its permission, and the doors hold: role by role, clinic by clinic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.permissions import Permission, Role, may
from tests.support.people import make_clinic, make_staff


def _routes(patterns: list[Any], spaces: tuple[str, ...] = ()) -> Iterator[tuple[str, URLPattern]]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from _routes(entry.url_patterns, (*spaces, entry.namespace) if entry.namespace else spaces)
        elif isinstance(entry, URLPattern):
            yield ":".join((*spaces, entry.name or "?")), entry


ROUTES = dict(_routes(get_resolver().url_patterns))
GUARDED = {name: route for name, route in ROUTES.items() if getattr(route.callback, "permission", None) is not None}
ONE_PATIENT = [name for name, route in GUARDED.items() if "patient_pk" in route.pattern.converters]
ONE_OBJECT = [name for name, route in GUARDED.items() if route.pattern.converters]
SAMPLES = {"int": 987_654_321, "str": "phq9", "slug": "phq9", "path": "phq9", "uuid": "0" * 32}


def _path(name: str, **given: Any) -> str:
    converters = ROUTES[name].pattern.converters
    kinds = {key: type(converter).__name__.removesuffix("Converter").lower() for key, converter in converters.items()}
    values = {key: SAMPLES["int" if kind == "int" else "str"] for key, kind in kinds.items()}
    return reverse(name, kwargs={**values, **{k: v for k, v in given.items() if k in values}})


@pytest.mark.parametrize("name", ROUTES)
def test_every_route_is_named_and_declares_its_permission(name: str) -> None:
    assert not name.endswith("?")
    assert hasattr(ROUTES[name].callback, "permission")
    declared = ROUTES[name].callback.permission
    assert declared is None or declared in Permission


@pytest.mark.django_db
@pytest.mark.parametrize("name", GUARDED)
def test_a_stranger_is_asked_to_sign_in(name: str) -> None:
    stranger = Client()
    replies = [stranger.get(_path(name)), stranger.post(_path(name))]
    assert {reply.status_code for reply in replies} <= {302, 405}
    reply = next(reply for reply in replies if reply.status_code == 302)
    assert reply["Location"].startswith("/sign-in/")


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_a_role_without_the_permission_is_refused_everywhere(role: Role, clinic: Clinic) -> None:
    browser = Client()
    browser.force_login(make_staff(clinic, role).user)
    for name, route in GUARDED.items():
        if may(role, route.callback.permission):
            continue
        answers = {method(_path(name)).status_code for method in (browser.get, browser.post)}
        assert 403 in answers and answers <= {403, 405}, f"{role} at {name}: {answers}"


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_another_clinics_patient_does_not_exist(role: Role, patient: Patient) -> None:
    browser = Client()
    browser.force_login(make_staff(make_clinic(name="Another Synthetic Clinic"), role).user)
    for name in ONE_PATIENT:
        if not may(role, GUARDED[name].callback.permission):
            continue
        for method in (browser.get, browser.post):
            assert method(_path(name, patient_pk=patient.pk)).status_code in (404, 405), f"{role} at {name}"


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_what_does_not_exist_is_not_found(role: Role, clinic: Clinic) -> None:
    browser = Client()
    browser.force_login(make_staff(clinic, role).user)
    for name in ONE_OBJECT:
        converters = ROUTES[name].pattern.converters.values()
        if may(role, GUARDED[name].callback.permission) and any("Int" in type(c).__name__ for c in converters):
            assert browser.get(_path(name)).status_code in (404, 405), f"{role} at {name}"


def test_a_page_about_one_patient_exists_for_every_stage() -> None:
    stages = ["screening", "consent", "planning", "followup", "surveillance", "maintenance"]
    assert [stage for stage in stages if f"{stage}:patient" not in ROUTES] == []
    assert {"journey:home", "journey:patients", "journey:chart", "journey:timeline", "treatment:floor"} <= set(ROUTES)
