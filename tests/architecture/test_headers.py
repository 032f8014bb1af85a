"""What every answer says to a browser: every route, every file, every refusal; and what no method may do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.test import Client

from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role, may
from tests.support.doors import addresses_of, demo, objects_of, path_of
from tests.support.routes import ROUTES

__all__ = ["demo"]

WANTED = {
    "X-Content-Type-Options": r"nosniff",
    "X-Frame-Options": r"DENY",
    "Referrer-Policy": r"same-origin",
    "Cross-Origin-Opener-Policy": r"same-origin",
    "Cross-Origin-Resource-Policy": r"same-origin",
    "Permissions-Policy": r".*camera=\(\).*geolocation=\(\).*microphone=\(\).*publickey-credentials-get=\(self\).*",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def faults(answer: Any, file: bool = False) -> Iterator[str]:
    """Yield what an answer leaves out or says too much."""
    for name, pattern in WANTED.items():
        if not re.fullmatch(pattern, answer.get(name, "")):
            yield f"{name}: {answer.get(name)}"
    policy = dict(part.strip().split(" ", 1) for part in answer.get("Content-Security-Policy", "x x").split(";"))
    yield from (f"policy {name}: {policy.get(name)}" for name, value in POLICY.items() if policy.get(name) != value)
    if re.search(r"unsafe|\*|https?:", answer.get("Content-Security-Policy", "")):
        yield "a policy with a hole"
    kept = answer.get("Cache-Control", "")
    if file == (kept == "no-store"):
        yield f"Cache-Control: {kept}"
    yield from (f"{name} says what runs here" for name in ("Server", "X-Powered-By") if name in answer)


def open_to(browser: Client, role: Role, clinic: Clinic) -> None:
    member = Staff.objects.filter(clinic=clinic, role=role).select_related("user").earliest("pk")
    browser.force_login(member.user)


def test_every_route_for_who_may_and_who_may_not(demo: Clinic) -> None:
    browser, stranger, wrong, seen = Client(raise_request_exception=False), Client(), [], set()
    for name, route in ROUTES.items():
        needed = getattr(route.callback, "permission", None)
        roles = [role for role in Role if needed is None or may(role, needed)][:1]
        known = bool(objects_of(name)) and not {"import_result"} & {name.split(":")[-1]}
        address = addresses_of(name, demo)[0] if known else path_of(name)
        for role in roles:
            open_to(browser, role, demo)
            for answer in (browser.get(address), browser.post(address)):
                seen.add(answer.status_code)
                wrong += [f"{name} {answer.status_code} {fault}" for fault in faults(answer)]
        answer = stranger.get(address)
        seen.add(answer.status_code)
        wrong += [f"{name} to a stranger {answer.status_code} {fault}" for fault in faults(answer)]
    assert wrong == []
    assert {200, 302, 404, 405, 422} <= seen, "pages, redirects, refusals of several kinds were among them"


@pytest.mark.django_db
def test_files_and_answers_no_view_gave() -> None:
    browser = Client(raise_request_exception=False)
    file = browser.get("/static/design/tokens.css")
    assert file.status_code == 200 and list(faults(file, file=True)) == []
    answers = {
        404: browser.get("/nothing/here/"),
        400: browser.get("/", headers={"Host": "somebody-else.example"}),
        405: browser.generic("TRACE", "/"),
        403: Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "a", "password": "b"}),
    }
    answers |= {1404: browser.get("/static/nothing.css"), 1405: browser.put("/patients/")}
    for status, answer in answers.items():
        assert answer.status_code == status % 1000
        assert list(faults(answer)) == [], status


@pytest.mark.django_db
def test_an_error_of_ours_carries_them_too(as_nurse: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("anything")

    monkeypatch.setattr("ketaclinic.journey.queries.patient_page", broken)
    as_nurse.raise_request_exception = False
    answer = as_nurse.get("/patients/")
    assert answer.status_code == 500 and list(faults(answer)) == []


@pytest.mark.django_db
def test_a_method_in_a_header_is_not_obeyed(as_nurse: Client) -> None:
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        answer = as_nurse.get("/sign-out/", headers={name: "POST"})
        assert answer.status_code == 405
        assert as_nurse.get("/patients/", headers={name: "DELETE"}).status_code == 200
    assert as_nurse.get("/patients/").status_code == 200, "still signed in"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:80@evil.example", "127.0.0.1%00"]
)
def test_no_other_name_is_answered(as_nurse: Client, host: str) -> None:
    answer = as_nurse.get("/patients/", headers={"Host": host})
    assert answer.status_code == 400 and host.encode() not in answer.content
    told = as_nurse.get("/patients/", headers={"X-Forwarded-Host": host, "Forwarded": f"host={host}"})
    assert host.encode() not in told.content


@pytest.mark.django_db
def test_a_form_of_another_origin_is_refused(nurse: Staff) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(nurse.user)
    token = browser.get("/patients/new/").cookies["csrftoken"].value
    sent = {"given_name": "Zeisina", "csrfmiddlewaretoken": token}
    refused = browser.post("/patients/new/", sent, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403 and b"has expired" in refused.content
    assert browser.post("/patients/new/", {"given_name": "Zeisina"}).status_code == 403
    assert browser.post("/patients/new/", sent, headers={"Origin": "http://testserver"}).status_code == 422
    for name in ("x", "treatment:record"):
        headers = {"HX-Request": "true"} if name == "x" else {"Accept": "application/json"}
        assert browser.post("/treatment/session/1/record/", {}, headers=headers).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/x", "javascript:alert(1)", "/\\evil.example"]
)
def test_no_way_leads_to_another_origin(as_nurse: Client, nurse: Staff, target: str) -> None:
    stranger = Client()
    signed_in = stranger.post(
        f"/sign-in/?next={target}",
        {"username": nurse.user.username, "password": "correct horse battery", "next": target},
    )
    themed = as_nurse.post("/design/theme/", {"theme": "dark", "next": target})
    for answer in (signed_in, themed):
        assert "evil" not in answer.get("Location", "") and "javascript" not in answer.get("Location", "")


@pytest.mark.django_db
def test_cookies_hold_keys_and_no_words(nurse: Staff) -> None:
    browser = Client()
    sent = {"username": nurse.user.username, "password": "correct horse battery"}
    cookies = {**browser.get("/sign-in/").cookies, **browser.post("/sign-in/", sent).cookies}
    cookies |= browser.post("/design/theme/", {"theme": "dark", "next": "/"}).cookies
    assert set(cookies) == {"sessionid", "csrftoken", "theme"}
    for name, cookie in cookies.items():
        assert cookie["samesite"] in ("Lax", "Strict"), name
        assert bool(cookie["httponly"]) == (name != "csrftoken"), name
    assert re.fullmatch(r"\w{32}", cookies["sessionid"].value), "a random key, and nothing else"
    assert issubclass(import_module(settings.SESSION_ENGINE).SessionStore, DatabaseStore)
    assert settings.MESSAGE_STORAGE.endswith("SessionStorage")


def test_over_tls_everything_is_bound_to_it() -> None:
    """The settings are read anew in a process of their own, with the switch on."""
    code = """
import django, json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "ketaclinic.config.settings"
django.setup()
from django.test import Client
plain = Client().get("/sign-in/", headers={"host": "127.0.0.1"})
answer = Client().get("/sign-in/", headers={"host": "127.0.0.1", "x-forwarded-proto": "https"})
print(json.dumps([plain.status_code, plain["Location"], answer.status_code, answer["Strict-Transport-Security"],
    [[n, c["secure"], c["path"], c["domain"]] for n, c in answer.cookies.items()]]))
"""
    ours = {"KETACLINIC_HTTPS": "1", "KETACLINIC_SECRET_KEY": "x" * 50, "KETACLINIC_SERVING": "0"}
    environment = {**os.environ, **ours, "DATABASE_URL": "sqlite://"}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert ran.returncode == 0, ran.stderr
    status, location, answered, promise, cookies = json.loads(ran.stdout)
    assert (status, location) == (301, "https://127.0.0.1/sign-in/")
    assert answered == 200 and promise == "max-age=31536000; includeSubDomains"
    assert [name for name, *_ in cookies] == ["__Host-csrftoken"]
    assert all(secure and path == "/" and not domain for _, secure, path, domain in cookies)
