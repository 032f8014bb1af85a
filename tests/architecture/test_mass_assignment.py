"""Fields nobody asked for have no effect: not in a form, not in the address, not with the keys of somebody else's rows.

Each route that takes input is sent its valid example twice, once with every field name of every model beside it. The
rows that are stored must be the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.test import Client

from ketaclinic.audit.models import AppendOnly
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import Role
from tests.support.figures import write_figures
from tests.support.inputs import EXAMPLES, Example, address_of, send
from tests.support.people import make_clinic, make_patient, make_staff
from tests.support.two_clinics import MINE, Home, found, held, taken_back

pytestmark = pytest.mark.django_db

OF_THE_REQUEST = {"record.Intent", "record.IntentAnswer", "access.Presence"}
"""Rows that keep the request itself and who sent it, whatever it says."""
MODELS = [
    m for m in apps.get_models() if m._meta.app_config.name in settings.STAGES and m._meta.label not in OF_THE_REQUEST
]
DRAWN = {
    "id",
    "last_login",
    "date_joined",
    "progress_at",
    "password",
    "username",
    "about_id",
    "object_id",
    "device",
    "request_id",
}
"""What is drawn anew each time, or names a row by its key alone."""
ALWAYS = (
    "role",
    "is_staff",
    "is_superuser",
    "is_active",
    "is_medical_director",
    "clinic",
    "clinic_id",
    "patient",
    "patient_id",
    "patient_pk",
    "signed_by",
    "signer",
    "recorded_by",
    "told_by",
    "by",
    "owner",
    "staff",
    "user",
    "user_id",
    "synthetic",
    "amends",
    "amended_by",
    "pk",
    "id",
)
"""Names an attacker tries first, whether or not a model has such a field."""
MEANT = {
    "access:add_staff": {"is_medical_director", "email"},
    "access:change_staff": {"is_medical_director"},
    "continuity:paper_open": {"booking", "dose_mg", "dose_reason", "weight_confirmed"},
    "screening:answer": {"value"},
    "screening:correct_trial": {"ongoing"},
    "consent:sign": {"interpreter"},
    "planning:sign": {"goals", "reason"},
    "planning:change": {"goals", "reason"},
    "treatment:open": {"dose_mg", "dose_reason"},
    "treatment:record": {"at"},
    "treatment:amend": {"voided"},
}
"""Fields of a model that a route does take, and that its example leaves empty."""


@pytest.fixture(scope="module")
def home(django_db_setup: None, django_db_blocker: Any) -> Iterator[Home]:
    with held(django_db_blocker) as patch:
        yield found(MINE, 1, patch)


def _fields() -> dict[str, models.Field[Any, Any]]:
    """Return every field name of every model; the same name in several models is one name."""
    named: dict[str, models.Field[Any, Any]] = {}
    for model in MODELS:
        for field in model._meta.concrete_fields:
            named |= {field.name: field, field.attname: field}
    return named


FIELDS = _fields()


def _value(field: models.Field[Any, Any] | None, rows: dict[type[models.Model], int]) -> str:
    if isinstance(field, models.ForeignKey):
        return str(rows.get(field.related_model, 1))
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.DateTimeField):
        return "2020-01-01T00:00:00Z"
    if isinstance(field, models.DateField):
        return "2020-01-01"
    if field is not None and field.choices:
        return str(field.flatchoices[-1][0])
    return "1"


def _foreign_fields(name: str, example: Example, rows: dict[type[models.Model], int]) -> dict[str, str]:
    taken = {*example.data, *MEANT.get(name, ())}
    wanted = dict.fromkeys((*ALWAYS, *FIELDS))
    return {key: _value(FIELDS.get(key), rows) for key in wanted if key not in taken} | {
        key: Role.ADMINISTRATOR.value for key in ("role",) if key not in taken
    }


def _rows_of_others() -> dict[type[models.Model], int]:
    """Return, per model, the key of a row of mine that is about somebody else."""
    return {m: row.pk for m in MODELS if (row := m._base_manager.order_by("pk").first()) is not None}


def _rows_elsewhere() -> dict[type[models.Model], int]:
    """Return the keys of a clinic, a patient and a member of staff elsewhere."""
    elsewhere = make_clinic(name="Another Synthetic Clinic")
    rows = (elsewhere, make_patient(elsewhere), make_staff(elsewhere, Role.ADMINISTRATOR))
    return {type(row): row.pk for row in rows}


def _before() -> dict[str, Any]:
    """Return where each table ends, and every row of those that may be changed."""
    kept: dict[str, Any] = {}
    for model in MODELS:
        rows = model._base_manager.order_by("pk")
        if issubclass(model, AppendOnly):
            kept[model._meta.label] = rows.values_list("pk", flat=True).last() or 0
        else:
            kept[model._meta.label] = {row["id"]: row for row in rows.values()}
    return kept


def _written(before: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows added and changed since, without what is drawn anew; a key of an added row becomes its place."""
    added: list[tuple[type[models.Model], dict[str, Any]]] = []
    for model in MODELS:
        was = before[model._meta.label]
        rows = model._base_manager.order_by("pk")
        rows = rows.filter(pk__gt=was) if isinstance(was, int) else rows
        added += [(model, row) for row in rows.values() if isinstance(was, int) or was.get(row["id"]) != row]
    places = {(model, row["id"]): f"row {n}" for n, (model, row) in enumerate(added)}
    return [(model._meta.label, _told(model, row, places)) for model, row in added]


def _told(model: type[models.Model], row: dict[str, Any], places: dict[tuple[Any, Any], str]) -> dict[str, Any]:
    keys = {f.attname: f.related_model for f in model._meta.concrete_fields if isinstance(f, models.ForeignKey)}
    keys = {"patient_id": Patient, **keys}  # the audit log keeps bare keys
    return {
        name: places.get((keys.get(name), value), value) if isinstance(value, int) else value
        for name, value in row.items()
        if name not in DRAWN and "hash" not in name
    }


def _stored(name: str, example: Example, fields: dict[str, str], address: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Send the example, with more fields in its body or its address, and return what was written."""
    with taken_back():
        before = _before()
        for file in (value for value in example.data.values() if hasattr(value, "seek")):
            file.seek(0)
        if address:
            browser = Client()
            if example.by is not None:
                browser.force_login(example.by)
            answer = browser.post(f"{address_of(name, example)}?{address}", example.data)
        else:
            answer = send(name, example, fields)
        assert answer.status_code == example.status, answer.status_code
        return _written(before)


@pytest.mark.parametrize("name", EXAMPLES)
def test_fields_nobody_asked_for_change_nothing(home: Home, name: str) -> None:
    with taken_back():
        rows_of_others = (_rows_of_others(), _rows_elsewhere())
        example = EXAMPLES[name](home.clinic)
        plain = _stored(name, example, {})
        for rows in rows_of_others:
            fields = _foreign_fields(name, example, rows)
            assert _stored(name, example, fields) == plain
            assert _stored(name, example, {}, urlencode(fields)) == plain


def test_what_is_meant_is_really_stored(home: Home) -> None:
    """Without this, a comparison that sees nothing would find everything the same."""
    with taken_back():
        example = EXAMPLES["people:register"](home.clinic)
        (_label, row), *_rest = [r for r in _stored("people:register", example, {}) if r[0] == "people.Patient"]
        assert (row["family_name"], row["birth_date"]) == ("Newcomer", date(1980, 2, 3))
        changed = _stored("people:register", example, {"sex": "male"})
        assert changed != _stored("people:register", example, {})
    assert all(isinstance(v, str | int | bool | date | datetime | Decimal | None) for v in row.values())
    write_figures("mass-assignment", {"routes": len(EXAMPLES), "names": len({*ALWAYS, *FIELDS})})
