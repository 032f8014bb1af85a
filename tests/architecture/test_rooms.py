"""The rooms stand in the order of the pathway, and nothing else stands between them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from importlinter.cli import lint_imports

from tests.support.tree import CLINIC, CORE, ROOT, imported, layers, parsed, python_files

STAGES = layers("clinic-rooms")[layers("clinic-rooms").index("screening") : layers("clinic-rooms").index("interfaces")]
ALLOWED = {
    "__init__",
    "actions",
    "apps",
    "facts",
    "forms",
    "migrations",
    "models",
    "permissions",
    "presenters",
    "queries",
    "static",
    "templates",
    "templatetags",
    "urls",
    "views",
    "data",
    "context",
}
"""What may stand inside a stage of the clinic; a file past its size limit becomes a folder of the same name."""


def test_imports_follow_the_contracts() -> None:
    assert lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True) == 0


def test_every_package_has_its_place_in_the_contracts() -> None:
    assert {p.name for p in CORE.iterdir() if (p / "__init__.py").exists()} | {"cli"} == set(layers("core-rooms"))
    assert {p.name for p in CLINIC.iterdir() if (p / "__init__.py").exists()} == set(layers("clinic-rooms"))


def test_django_knows_the_same_order() -> None:
    order = layers("clinic-rooms")
    rooms = [name.split(".")[1] for name in settings.STAGES]
    assert rooms == sorted(rooms, key=order.index)


def test_no_foreign_key_points_from_an_earlier_room_to_a_later_one() -> None:
    order = {name: number for number, name in enumerate(settings.STAGES)}
    backwards = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and model._meta.app_config.name in order
        and field.related_model._meta.app_config.name in order
        and order[field.related_model._meta.app_config.name] > order[model._meta.app_config.name]
    ]
    assert backwards == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_holds_only_what_a_stage_may_hold(stage: str) -> None:
    found = {p.name.removesuffix(".py") for p in (CLINIC / stage).iterdir() if p.name != "__pycache__"}
    assert found - ALLOWED == set()


def _rooms() -> list[Path]:
    return [p for package in (CORE, CLINIC) for p in sorted(package.iterdir()) if (p / "__init__.py").exists()]


@pytest.mark.parametrize("room", _rooms(), ids=lambda p: f"{p.parent.name}.{p.name}")
def test_a_room_says_what_it_is_for(room: Path) -> None:
    assert len(ast.get_docstring(parsed(room / "__init__.py")) or "") > 20


@pytest.mark.parametrize("room", _rooms(), ids=lambda p: f"{p.parent.name}.{p.name}")
def test_a_room_exists_only_with_content(room: Path) -> None:
    content = [
        p for p in room.rglob("*.py") if p.name not in ("__init__.py", "apps.py") and "migrations" not in p.parts
    ]
    assert any(len(parsed(p).body) > 1 for p in content)


@pytest.mark.parametrize("room", [*layers("core-rooms")[2:-1]])
def test_every_decision_has_its_test(room: str) -> None:
    assert (ROOT / "tests/core" / room).is_dir() or (ROOT / "tests/spec" / room).is_dir()


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_its_test(stage: str) -> None:
    assert list((ROOT / "tests/clinic" / stage).glob("test_*.py"))


MAY_KNOW_A_MODEL = {"presenters", "pkpd", "cli"}


def test_nothing_that_writes_or_decides_knows_a_model() -> None:
    """A computed concentration explains: it is drawn and printed, and enters no form, no row and no decision."""
    knowing = [
        f"{file.relative_to(CLINIC)} imports {name}"
        for file in python_files(CLINIC)
        if not MAY_KNOW_A_MODEL & {*file.relative_to(CLINIC).parts, file.stem}
        for name in imported(file)
        if name.startswith(("ketacore.pkpd", "ketaclinic.pkpd"))
    ]
    assert knowing == []
    deciding = [room for room in layers("core-rooms") if room not in {"pkpd", "cli"}]
    assert [
        f"{file.relative_to(CORE)} imports {name}"
        for room in deciding
        for file in python_files(CORE / room)
        for name in imported(file)
        if name.startswith("ketacore.pkpd")
    ] == []
