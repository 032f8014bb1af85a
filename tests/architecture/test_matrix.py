"""Role x route x method x whose object: every door is tried, and what is expected comes from one table.

No door shows anybody it should not: not in a body, a header, a redirect, an error, a PDF, an export or a count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Max
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ketaclinic.audit.models import AppendOnly, AuditEntry, Outcome
from ketaclinic.people.models import Clinic
from ketaclinic.people.permissions import ROLE_PERMISSIONS, OwnRole, Permission, Role
from tests.support.figures import write_figures
from tests.support.inputs import EXAMPLES
from tests.support.matrix import (
    ASKED,
    DOORS,
    EMERGENCY,
    EMERGENCY_OPENS,
    METHODS,
    NO_PAGE_OF_ITS_OWN,
    OBJECTS,
    OWN,
    STAFF,
    WHO,
    WORDS,
    holds,
    named,
)
from tests.support.routes import ROUTES, keys_of
from tests.support.two_clinics import (
    MINE,
    THEIRS,
    Home,
    all_text,
    browser_of,
    found,
    held,
    make_room_for_another,
    taken_back,
)

pytestmark = pytest.mark.django_db

ACTORS = (None, *STAFF, *OWN, *(f"emergency {role}" for role in EMERGENCY))
OPEN = frozenset({200, 302, 409, 422, 400})
"""The door opened; 400, 409 and 422 are what a form answers to input it does not take."""
REFUSED, HIDDEN, NO_METHOD = frozenset({403}), frozenset({404}), frozenset({405})
BARRED = ("researcher", *OWN)
"""Who never sees anybody of their own clinic either (but a patient themselves)."""
OF_A_CLINIC = [m for m in apps.get_models() if "clinic" in {f.name for f in m._meta.concrete_fields}]
COUNTED: Counter[str] = Counter()


@dataclass(frozen=True)
class Two:
    """The clinic of whoever tries the doors, the other clinic, and what is sent."""

    mine: Home
    theirs: Home
    sent: dict[str, Any]


@pytest.fixture(scope="module")
def two(django_db_setup: None, django_db_blocker: Any) -> Iterator[Two]:
    with held(django_db_blocker) as patch:
        mine = found(MINE, 1, patch)
        make_room_for_another()
        yield Two(mine, found(THEIRS, 2, patch), {route: _example(mine, route) for route in DOORS})
    write_figures("access-matrix", {"cells": sum(COUNTED.values()), "by": dict(sorted(COUNTED.items()))})


def _role(actor: str) -> str:
    return actor.removeprefix("emergency ")


# ---- the table is whole --------------------------------------------------------------------------------------------


def test_every_route_stands_in_the_table_as_it_declares_itself() -> None:
    declared = {name: getattr(route.callback, "permission", "nothing") for name, route in ROUTES.items()}
    assert declared == {name: door.permission for name, door in DOORS.items()}


def test_every_permission_and_role_stands_in_the_table() -> None:
    assert set(WHO) == set(Permission)
    assert {*STAFF, *OWN} == {*Role.values, *OwnRole.values} == set(ROLE_PERMISSIONS)
    assert {p: {r for r in ROLE_PERMISSIONS if p in ROLE_PERMISSIONS[r]} for p in Permission} == {
        p: set(roles) for p, roles in WHO.items()
    }


def test_every_converter_has_an_object_or_a_word() -> None:
    keys = [(name, key) for name in ROUTES for key in keys_of(name)]
    assert [pair for pair in keys if pair[1] not in WORDS and named(*pair) is None] == []


def test_every_model_of_a_clinic_is_tried_through_some_door() -> None:
    """A row with a clinic is named by an address, or says which page of the matrix shows it."""
    of_a_clinic = set(OF_A_CLINIC)
    tried = set(OBJECTS.values())
    told = {m._meta.label for m in of_a_clinic - tried}
    assert told == set(NO_PAGE_OF_ITS_OWN)
    assert tried <= of_a_clinic


def test_every_route_that_takes_input_has_an_example() -> None:
    assert {name for name, door in DOORS.items() if "POST" in door.methods} == set(EXAMPLES)


# ---- the cells -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One try: which address, whose objects it names, and what it asks beside."""

    route: str
    whose: str
    address: str
    patient_pk: Any = None


def _cells(two: Two, route: str, actor: str | None) -> Iterator[Cell]:
    """Yield the addresses of a route: with objects of one's own clinic, of another, and of both mixed."""
    if not any(named(route, key) for key in keys_of(route)):
        yield _cell(route, "no object", two.mine.keys(route))
        for asked in ASKED.get(route, ()):
            yield Cell(route, "asks for theirs", reverse(route, kwargs=two.mine.keys(route)) + _filled(two, asked))
        return
    if actor is not None:
        subject = two.mine.own if actor == "patient" else two.mine.ward
        about = two.mine.keys(route, subject) if actor.startswith("emergency") or actor in OWN else None
        yield _cell(route, "own", about or two.mine.keys(route))
        other = two.mine.keys(route, two.mine.own if subject is two.mine.ward else two.mine.ward)
        if about is not None and "patient_pk" in keys_of(route) and other:
            yield _cell(route, "own, another patient", other)
        mine = two.mine.keys(route)
        for asked in ASKED.get(route, ()):
            yield Cell(
                route,
                "own, asks for theirs",
                reverse(route, kwargs=mine) + _filled(two, asked),
                mine and mine.get("patient_pk"),
            )
    theirs = two.theirs.keys(route)
    yield _cell(route, "foreign", theirs)
    narrow = [key for key in keys_of(route) if named(route, key)]
    if len(narrow) > 1 and actor is not None:
        mine = two.mine.keys(route)
        assert mine is not None and theirs is not None
        yield _cell(route, "mixed", {**theirs, narrow[0]: mine[narrow[0]]})
        yield _cell(route, "mixed", {**mine, narrow[0]: theirs[narrow[0]]})


def _cell(route: str, whose: str, keys: dict[str, Any] | None) -> Cell:
    assert keys is not None, f"the demo has no object for {route}"
    return Cell(route, whose, reverse(route, kwargs=keys), keys.get("patient_pk"))


def _filled(two: Two, asked: str) -> str:
    patient = two.theirs.own
    return asked.format(
        patient=patient.pk,
        record_number=patient.record_number,
        name_begins=patient.family_name[:6],
        line=patient.timeline.latest("pk").pk,
    )


OWN_SIGN_IN = ("access:password", "access:add_factor", "access:remove_factor", "access:renew_codes")

ASKS_FOR_MORE: dict[str, frozenset[int]] = {
    "access:invitation": HIDDEN,
    "access:use_link": HIDDEN,
    "design:components": HIDDEN,
    "access:end_device": HIDDEN,
    **dict.fromkeys(OWN_SIGN_IN, frozenset({401})),
    "access:unlock": frozenset({401, 423}),
    "access:confirm": frozenset({401}),
    "access:here": frozenset({204}),
}
"""Answers about one's own sign-in: a link or device that nobody has is not there, without a proof it is asked for."""


def _expected(two: Two, actor: str | None, cell: Cell, method: str) -> frozenset[int]:
    """Return the statuses a cell may have. A door that is shut may say so before or after it looks at the method."""
    door = DOORS[cell.route]
    if method not in door.methods:
        shut = frozenset() if actor is not None and holds(_role(actor), door.permission) else REFUSED
        return NO_METHOD | shut if actor is not None else NO_METHOD | {302}
    if door.permission is None:
        return OPEN | ASKS_FOR_MORE.get(cell.route, frozenset())
    if actor is None:
        return frozenset({302})
    opens = holds(_role(actor), door.permission)
    if actor.startswith("emergency ") and method in ("GET", "HEAD") and door.permission in EMERGENCY_OPENS:
        opens = opens or cell.patient_pk == two.mine.ward.pk
    if not opens:
        return REFUSED
    return HIDDEN if cell.whose in ("foreign", "mixed") else OPEN | ASKS_FOR_MORE.get(cell.route, frozenset())


def _try(browser: Client, method: str, cell: Cell, data: Any) -> HttpResponse:
    session = browser.cookies.get(settings.SESSION_COOKIE_NAME)
    kept = session.value if session else None
    if method != "POST":
        answer: HttpResponse = getattr(browser, method.lower())(cell.address)
        return answer
    if cell.whose in ("foreign", "mixed"):  # not taken back: in the end nothing of theirs may be another
        return browser.post(cell.address, data)  # type: ignore[return-value]
    with taken_back():
        answer = browser.post(cell.address, data)
        if kept is not None:
            browser.cookies[settings.SESSION_COOKIE_NAME] = kept
    return answer


def _seen(two: Two, actor: str | None, cell: Cell, answer: Any, text: str) -> str:
    """Return what an answer holds that this person must not see, empty if nothing."""
    if "asks" in cell.whose:
        text = text.replace(two.theirs.own.record_number, "")  # what was typed stands in the field it was typed into
    found = THEIRS.people.search(text)
    if found is None and (actor is None or answer.status_code in (403, 404, 405)):
        found = MINE.people.search(_without_oneself(two, actor, text))
    if found is None and actor in BARRED:
        text = _without_oneself(two, actor, text)
        if actor == "researcher":
            found = MINE.patients.search(text)
        else:
            patient = two.mine.own if actor == "patient" else two.mine.ward
            found = MINE.others(patient).search(text)
    return found.group() if found else ""


def _without_oneself(two: Two, actor: str | None, text: str) -> str:
    """Leave out the name of the person looking and of the clinic: both stand in the frame of every page."""
    if actor is None:
        return text
    return _frame_of(two.mine, actor).sub("", text)


@cache
def _frame_of(home: Home, actor: str) -> re.Pattern[str]:
    user = home.user(actor)
    person = getattr(user, "staff", None) or user.own
    names = (person.display_name, home.clinic.name, user.username)
    return re.compile("|".join(re.escape(n) for n in sorted(names, key=len, reverse=True)))


def _all_of(home: Home) -> dict[str, Any]:
    """Return what a clinic has: how many rows of what is only added to, every value of the rest."""
    rows: dict[str, Any] = {"clinic": list(Clinic.objects.filter(pk=home.clinic.pk).values())}
    for model in OF_A_CLINIC:
        mine = model._base_manager.filter(clinic=home.clinic)
        rows[model._meta.label] = mine.count() if issubclass(model, AppendOnly) else list(mine.order_by("pk").values())
    return rows


@pytest.mark.parametrize("actor", ACTORS)
def test_every_door_in_every_way(two: Two, actor: str | None) -> None:
    browser, wrong, before = browser_of(two.mine, actor), [], _all_of(two.theirs)
    for route in DOORS:
        data = two.sent[route]
        for number, cell in enumerate(_cells(two, route, actor)):
            for method in METHODS if number == 0 else ("GET", "POST"):
                entries = _newest_entry()
                answer = _try(browser, method, cell, data)
                expected = _expected(two, actor, cell, method)
                COUNTED[f"{actor or 'stranger'}, {cell.whose}"] += 1
                told = f"{actor} {method} {route} {cell.whose} {cell.address}"
                if answer.status_code not in expected:
                    wrong.append(f"{told}: {answer.status_code}, expected {sorted(expected)}")
                elif leaked := _seen(two, actor, cell, answer, all_text(answer)):
                    wrong.append(f"{told}: {answer.status_code} shows {leaked!r}")
                elif expected == HIDDEN and (kept := _attempts_after(entries)) != [(route, _staff_or_own(actor))]:
                    wrong.append(f"{told}: 404 left {kept} in the audit log")
                elif actor is None and DOORS[route].permission and not _asked_to_sign_in(answer):
                    wrong.append(f"{told}: {answer.status_code}, not asked to sign in")
    assert wrong == [], "\n".join(wrong)
    assert _all_of(two.theirs) == before, "something sent from here changed the other clinic"


def _newest_entry() -> int:
    return int(AuditEntry.objects.aggregate(newest=Max("pk"))["newest"] or 0)


def _attempts_after(pk: int) -> list[tuple[str, str]]:
    """Return what was looked for in vain since an entry: by which route, by whom."""
    rows = AuditEntry.objects.filter(pk__gt=pk, action="attempt", outcome=Outcome.NOT_FOUND)
    return list(rows.values_list("route", "actor_kind"))


def _staff_or_own(actor: str | None) -> str:
    return actor if actor in OWN else "staff"


def _asked_to_sign_in(answer: Any) -> bool:
    return answer.status_code == 405 or answer.headers.get("Location", "").startswith("/sign-in/")


def _example(home: Home, route: str) -> Any:
    """Return the fields of the route's valid example; its own address is not used."""
    if route not in EXAMPLES:
        return {}
    with taken_back():
        fields = EXAMPLES[route](home.clinic).data
        return {name: value for name, value in fields.items() if name != "caregiver"}  # theirs, not of every patient


# ---- counts --------------------------------------------------------------------------------------------------------


def test_the_marks_are_really_on_the_pages(two: Two) -> None:
    """Without this, a mark nobody carries would make every leak invisible."""
    nurse, theirs = browser_of(two.theirs, "nurse"), two.theirs
    details = all_text(nurse.get(reverse("people:patient", args=[theirs.own.pk])))
    for part in (theirs.own.family_name, theirs.own.record_number, theirs.own.phone, f"{theirs.own.birth_date:%b %Y}"):
        assert part in details and THEIRS.people.search(part), part
    export = all_text(browser_of(two.theirs, "prescriber").post(reverse("fhir:export_bundle", args=[theirs.own.pk])))
    assert theirs.own.birth_date.isoformat() in export and THEIRS.people.search(theirs.own.birth_date.isoformat())
    sheet = two.theirs.keys("aftercare:sheet")
    assert THEIRS.people.search(all_text(nurse.get(reverse("aftercare:sheet", kwargs=sheet))))


def test_the_researcher_sees_a_registry_without_anybody(two: Two) -> None:
    browser = browser_of(two.mine, "researcher")
    assert "No data set has been released" in all_text(browser.get("/"))
    assert {r for r, d in DOORS.items() if d.permission and holds("researcher", d.permission)} == {
        "journey:home",
        "access:account",
        "access:password",
        "access:add_factor",
        "access:remove_factor",
        "access:recovery_codes",
        "access:renew_codes",
        "access:end_other_devices",
        "access:end_device",
        "policy:rules",
        "policy:rule",
        "consent:texts",
        "consent:text",
    }
