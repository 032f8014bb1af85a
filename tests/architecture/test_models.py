"""Clinical rows are append-only and belong to a clinic; pages never query; migrations keep step."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, models
from django.db.transaction import atomic

from ketaclinic.audit.models import AppendOnly, AppendOnlyError, AppendOnlyQuerySet
from ketaclinic.people.models import Patient, Staff
from ketaclinic.record.models import StoredDecision
from tests.support.people import NOON
from tests.support.tree import CLINIC, layers, parsed, python_files

ROOMS = layers("clinic-rooms")
PATHWAY = ROOMS[ROOMS.index("record") : ROOMS.index("interfaces")]
ABOUT_REQUESTS = {"record.IntentAnswer", "record.WriteTrial"}
"""What was answered to a request, kept for some days, and the trial of a disk: no record of a patient."""
CLINICAL = [
    model
    for model in apps.get_models()
    if model._meta.app_config.name in settings.STAGES
    and model._meta.app_config.name.split(".")[1] in PATHWAY
    and model._meta.label not in ABOUT_REQUESTS
]
APPEND_ONLY = [model for model in apps.get_models() if issubclass(model, AppendOnly)]


@pytest.mark.parametrize("model", CLINICAL, ids=lambda m: m._meta.label)
def test_a_clinical_row_is_only_ever_added_to(model: type[models.Model]) -> None:
    assert issubclass(model, AppendOnly)
    assert isinstance(model._default_manager.all(), AppendOnlyQuerySet)


def _ways_to_change(model: type[models.Model]) -> list[Callable[[], object]]:
    rows, row = model._default_manager, model(pk=1)
    row._state.adding = False
    return [
        lambda: rows.update(pk=2),
        lambda: rows.filter(pk=1).update(pk=2),
        lambda: rows.bulk_update([row], ["id"]),
        lambda: rows.update_or_create(pk=1),
        lambda: rows.bulk_create([row], update_conflicts=True, update_fields=["id"], unique_fields=["id"]),
        lambda: rows.filter(pk=1).delete(),
        row.save,
        lambda: row.save(update_fields=["id"]),
        row.delete,
    ]


@pytest.mark.parametrize("model", APPEND_ONLY, ids=lambda m: m._meta.label)
def test_every_way_to_change_a_clinical_row_is_refused(model: type[models.Model]) -> None:
    for change in _ways_to_change(model):
        with pytest.raises(AppendOnlyError, match=f"{model.__name__} rows are never"):
            change()


def test_a_new_object_does_not_write_over_a_row_by_naming_its_key(patient: Patient, nurse: Staff) -> None:
    row = {"clinic": patient.clinic, "patient": patient, "at": NOON, "recorded_at": NOON, "recorded_by": nurse}
    said = {"room": "x", "question": "x", "outcome": "before", "rule_pack": "x", "facts": {}, "decision": {}}
    kept = StoredDecision.objects.create(**row, **said)
    with pytest.raises(IntegrityError), atomic():
        StoredDecision(pk=kept.pk, **row, **{**said, "outcome": "after"}).save()
    assert StoredDecision.objects.get().outcome == "before"


@pytest.mark.parametrize("model", CLINICAL, ids=lambda m: m._meta.label)
def test_a_clinical_row_belongs_to_a_clinic(model: type[models.Model]) -> None:
    assert "clinic" in {field.name for field in model._meta.get_fields()}


@pytest.mark.parametrize("model", CLINICAL, ids=lambda m: m._meta.label)
def test_nothing_is_deleted_with_something_else(model: type[models.Model]) -> None:
    keys = [f for f in model._meta.get_fields() if isinstance(f, models.ForeignKey)]
    assert [f.name for f in keys if f.remote_field.on_delete is not models.PROTECT] == []


def _pages() -> list[Path]:
    return [f for f in python_files(CLINIC) if f.name == "views.py" or "views" in f.parent.parts]


@pytest.mark.parametrize("file", _pages(), ids=lambda p: str(p.relative_to(CLINIC)))
def test_views_never_query(file: Path) -> None:
    attributes = {node.attr for node in ast.walk(parsed(file)) if isinstance(node, ast.Attribute)}
    assert "objects" not in attributes


def _writes(node: ast.FunctionDef) -> bool:
    return any("atomic" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_actions_name_who_and_when() -> None:
    """Every public function of ``actions`` that writes takes keywords only, among them ``by`` and ``at``."""
    loose = []
    for file in [f for room in PATHWAY for f in python_files(CLINIC / room)]:
        if file.stem != "actions" and file.parent.name != "actions":
            continue
        for node in parsed(file).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _writes(node):
                keywords = {a.arg for a in node.args.kwonlyargs}
                if node.args.args or not {"by", "at"} <= keywords:
                    loose.append(f"{file.relative_to(CLINIC)}:{node.name}")
    assert loose == []


@pytest.mark.django_db
def test_migrations_keep_step_with_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
