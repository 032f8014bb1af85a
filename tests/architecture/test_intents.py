"""Every form that writes does it once, for the patient it was drawn for, and never over a change nobody has seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing
from django.test import Client
from django.urls import resolve, reverse

from ketaclinic.people.drawn import drawn_for_value
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role, may
from ketaclinic.people.seen import Edits
from ketaclinic.policy.queries import all_rules
from ketacore.evidence import Grade
from tests.support.doors import POSTED, addresses_of, all_of, demo, objects_of, standing
from tests.support.matrix import DOORS
from tests.support.routes import GUARDED
from tests.support.tree import CLINIC

__all__ = ["demo"]

NOBODY_YET = ("sign_in.html", "second.html", "invitation.html", "held.html")
"""Forms before anybody is known, and the one that carries another form's fields along."""
OPEN = ("access:sign_out", "access:locked", "design:theme")
TEMPLATES = sorted(CLINIC.rglob("templates/**/*.html"))
FORM = re.compile(r"<form\b(.*?)</form>", re.DOTALL)
ADDS = {
    "access:password": "one's own, and the old one is asked",
    "access:add_factor": "one's own, and makes a new one",
    "access:remove_factor": "one's own; taken away again it is not found",
    "access:recovery_codes": "one's own; says that they were kept",
    "access:renew_codes": "one's own, and makes new ones",
    "access:end_device": "ends a session; ended again it is not found",
    "access:end_other_devices": "ends sessions",
    "access:end_member_sessions": "ends sessions",
    "access:add_staff": "makes a new member of staff",
    "access:invite_to_care": "makes a new link; the earlier one holds no longer",
    "continuity:paper": "looks for a patient, and writes nothing",
    "continuity:paper_open": "makes a new session",
    "continuity:paper_entries": "makes a new entry of a session; its own key says which",
    "continuity:restoration_seen": "says who has read it; again is the same row",
    "journey:patients": "looks for patients, and writes nothing",
    "people:emergency": "makes a new review; refused when there is one",
    "people:close_emergency": "closes; over already it stays so",
    "people:find_patient": "looks for a patient, and writes nothing",
    "people:give_access": "opens; open already it stays as it is",
    "people:open_emergency": "makes a new access; open already it is the same one",
    "access:withdraw_from_care": "closes; closed already it stays as it is",
    "planning:patient": "shows the dates of a plan, and writes nothing",
    "treatment:begin_amending": "leads to the form, and writes nothing",
    "people:register": "makes a new patient",
    "people:name_caregiver": "makes a new caregiver",
    "policy:sign_all": "names every policy that was shown, and is refused when those are not the ones that wait",
    "consent:sign_off": "refused when the version is signed off",
    "planning:sign": "refused when a plan stands",
    "screening:add": "makes a new entry",
    "treatment:record": "makes a new entry of a session; its own key says which",
    "treatment:acknowledge": "makes a new entry of a session",
    "treatment:undo": "takes back one's own newest entry; what was undone is not undone again",
    "treatment:open": "makes a new session; refused when the chair or the patient is taken",
    "aftercare:give": "makes a new entry of a session",
    "aftercare:contact": "makes a new entry",
    "followup:answer": "makes a new form",
    "followup:own_answer": "makes a new form",
    "surveillance:record": "makes a new result",
    "fhir:import": "adds what is not on record",
    "fhir:export_bundle": "writes nothing but the audit log",
}
"""Routes that write without changing anything that stands, and why each does not need to know what was shown."""
EDITS: dict[str, Edits] = {
    name: route.callback.edits for name, route in GUARDED.items() if hasattr(route.callback, "edits")
}
WITH_TOKEN = {name for name, edited in EDITS.items() if edited.token}


def _takes_posts(name: str) -> bool:
    return "POST" in DOORS[name].methods


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_every_form_that_posts_has_its_keys(path: Any) -> None:
    for form in FORM.findall(path.read_text()):
        if 'method="post"' in form:
            public = path.name in NOBODY_YET or any(
                name in form for name in ("sign_out", "access:locked", "design:theme")
            )
            assert ("csrf_token" in form and public) or "{% form_keys" in form, form[:120]


def test_every_route_that_writes_is_known_to_add_or_to_change() -> None:
    writing = {name for name in GUARDED if _takes_posts(name)}
    assert writing - set(ADDS) - set(EDITS) == set(), "declare @edits, or say above why it changes nothing that stands"
    assert set(ADDS) & set(EDITS) == set()
    assert set(ADDS) <= writing


# ---- the forms as they are drawn -----------------------------------------------------------------------------------


class Forms(HTMLParser):
    """Collects the forms of a page that can post: where to, and the hidden fields."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here = here
        self.found: list[tuple[str, dict[str, str]]] = []
        self._open: tuple[list[str], dict[str, str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            posts = given.get("method", "get").lower() == "post"
            self._open = ([given.get("action") or self.here] if posts else [], {})
        elif self._open is not None and tag == "input" and given.get("type") == "hidden":
            self._open[1][given.get("name", "")] = given.get("value", "")
        elif self._open is not None and tag == "button" and given.get("formmethod") == "post":
            self._open[0].append(given.get("formaction", self.here))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open is not None:
            self.found += [(to, self._open[1]) for to in self._open[0]]
            self._open = None


def _pages(clinic: Clinic) -> Iterator[tuple[Client, str]]:
    """Return every page of the demo that somebody may see, with who sees it."""
    for role in Role:
        device = Client()
        device.force_login(Staff.objects.filter(clinic=clinic, role=role).first().user)
        mine = [name for name in GUARDED if may(role, GUARDED[name].callback.permission)]
        yield from ((device, address) for name in mine for address in addresses_of(name, clinic))
        if role is not Role.PRESCRIBER:
            continue
        for patient in Patient.objects.filter(clinic=clinic):
            yield device, reverse("maintenance:patient", args=[patient.pk])
            yield device, reverse("treatment:open", args=[patient.pk])
        policy = next(rule for _, rule in all_rules() if rule.grade is Grade.D)
        yield device, reverse("policy:rule", args=[policy.rule_id])


def _forms(clinic: Clinic) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Return every posting form on those pages: the page, where it posts to, its hidden fields."""
    for device, address in _pages(clinic):
        reply = device.get(address)
        if reply.status_code == 200 and "text/html" in reply["Content-Type"]:
            page = Forms(address)
            page.feed(reply.text)
            yield from ((address, to, hidden) for to, hidden in page.found)


NOT_IN_THE_DEMO = {"consent:withdraw"}


def test_every_form_that_is_drawn_carries_what_its_address_asks(demo: Clinic) -> None:
    carried, faults = set(), []
    for page, to, hidden in _forms(demo):
        match = resolve(to.split("?")[0])
        if getattr(match.func, "permission", None) is None:
            continue
        wanted = {"intent_key", "drawn_for", "csrfmiddlewaretoken"} | (
            {"seen"} if match.view_name in WITH_TOKEN else set()
        )
        if wanted - {name for name, value in hidden.items() if value}:
            faults.append(f"{page} -> {to}: {sorted(wanted - set(hidden))}")
        if "patient_pk" in match.kwargs and not hidden.get("drawn_for", "").startswith(
            f"{match.kwargs['patient_pk']}:"
        ):
            faults.append(f"{page} -> {to}: drawn for {hidden.get('drawn_for')}")
        carried.add(match.view_name)
    assert faults == []
    assert WITH_TOKEN - carried - NOT_IN_THE_DEMO == set(), "forms that no page of the demo shows prove nothing"


# ---- crossed and stale forms, at every door ------------------------------------------------------------------------


def _member(clinic: Clinic, name: str) -> Client:
    role = next(role for role in Role if may(role, GUARDED[name].callback.permission))
    device = Client(HTTP_IDEMPOTENCY_KEY="")
    member = Staff.objects.filter(clinic=clinic, role=role).order_by("-is_medical_director").first()
    device.force_login(member.user)
    return device


def _sent(**more: str) -> dict[str, str]:
    return {**POSTED, "do": "sign", "intent_key": uuid4().hex, **more}


def _seen(reply: Any) -> dict[str, str]:
    found = re.search(r'name="seen" value="([^"]+)"', reply.text)
    return {"seen": found[1]} if found else {}


def test_a_form_of_one_patient_lands_in_no_other_record(demo: Clinic) -> None:
    others, tried = list(Patient.objects.filter(clinic=demo)[:2]), 0
    for name in (name for name in GUARDED if _takes_posts(name) and objects_of(name)):
        (address,), about, device = addresses_of(name, demo), _patient_at(name, demo), _member(demo, name)
        for other in (person for person in others if about not in (None, person.pk)):
            sent, before = {"drawn_for": drawn_for_value(other.pk)}, all_of(demo)
            shown = _seen(device.post(address, _sent(drawn_for=drawn_for_value(about)))) if name in WITH_TOKEN else {}
            reply = device.post(address, _sent(**sent, **shown))
            assert reply.status_code >= 400 or _went_on(reply), f"{name} {address}: {reply.status_code}"
            assert all_of(demo) == before, f"{name} {address}"
            tried += 1
    assert tried >= 40


def _went_on(reply: Any) -> bool:
    """Return whether the answer only leads to a session that runs already, or is a page without a form to send."""
    if reply.status_code == 302:
        return str(reply["Location"]).startswith("/treatment/session/")
    page = Forms("")
    page.feed(reply.text)
    return {to for to, hidden in page.found if "intent_key" in hidden} == set()


def _patient_at(name: str, clinic: Clinic) -> int | None:

    keys = {key: standing(model, clinic) for key, model in objects_of(name).items()}
    rows = [row for row in keys.values() if isinstance(row, Patient) or hasattr(row, "patient_id")]
    narrow = next((row for row in rows if not isinstance(row, Patient)), rows[0] if rows else None)
    if narrow is None:
        return None
    return narrow.pk if isinstance(narrow, Patient) else narrow.patient_id


@pytest.mark.parametrize("said", ["nothing", "something else"])
def test_no_form_with_a_token_writes_over_what_it_did_not_show(demo: Clinic, said: str) -> None:
    token = {} if said == "nothing" else {"seen": signing.dumps({"x": "y"}, salt="what a form showed")}
    for name in WITH_TOKEN:
        (address,) = addresses_of(name, demo)
        before = all_of(demo)
        about = _patient_at(name, demo)
        reply = _member(demo, name).post(address, _sent(drawn_for=drawn_for_value(about), **token))
        assert reply.status_code == (428 if said == "nothing" else 409), name
        assert "What you typed" in reply.text and _seen(reply), name
        assert all_of(demo) == before, name


def test_what_was_replaced_meanwhile_is_not_replaced_again(demo: Clinic) -> None:
    replaced = []
    for name in sorted(set(EDITS) - WITH_TOKEN):
        (address,) = addresses_of(name, demo)
        device = _member(demo, name)
        sent = {"drawn_for": drawn_for_value(_patient_at(name, demo))}
        if device.post(address, _sent(**sent, voided="on", entry_key=uuid4().hex)).status_code != 302:
            continue
        before = all_of(demo)
        again = device.post(address, _sent(**sent, voided="on", entry_key=uuid4().hex))
        assert again.status_code == 409 and "When you opened it" in again.text, name
        assert "changed it" in again.text, name
        assert all_of(demo) == before, name
        replaced.append(name)
    assert len(replaced) >= 6, replaced
