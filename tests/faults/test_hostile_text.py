"""Hostile text in every field of every form: refused or kept as the characters it is; never obeyed, never slow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.test import Client

from ketaclinic.design.middleware import unseen_sign
from ketaclinic.people.models import Clinic
from tests.support.clock import install
from tests.support.demo import demo_clinic
from tests.support.figures import add_figures
from tests.support.inputs import EXAMPLES, POSTED_AT, Example, address_of
from tests.support.texts import BROKEN, LONG, MARKUP, SIGNS, TEXTS, UNSEEN, faults_of

QUICK_S = 1.0
HANDS_OFF = {"password", "new_password1", "new_password2", "entry_key"}


@pytest.fixture
def demo(db: None, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    install(monkeypatch, POSTED_AT)
    return demo_clinic(at=POSTED_AT)


def fields_of(example: Example) -> list[str]:
    """Return the fields of a form that hold text, chosen from a list or typed."""
    return [n for n, v in example.data.items() if isinstance(v, str) and n not in HANDS_OFF]


def post(name: str, clinic: Clinic, change: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Send an example with other text, look at the answer and at the page it leads to, and take everything back."""
    with transaction.atomic():
        example = EXAMPLES[name](clinic)
        browser = Client(raise_request_exception=False)
        if example.by is not None:
            browser.force_login(example.by)
        data = {k: v.open() if isinstance(v, UploadedFile) else v for k, v in example.data.items()}
        answer: Any = browser.post(address_of(name, example), {**data, **change})
        if answer["Content-Type"].startswith("text/html"):
            yield answer.status_code, answer.content.decode()
        assert not {"Set-Cookie", "X-Evil"} & set(answer.headers) or "pwned" not in str(answer.headers)
        if answer.status_code == 302:
            following: Any = browser.get(answer["Location"])
            yield following.status_code, following.content.decode()
        transaction.set_rollback(True)


def check(name: str, clinic: Clinic, change: Mapping[str, str]) -> list[str]:
    """Return what went wrong with one form."""
    wrong: list[str] = []
    before = time.process_time()
    for status, page in post(name, clinic, change):
        wrong += [f"{name} {list(change)}: {status}"] if status >= 500 else []
        wrong += [f"{name} {list(change)}: {fault}" for fault in faults_of(page)]
    spent = time.process_time() - before
    return wrong + ([f"{name} {list(change)}: {spent:.1f} s"] if spent > 3 * QUICK_S else [])


def test_every_field_of_every_form_alone(demo: Clinic) -> None:
    wrong, sent = [], 0
    for name, make in EXAMPLES.items():
        with transaction.atomic():
            fields = fields_of(make(demo))
            transaction.set_rollback(True)
        for number, field in enumerate(fields):
            text = list(MARKUP.values())[number % len(MARKUP)]
            wrong += check(name, demo, {field: text})
            sent += 1
    assert wrong == []
    assert sent > 100
    add_figures("hostile-text", {"fields typed into": sent, "texts typed": sent})


INERT = pytest.param("markup", marks=pytest.mark.same_on_every_database)
"""What a page does with markup is decided above the database; signs and lengths it may refuse itself."""


@pytest.mark.parametrize("kind", [INERT, "signs", "long"])
def test_every_text_in_all_fields_of_every_form(demo: Clinic, kind: str) -> None:
    texts = {"markup": list(MARKUP.values()), "signs": list(SIGNS.values()), "long": list(LONG.values())}[kind]
    wrong, sent = [], 0
    for turn in range(3 if kind != "long" else 2):
        for name, make in EXAMPLES.items():
            with transaction.atomic():
                fields = fields_of(make(demo))
                transaction.set_rollback(True)
            change = {f: texts[(n + turn * 5) % len(texts)] for n, f in enumerate(fields)}
            wrong += check(name, demo, change)
            sent += len(fields)
    assert wrong == []
    add_figures("hostile-text", {"texts typed": sent})


@pytest.mark.parametrize("sign", UNSEEN)
def test_a_sign_nobody_sees_is_refused_before_any_form(demo: Clinic, sign: str) -> None:
    for name in ("people:register", "followup:alert", "treatment:record", "policy:sign", "planning:patient"):
        with transaction.atomic():
            fields = fields_of(EXAMPLES[name](demo))
            transaction.set_rollback(True)
        found = list(post(name, demo, {fields[-1]: UNSEEN[sign]}))
        assert all(status < 500 for status, _ in found), (name, found[0][0])
        if sign != "lines into a head":
            assert found[0][0] == 422 and "cannot be seen (U+" in found[0][1], name
        assert [f for _, page in found for f in faults_of(page)] == []


@pytest.mark.parametrize("sign", "\u00ad\u061c\u115f\u1160\u200b\u200e\u200f\u2028\u2060\u3164\ufeff\uffa0\U000e0041")
def test_each_sign_nobody_sees_is_found_by_itself(sign: str) -> None:
    assert unseen_sign(f"Anna{sign}") == sign


@pytest.mark.parametrize("text", ["می\u200cخواهم", "क्\u200dष", "two\r\n\tlines", "naïve – “quoted” 🏳️‍🌈"])
def test_what_a_script_is_written_with_may_stay(text: str) -> None:
    assert unseen_sign(text) == ""


def test_a_device_is_told_in_its_own_words(demo: Clinic) -> None:
    example = EXAMPLES["treatment:record"](demo)
    browser = Client()
    browser.force_login(example.by)  # type: ignore[arg-type]
    sent = {**example.data, "kind": "symptom", "symptom": "a\u202eb"}
    answer = browser.post(address_of("treatment:record", example), sent, headers={"Accept": "application/json"})
    assert answer.status_code == 422 and "U+202E" in answer.json()["because"][0]


def test_what_is_no_text_at_all_is_no_error_of_ours(demo: Clinic) -> None:
    example = EXAMPLES["people:register"](demo)
    browser = Client(raise_request_exception=False)
    browser.force_login(example.by)  # type: ignore[arg-type]
    form = "application/x-www-form-urlencoded"
    for body in (f"given_name={BROKEN}&family_name={BROKEN}", "%", "&&&==&", f"{BROKEN}=x", "given_name=%00"):
        assert browser.post("/patients/new/", body, content_type=form).status_code in (200, 400, 422), body
    for query in (f"?stage={BROKEN}", "?after=99999999999999999999", "?after=-1&before=x", "?stage=%00", "?a[]=1"):
        assert browser.get(f"/patients/{query}").status_code in (200, 422), query


def test_time_grows_no_faster_than_the_text(demo: Clinic) -> None:
    """Near misses for every pattern a field may hold: a day, an address, a number, a time zone, a name."""
    near = (
        "1" * 1_000,
        "a@" * 500 + "!",
        "2026-" * 200,
        " " * 1_000,
        "(" * 1_000,
        "((((a+)+)+)+)" * 70,
        "aA" * 500 + "\t!",
    )
    for text in near:
        took = []
        for times in (1, 16):
            before = time.process_time()
            for name in ("people:register", "people:clinic", "planning:sign", "screening:add", "policy:sign"):
                with transaction.atomic():
                    fields = fields_of(EXAMPLES[name](demo))
                    transaction.set_rollback(True)
                assert all(s < 500 for s, _ in post(name, demo, dict.fromkeys(fields, text * times)))
            took.append((time.process_time() - before) / 5)
        assert took[1] < QUICK_S * 3 and took[1] < 16 * took[0] + QUICK_S, (text[:10], took)


def test_the_texts_are_hostile() -> None:
    """The eye that looks over the pages sees each of them where it is not made inert."""
    for name in ("script", "picture", "drawing", "frame", "style", "end of a field"):
        assert list(faults_of(f"<p>{MARKUP[name]}</p>")), name
    assert list(faults_of(f'<input value="{MARKUP["attribute"]}">'))
    assert list(faults_of(f"<input value='{MARKUP['single quote']}'>"))
    assert list(faults_of(f'<a href="{MARKUP["link"]}">')) and list(faults_of("kc14ck"))
    assert (
        not list(faults_of('<a href="/x">&lt;script&gt;</a><script src="/static/x.js"></script>')) and len(TEXTS) > 25
    )
