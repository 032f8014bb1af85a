"""The log is written by everybody and read by nobody; whatever shows a patient leaves an entry."""

from __future__ import annotations

import ast
import re
from io import BytesIO
from pathlib import Path

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from ketaclinic.audit.models import AuditEntry
from ketaclinic.audit.walls import STANDING, UP
from ketaclinic.people.models import Caregiver, Clinic, Patient, Staff
from ketaclinic.people.permissions import Role, may
from tests.support.doors import addresses_of, demo, objects_of
from tests.support.matrix import WORDS
from tests.support.routes import GUARDED, ROUTES
from tests.support.tree import CLINIC, functions_in, parsed, python_files

__all__ = ["demo"]

FOR_EVERYBODY = {
    "ketaclinic.audit.actions": {"Actor", "write_audit"},
    "ketaclinic.audit.chain": {"patience"},
    "ketaclinic.audit.models": {"AppendOnly", "AppendOnlyError", "AppendOnlyQuerySet", "ActorKind", "Outcome"},
    "ketaclinic.audit.noted": {"entries_written", "note_missing", "note_opened", "note_people"},
    "ketaclinic.audit.spool": {"write_or_keep"},
}
"""What a room may use of the log: the ways into it, and none out of it."""
DRAWN = re.compile(r'value="[^"\s]{20,}"')
"""Keys and tokens of forms: letters drawn at random may spell a name."""
NO_ADDRESS = ("one_in", "chart_row", "open_invitation", "clinic_now", "is_signature")
"""Asked with a key that no address names: the doorway itself, a chart's row, what the session or the person says. Or
asked before anything is opened: whether it is a signature, which only decides whether to confirm first."""
READERS = ("audit", "cli", "continuity")
"""The log itself, the command line, and backups: they carry it along and look whether it came back whole."""


def _imported(file: Path) -> set[tuple[str, str]]:
    found = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ketaclinic.audit"):
            found |= {(node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "*") for alias in node.names if alias.name.startswith("ketaclinic.audit")}
    return found


def _others() -> list[Path]:
    return [f for f in python_files(CLINIC) if f.relative_to(CLINIC).parts[0] not in READERS]


def test_no_feature_reads_the_log() -> None:
    reading = [
        f"{file.relative_to(CLINIC)}: {module}.{name}"
        for file in _others()
        for module, name in _imported(file)
        if name not in FOR_EVERYBODY.get(module, set())
    ]
    assert reading == []
    told = {str(f.relative_to(CLINIC)): f.read_text().lower() for f in _others()}
    assert [name for name, text in told.items() if "auditentry" in text] == []


def test_one_object_is_opened_through_one_doorway() -> None:
    """Every ``*_in`` that answers 404 for what is not there asks ``one_in``; no query raises it by itself."""
    own = []
    for file in [f for f in python_files(CLINIC) if f.stem == "queries" or f.parent.name == "queries"]:
        for function in functions_in(file):
            text = ast.unparse(function)
            raises = "raise Http404" in text and function.name != "one_in"
            by_key = re.search(r"\bpk=pk\b", text) and function.name not in NO_ADDRESS
            if (raises and "pk" in {a.arg for a in function.args.args}) or (by_key and "one_in" not in text):
                own.append(f"{file.relative_to(CLINIC)}:{function.name}")
    assert own == [], "\n".join(own)


@pytest.mark.django_db
def test_the_database_refuses_to_change_an_entry() -> None:
    with connection.cursor() as cursor:
        cursor.execute(STANDING[connection.vendor])
        assert cursor.fetchone()[0] == {"sqlite": 2, "postgresql": 1}[connection.vendor]
    assert set(STANDING) == set(UP)


def _names(clinic: Clinic) -> set[str]:
    """Return what shows that somebody is on a page: family names, record numbers, names of caregivers."""
    rows = Patient.objects.of(clinic).values_list("family_name", "record_number")
    found = {word for row in rows for word in row}
    return found | set(Caregiver.objects.of(clinic).values_list("name", flat=True))


def _addresses(name: str, clinic: Clinic) -> list[str]:
    """Return a route with real objects; one about a member of staff for each of them, as not all have somebody."""
    objects = objects_of(name)
    if list(objects.values()) == [Staff]:
        return [reverse(name, args=[member.pk]) for member in Staff.objects.of(clinic)]
    words = {key: WORDS.get(key) for key in ROUTES[name].pattern.converters}
    return addresses_of(name, clinic) if objects else [reverse(name, kwargs=words)]


def _words(reply: HttpResponse) -> str:
    """Return what is to be read: in the packed bytes of a PDF a short name can stand by chance."""
    if reply["Content-Type"] == "application/pdf":
        return "\n".join(page.extract_text() for page in PdfReader(BytesIO(reply.content)).pages)
    return DRAWN.sub("", reply.content.decode("utf-8", "replace"))


def test_every_page_that_shows_somebody_leaves_an_entry(demo: Clinic) -> None:
    """Asked with every role: a page with a patient's name on it and no entry about it is a page nobody told of."""
    names = re.compile("|".join(re.escape(name) for name in sorted(_names(demo), key=len, reverse=True)))
    untold, shown = [], []
    for role in Role:
        browser = Client()
        browser.force_login(Staff.objects.filter(clinic=demo, role=role).first().user)
        for name in GUARDED:
            if not may(role, GUARDED[name].callback.permission):
                continue
            for address in _addresses(name, demo):
                before = AuditEntry.objects.count()
                reply = browser.get(address)
                if reply.status_code == 200 and names.search(_words(reply)):
                    shown.append(name)
                    if AuditEntry.objects.count() != before + 1:
                        untold.append(f"{role} at {name}: {AuditEntry.objects.count() - before} entries")
    assert untold == [], "\n".join(untold)
    assert "journey:duties" in shown
    assert len(shown) > 60
