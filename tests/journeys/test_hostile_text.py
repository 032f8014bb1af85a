"""Hostile text in every field of the record, walked through in a real browser: it is shown, and does nothing."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from django.test import Client
from playwright.sync_api import Dialog, Page
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject

from ketaclinic.demo.build import build_demo
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.treatment.models import Session
from tests.journeys.conftest import OpenAs
from tests.support.clock import Clock
from tests.support.doors import add_the_rest
from tests.support.figures import add_figures
from tests.support.pages import pages_of
from tests.support.poison import KNOWN_WORDS, free_text, poison
from tests.support.texts import MARKUP, SIGNS, faults_of

LOOK_OUT = """
window.__csp = [];
const kept = (e) => window.__csp.push(e.violatedDirective + " " + e.blockedURI);
document.addEventListener("securitypolicyviolation", kept);
"""
TEXTS = [*MARKUP.values(), *SIGNS.values()]


@pytest.fixture
def poisoned(transactional_db: None, clock: Clock) -> Clinic:
    build_demo(at=clock.at, seed=1, patients=12)
    clinic = Clinic.objects.get()
    add_the_rest(clinic)
    written = poison(clinic, TEXTS)
    assert written > 500
    add_figures("hostile-text", {"fields of rows overwritten": written, "texts": len(TEXTS)})
    return Clinic.objects.get()


def test_every_field_is_sorted_into_free_text_or_words_of_the_program() -> None:
    fields = {f"{m._meta.label}.{f.name}" for m, f in free_text()}
    assert {"people.Patient.family_name", "followup.AlertEvent.note", "record.TimelineEntry.title"} <= fields
    assert not fields & KNOWN_WORDS and len(fields) > 60


def look(page: Page, address: str) -> list[str]:
    """Open a page, touch what can be touched without sending anything, and return what it did."""
    answer = page.goto(address)
    assert answer is not None and answer.status == 200, address
    page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
    page.evaluate(
        "for (const e of document.querySelectorAll('input')) { e.focus(); e.dispatchEvent(new Event('mouseover')) }"
    )
    pwned, violated = page.evaluate("[window.__pwned ?? '', window.__csp]")
    wrong = [f"{address}: ran {pwned}"] if pwned else []
    wrong += [f"{address}: policy {v}" for v in violated]
    return wrong + [f"{address}: {fault}" for fault in faults_of(answer.text())]


@pytest.mark.takes_long
def test_no_page_does_what_a_text_says(poisoned: Clinic, open_as: OpenAs, clock: Clock) -> None:
    wrong: list[str] = []
    said: list[str] = []

    def told(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    pages: dict[Role, Page] = {}
    seen = 0
    for role, address in pages_of(poisoned):
        if role not in pages:
            member = Staff.objects.filter(clinic=poisoned, role=role).select_related("user").earliest("pk")
            pages[role] = open_as(member)
            pages[role].add_init_script(LOOK_OUT)
            # A part of a page that is opened alone names no icon; the browser asks for one.
            pages[role].watch.expect(404)  # type: ignore[attr-defined]
            pages[role].on("dialog", told)
        wrong += look(pages[role], address)
        seen += 1
    assert wrong == [] and said == []
    assert seen >= 35
    text = pages[Role.PRESCRIBER].goto(f"/patients/{Patient.objects.earliest('pk').pk}/timeline/")
    assert text is not None and any(t in pages[Role.PRESCRIBER].inner_text("main") for t in TEXTS), "shown as typed"
    add_figures("hostile-text", {"pages walked in Chromium": seen})


def keys_in(node: object, depth: int = 0) -> set[str]:
    """Return every name in the structure of a PDF."""
    node = node.get_object() if isinstance(node, IndirectObject) else node
    if depth > 12:
        return set()
    if isinstance(node, DictionaryObject):
        below = (keys_in(v, depth + 1) for k, v in node.items() if k != "/Parent")
        return set(node) | {str(v) for v in node.values() if str(v).startswith("/")} | set().union(*below)
    return set().union(*(keys_in(v, depth + 1) for v in node)) if isinstance(node, list) else set()


def test_a_sheet_prints_it_and_runs_nothing(poisoned: Clinic) -> None:
    browser = Client()
    browser.force_login(Staff.objects.filter(clinic=poisoned, role=Role.NURSE).earliest("pk").user)
    sheets = 0
    for session in Session.objects.filter(clinic=poisoned).order_by("-at")[:6]:
        answer = browser.get(f"/aftercare/session/{session.pk}/sheet.pdf")
        if answer.status_code != 200:
            continue
        reader = PdfReader(BytesIO(answer.content))
        text = "".join(page.extract_text() for page in reader.pages).replace("\n", "").replace(" ", "")
        typed = str(session.patient).replace(" ", "")
        assert typed[:25] in text, (typed, text[:200])
        assert not keys_in(reader.trailer) & {
            "/JS",
            "/JavaScript",
            "/Launch",
            "/URI",
            "/OpenAction",
            "/AA",
            "/EmbeddedFile",
        }
        sheets += 1
    assert sheets >= 2


def test_an_export_holds_the_same_characters(poisoned: Clinic) -> None:
    browser = Client()
    browser.force_login(Staff.objects.filter(clinic=poisoned, role=Role.PRESCRIBER).earliest("pk").user)
    for patient in Patient.objects.filter(clinic=poisoned).order_by("pk"):
        answer = browser.post(f"/fhir/export/{patient.pk}/bundle/")
        bundle = json.loads(answer.content)
        person = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")
        assert person["name"][0]["family"] == patient.family_name
        for entry in bundle["entry"]:
            narrative = entry["resource"].get("text", {}).get("div", "")
            assert list(faults_of(narrative)) == []
    assert "evil" not in str(answer.headers)
