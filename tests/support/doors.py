"""The addresses of every route with real objects of a clinic: what tests of whole lists of routes walk through."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.urls import reverse

from ketaclinic.audit.models import AppendOnly
from ketaclinic.continuity.models import Restoration
from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.interfaces.fhir.report import ImportReport
from ketaclinic.people.actions import open_emergency
from ketaclinic.people.models import Caregiver, Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.screening.models import Allergy, Medication, Problem
from ketaclinic.treatment.models import Session, SessionEvent
from tests.support.clock import install
from tests.support.demo import demo_clinic
from tests.support.inputs import WHY
from tests.support.matrix import WORDS, named
from tests.support.people import NOON
from tests.support.routes import GUARDED, keys_of

NOBODY = 987_654_321
ONE_PATIENT = [name for name in GUARDED if "patient_pk" in keys_of(name)]


def path_of(name: str, **given: Any) -> str:
    """Return an address of a route that names nobody, but for what is given."""
    words = {key: WORDS.get(key, NOBODY) for key in keys_of(name)}
    return reverse(name, kwargs={**words, **{k: v for k, v in given.items() if k in words}})


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


def objects_of(name: str) -> dict[str, type[models.Model]]:
    """Return the objects a route names; the narrowest last."""
    return {key: model for key in keys_of(name) if (model := named(name, key)) is not None}


@pytest.fixture
def demo(db: None, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    install(monkeypatch, NOON)
    clinic = demo_clinic(at=NOON)
    add_the_rest(clinic)
    return clinic


def add_the_rest(clinic: Clinic) -> None:
    """Write one row of every kind that a demo clinic has no example of."""
    by = Staff.objects.get(clinic=clinic, role=Role.PRESCRIBER)
    patient = Patient.objects.filter(clinic=clinic).first()
    assert patient is not None
    row = {"clinic": clinic, "patient": patient, "at": NOON, "recorded_at": NOON, "recorded_by": by}
    coded = {**row, "code_system": "synthetic", "code": "x", "display": "Synthetic", "status": "active"}
    Problem.objects.create(**coded)
    Medication.objects.create(**coded, ingredient="synthetic")
    Allergy.objects.create(**coded)
    Caregiver.objects.create(clinic=clinic, patient=patient, name="Girlitz Carer")
    sent = {
        "file_name": "x.json",
        "state": "done",
        "patient": patient,
        "report": ImportReport(patient.pk, "K-1", False, 1).as_json(),
    }
    FhirImport.objects.create(clinic=clinic, by=by, at=NOON, progress_at=NOON, **sent)
    times = dict.fromkeys(("at", "backup_at", "complete_until", "missing_until"), NOON)
    Restoration.objects.create(clinic=clinic, application="1", sha256="0" * 64, **times)
    desk = Staff.objects.get(clinic=clinic, role=Role.FRONT_DESK)
    open_emergency(patient=patient, by=desk, at=NOON, reason=WHY)


def standing(model: type[models.Model], clinic: Clinic) -> Any:
    rows = model._default_manager.filter(clinic=clinic)
    rows = rows.filter(amended_by__isnull=True) if hasattr(model, "amended_by") else rows
    if model in (Medication, Problem, Allergy):
        rows = rows.filter(status="active")
    if model is SessionEvent:
        rows = rows.filter(voided=False, session__in=Session.objects.filter(clinic=clinic))
    found = rows.order_by("-pk").first()
    assert found is not None, f"the demo has no {model.__name__}"
    return found


def addresses_of(name: str, theirs: Clinic, mine: Patient | None = None) -> list[str]:
    """Return a route with real objects of one clinic; with ``mine`` also with a patient of one's own before them."""
    known = objects_of(name)
    rows = {key: standing(model, theirs) for key, model in reversed(known.items())}
    narrow = next((row for key, row in rows.items() if key != "patient_pk" and hasattr(row, "patient_id")), None)
    if narrow is not None and "patient_pk" in rows:
        rows["patient_pk"] = narrow.patient
    if "event_pk" in rows:
        rows["session_pk"] = rows["event_pk"].session
    keys = {key: rows[key].pk if key in rows else WORDS[key] for key in keys_of(name)}
    found = [reverse(name, kwargs=keys)]
    if mine is not None and "patient_pk" in keys and len(rows) > 1:
        found.append(reverse(name, kwargs={**keys, "patient_pk": mine.pk}))
    return found


OF_A_CLINIC = [m for m in apps.get_models() if "clinic" in {f.name for f in m._meta.get_fields()}]


def all_of(clinic: Clinic) -> dict[str, Any]:
    """Return what a clinic has: how many rows of what is only added to, every value of the rest."""
    found: dict[str, Any] = {"clinic": list(Clinic.objects.filter(pk=clinic.pk).values())}
    for model in OF_A_CLINIC:
        rows = model._base_manager.filter(clinic=clinic)
        found[model._meta.label] = rows.count() if issubclass(model, AppendOnly) else list(rows.order_by("pk").values())
    return found
