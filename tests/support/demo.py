"""The demo clinic for tests that only need one: built once in a run, afterwards written row by row as it was."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models

from ketaclinic.config.distribution import learn_distribution
from ketaclinic.demo.build import build_demo
from ketaclinic.people.models import Clinic
from tests.support.ready import ready

Rows = dict[str, Any]
_FILE = "rows.pickle"


def demo_clinic(*, at: datetime, seed: int = 1, patients: int = 12) -> Clinic:
    """Return the clinic of ``build_demo`` as the only one, every row as when first built in this run."""
    assert not Clinic.objects.exists(), "the rows are those of a clinic that was the first"

    def build(folder: Path) -> None:
        empty = [table for table in _tables() if _is_empty(table)]
        build_demo(at=at, seed=seed, patients=patients)
        rows = {table: rows for table in empty if (rows := _rows(table))}
        (folder / _FILE).write_bytes(pickle.dumps(rows))

    kept = ready(f"demo-{connection.vendor}-{at:%Y%m%dT%H%M%S}-{seed}-{patients}", build)
    if not Clinic.objects.exists():
        _write_all(pickle.loads((kept / _FILE).read_bytes()))
    return Clinic.objects.get()


def _write_all(kept: Rows) -> None:
    for table, rows in kept.items():
        _write(table, rows)
    _go_on_counting()
    learn_distribution()


def _models() -> Iterable[type[models.Model]]:
    return apps.get_models(include_auto_created=True)


def _tables() -> list[str]:
    return [model._meta.db_table for model in _models() if model._meta.managed]


def _is_empty(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT 1 FROM "{table}" LIMIT 1')
        return cursor.fetchone() is None


def _rows(table: str) -> Any:
    """Return all rows of a table in the form in which the database takes them back fastest."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" TO STDOUT') as out:
                return b"".join(bytes(part) for part in out)
        cursor.execute(f'SELECT * FROM "{table}"')
        return cursor.fetchall()


def _write(table: str, rows: Any) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" FROM STDIN') as into:
                into.write(rows)
        else:
            places = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f'INSERT INTO "{table}" VALUES ({places})', rows)


def _go_on_counting() -> None:
    """Let the next row of each table get a number that is free; SQLite sees to that itself."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(_models())):
            cursor.execute(statement)
