"""What holds for every route before anybody is known: it declares itself, strangers learn nothing, verbs are few."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.permissions import Permission, Role
from tests.support.matrix import WORDS
from tests.support.people import make_staff
from tests.support.routes import GUARDED, ROUTES, keys_of

NOBODY = 987_654_321
EVIL = ("//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "http:///evil.example")


def _path(name: str) -> str:
    return reverse(name, kwargs={key: WORDS.get(key, NOBODY) for key in keys_of(name)})


@pytest.mark.parametrize("name", ROUTES)
def test_every_route_is_named_and_declares_its_permission(name: str) -> None:
    assert not name.endswith("?")
    assert hasattr(ROUTES[name].callback, "permission")
    declared = ROUTES[name].callback.permission
    assert declared is None or declared in Permission


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_what_does_not_exist_is_not_found(role: Role, clinic: Clinic) -> None:
    browser, member = Client(), make_staff(clinic, role)
    browser.force_login(member.user)
    for name in GUARDED:
        numbers = [key for key in keys_of(name) if key not in WORDS]
        if numbers and member.may(GUARDED[name].callback.permission):
            assert browser.get(_path(name)).status_code in (404, 405), f"{role} at {name}"


LINK = re.compile(r'(?:href|action|hx-get|hx-post|src)="([^"#?]+)')


@pytest.mark.django_db
def test_a_stranger_who_follows_every_link_meets_nobody(patient: Patient) -> None:
    """Everything that can be reached without signing in, link by link; and every route that cannot be linked to."""
    browser, seen, ahead = Client(), set(), ["/", "/sign-in/", "/design/", *(_path(name) for name in ROUTES)]
    while ahead:
        address = ahead.pop()
        if address in seen or not address.startswith("/"):
            continue
        seen.add(address)
        answer = browser.get(address)
        body = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
        for told in (patient.family_name, patient.record_number, patient.clinic.name):
            assert told not in body, address
        if answer.status_code == 302:
            ahead.append(answer["Location"])
        elif answer.headers.get("Content-Type", "").startswith("text/html"):
            ahead += [unescape(link) for link in LINK.findall(body) if "/static/" not in link]
        assert answer.status_code in (200, 302, 404, 405), address
    assert {"/sign-in/", "/design/"} <= seen


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_no_page_answers_to_other_verbs(method: str, as_prescriber: Client, patient: Patient) -> None:
    for name in ROUTES:
        address = reverse(name, kwargs={key: WORDS.get(key, patient.pk) for key in keys_of(name)})
        assert as_prescriber.generic(method, address).status_code == 405, name


def _leaves(answer: Any) -> bool:
    """Return whether an answer sends the browser to another origin; what a path of ours carries along goes nowhere."""
    target = answer.headers.get("Location", "").replace("\\", "/")
    place = urlsplit(target)
    return place.scheme not in ("", "http") or place.netloc not in ("", "testserver") or target.startswith("//")


@pytest.mark.django_db
@pytest.mark.parametrize("target", EVIL)
def test_nobody_is_sent_elsewhere(target: str, as_prescriber: Client, patient: Patient) -> None:
    member = make_staff(patient.clinic, Role.NURSE)
    sign_in = {"username": member.user.username, "password": "correct horse battery", "next": target}
    stranger = Client()
    assert not _leaves(stranger.post("/sign-in/", sign_in))
    assert not _leaves(Client().post(f"/sign-in/?next={target}", {**sign_in, "next": ""}))
    assert not _leaves(stranger.get(f"/sign-in/?next={target}"))
    for name in ROUTES:
        address = reverse(name, kwargs={key: WORDS.get(key, patient.pk) for key in keys_of(name)})
        for field in ("next", "back", "url", "redirect", "return"):
            assert not _leaves(as_prescriber.get(address, {field: target})), name
        fields = dict.fromkeys(("next", "back", "url", "redirect", "return"), target)
        answer = as_prescriber.post(address, fields, headers={"Referer": target})
        assert not _leaves(answer) and f'href="{target}"' not in answer.content.decode(errors="replace"), name
        as_prescriber.force_login(as_prescriber_user(patient))


def as_prescriber_user(patient: Patient) -> Any:
    """Return the sign-in of the clinic's prescriber: one of the pages tried signs out."""
    return patient.clinic.staff.get(role=Role.PRESCRIBER).user


def test_a_page_about_one_patient_exists_for_every_stage() -> None:
    stages = ["screening", "consent", "planning", "followup", "surveillance", "maintenance"]
    assert [stage for stage in stages if f"{stage}:patient" not in ROUTES] == []
    assert {"journey:home", "journey:patients", "journey:chart", "journey:timeline", "treatment:floor"} <= set(ROUTES)
