"""Every route declares its permission, and the doors hold: role by role, clinic by clinic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from ketaclinic.audit.models import AppendOnly
from ketaclinic.consent.models import ConsentSignature, ConsentText
from ketaclinic.demo.build import build_demo
from ketaclinic.followup.models import Alert, ScaleAnswer
from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.interfaces.fhir.report import ImportReport
from ketaclinic.people.models import Caregiver, Clinic, Patient, Staff
from ketaclinic.people.permissions import Permission, Role, may
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.screening.models import Allergy, AntidepressantTrial, HistoryAnswer, Medication, Problem
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.models import Session, SessionEvent
from tests.support.clock import install
from tests.support.people import NOON, make_clinic, make_patient, make_staff


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


# ---- one real object for every converter, and every role of another clinic at its door ----------------------------

WORDS = {
    "rule_id": "SPR-MON-10",
    "room": "treatment",
    "what": "medicine",
    "product": "esketamine-nasal",
    "instrument": "phq9",
    "language": "en",
    "version": "1",
}
"""Converters that name no row of a clinic."""
OBJECTS: dict[str, type[models.Model]] = {
    "patient_pk": Patient,
    "caregiver_pk": Caregiver,
    "staff_pk": Staff,
    "text_pk": ConsentText,
    "plan_pk": Plan,
    "booking_pk": Booking,
    "session_pk": Session,
    "event_pk": SessionEvent,
    "screening:change_answer pk": HistoryAnswer,
    "screening:stop_medicine pk": Medication,
    "screening:refute pk": Problem,
    "screening:refute_allergy pk": Allergy,
    "screening:correct_trial pk": AntidepressantTrial,
    "consent:signature pk": ConsentSignature,
    "consent:text pk": ConsentText,
    "followup:form pk": ScaleAnswer,
    "followup:correct pk": ScaleAnswer,
    "followup:alert pk": Alert,
    "surveillance:correct pk": ScreenResult,
    "fhir:import_result pk": FhirImport,
}
"""What a converter names: by its own name, or as ``pk`` of one route."""
POSTED = {
    "product": "esketamine-nasal",
    "do": "close",
    "note": "x",
    "reason": "x",
    "outcome": "assessed",
    "active": "no",
    "given_name": "Somebody",
    "family_name": "Else",
    "birth_date": "1980-01-01",
    "sex": "female",
    "language": "en",
    "name": "Somebody Else",
    "display_name": "Somebody Else",
    "role": "nurse",
    "entry_key": "k",
    "answer": "stop",
    "benefit": "none",
    "why": "other",
    "kind": "stopped",
    "to_escort": "on",
    "result": "finding",
    "without_number": "1",
    **{f"q{n}": "1" for n in range(1, 10)},
}
"""Enough for most forms to be accepted, if they were ever read."""


def _named(name: str, key: str) -> type[models.Model] | None:
    return OBJECTS.get(f"{name} {key}", OBJECTS.get(key))


def _objects(name: str) -> dict[str, type[models.Model]]:
    """Return the objects a route names; the narrowest last."""
    keys = ROUTES[name].pattern.converters
    return {key: model for key in keys if (model := _named(name, key)) is not None}


def test_somebody_provided_an_object_for_every_converter() -> None:
    keys = [(name, key) for name, route in ROUTES.items() for key in route.pattern.converters]
    assert [pair for pair in keys if pair[1] not in WORDS and _named(*pair) is None] == []


@pytest.fixture
def demo(db: None, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    install(monkeypatch, NOON)
    build_demo(at=NOON, seed=1, patients=12)
    clinic = Clinic.objects.get()
    by = Staff.objects.get(clinic=clinic, role=Role.PRESCRIBER)
    patient = Patient.objects.filter(clinic=clinic).first()
    assert patient is not None
    row = {"clinic": clinic, "patient": patient, "at": NOON, "recorded_at": NOON, "recorded_by": by}
    coded = {**row, "code_system": "synthetic", "code": "x", "display": "Synthetic", "status": "active"}
    Problem.objects.create(**coded)
    Medication.objects.create(**coded, ingredient="synthetic")
    Allergy.objects.create(**coded)
    Caregiver.objects.create(clinic=clinic, patient=patient, name="Synthetic Carer")
    sent = {
        "file_name": "x.json",
        "state": "done",
        "patient": patient,
        "report": ImportReport(patient.pk, "K-1", False, 1).as_json(),
    }
    FhirImport.objects.create(clinic=clinic, by=by, at=NOON, progress_at=NOON, **sent)
    return clinic


def _standing(model: type[models.Model], clinic: Clinic) -> Any:
    rows = model._default_manager.filter(clinic=clinic)
    rows = rows.filter(amended_by__isnull=True) if hasattr(model, "amended_by") else rows
    if model in (Medication, Problem, Allergy):
        rows = rows.filter(status="active")
    if model is SessionEvent:
        rows = rows.filter(voided=False, session__in=Session.objects.filter(clinic=clinic))
    found = rows.order_by("-pk").first()
    assert found is not None, f"the demo has no {model.__name__}"
    return found


def _addresses(name: str, theirs: Clinic, mine: Patient | None = None) -> list[str]:
    """Return a route with real objects of one clinic; with ``mine`` also with a patient of one's own before them."""
    named = _objects(name)
    rows = {key: _standing(model, theirs) for key, model in reversed(named.items())}
    narrow = next((row for key, row in rows.items() if key != "patient_pk" and hasattr(row, "patient_id")), None)
    if narrow is not None and "patient_pk" in rows:
        rows["patient_pk"] = narrow.patient
    if "event_pk" in rows:
        rows["session_pk"] = rows["event_pk"].session
    keys = {key: rows[key].pk if key in rows else WORDS[key] for key in ROUTES[name].pattern.converters}
    found = [reverse(name, kwargs=keys)]
    if mine is not None and "patient_pk" in keys and len(rows) > 1:
        found.append(reverse(name, kwargs={**keys, "patient_pk": mine.pk}))
    return found


OF_A_CLINIC = [m for m in apps.get_models() if "clinic" in {f.name for f in m._meta.get_fields()}]


def _all_of(clinic: Clinic) -> dict[str, Any]:
    """Return what a clinic has: how many rows of what is only added to, every value of the rest."""
    found: dict[str, Any] = {"clinic": list(Clinic.objects.filter(pk=clinic.pk).values())}
    for model in OF_A_CLINIC:
        rows = model._base_manager.filter(clinic=clinic)
        found[model._meta.label] = rows.count() if issubclass(model, AppendOnly) else list(rows.order_by("pk").values())
    return found


def test_another_clinics_objects_do_not_exist(demo: Clinic) -> None:
    elsewhere = make_clinic(name="Another Synthetic Clinic")
    mine, before, open_doors = make_patient(elsewhere), _all_of(demo), []
    browser = Client(raise_request_exception=False)
    doors = [(name, address) for name in ROUTES if _objects(name) for address in _addresses(name, demo, mine)]
    for role in Role:
        browser.force_login(make_staff(elsewhere, role, is_medical_director=role is Role.PRESCRIBER).user)
        for name, address in doors:
            answers = (browser.get(address).status_code, browser.post(address, POSTED).status_code)
            if not set(answers) <= {403, 404, 405}:
                open_doors.append(f"{role} at {name} {address}: {answers}")
        assert _all_of(demo) == before, role
    assert open_doors == []


def test_their_own_clinic_finds_the_same_objects(demo: Clinic) -> None:
    """Without this, an object nobody finds would make the test of the doors pass."""
    browser, lost = Client(), []
    for name in ROUTES:
        if not _objects(name):
            continue
        role = next(role for role in Role if may(role, GUARDED[name].callback.permission))
        browser.force_login(Staff.objects.filter(clinic=demo, role=role).first().user)
        (address,) = _addresses(name, demo)
        answer = browser.get(address).status_code
        answer = browser.post(address, POSTED).status_code if answer == 405 else answer
        if answer not in (200, 302, 400, 409, 422):
            lost.append(f"{role} at {name} {address}: {answer}")
    assert lost == []


def test_what_names_no_row_changes_no_other_clinic(demo: Clinic) -> None:
    elsewhere = make_clinic(name="Another Synthetic Clinic")
    before, browser = _all_of(demo), Client(raise_request_exception=False)
    for role in Role:
        browser.force_login(make_staff(elsewhere, role, is_medical_director=role is Role.PRESCRIBER).user)
        for name in (name for name in GUARDED if not _objects(name)):
            words = {key: WORDS[key] for key in ROUTES[name].pattern.converters}
            browser.post(reverse(name, kwargs=words), {**POSTED, "do": "sign", "read": "yes"})
    assert _all_of(demo) == before


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
