"""A PostgreSQL cluster as a clinic should run it: an owner of the tables, a role for the server, two clinics."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.db import models

from ketaclinic.config.wall.policies import House, Model, Policy
from tests.support.ready import ready, without_ours
from tests.support.tree import ROOT
from tools.postgres import Cluster, cluster

KETACLINIC = str(Path(sys.executable).parent / "ketaclinic")
MINE, THEIRS = 1, 2
"""Two clinics. ``Walled.fill`` gives each one row in every table; its key is the clinic's number."""


@dataclass(frozen=True, slots=True)
class Walled:
    """One database behind the wall, and the three who may connect to it."""

    superuser: str
    owner: str
    server: str
    data: Path
    cluster: Cluster

    @property
    def environment(self) -> dict[str, str]:
        """What commands and the server are told."""
        ours = {"KETACLINIC_DATA": str(self.data), "KETACLINIC_OWNER_URL": self.owner, "DATABASE_URL": self.server}
        return {**without_ours(os.environ), **ours}

    def command(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run ``ketaclinic`` with these settings."""
        environment = {**self.environment, **settings}
        return subprocess.run(
            [KETACLINIC, *words], env=environment, capture_output=True, text=True, timeout=180, check=False
        )

    def as_server(self, name: str, **settings: str) -> Any:
        """Run a function of ``tests.support.as_server`` in a process that connects as the server; return its answer."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.as_server", name],
            cwd=ROOT,
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def fill(self) -> None:
        """Give both clinics one row in every table behind the wall; what a row must mean is left aside."""
        with psycopg.connect(self.superuser) as connection:
            connection.execute("SET session_replication_role = replica")
            for table, name in connection.execute(
                "SELECT conrelid::regclass, conname FROM pg_constraint "
                "WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conname NOT LIKE 'ketaclinic_wall%'"
            ).fetchall():
                connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            for model in House().behind:
                for clinic in (MINE, THEIRS):
                    _insert(connection, model, row_of(model, clinic))
                table, key = model._meta.db_table, model._meta.pk.column
                connection.execute("SELECT setval(pg_get_serial_sequence(%s, %s), 1000)", [table, key])


@contextmanager
def walled(data: Path, *, durable: bool = False, demo: bool = False) -> Iterator[Walled]:
    """Yield a database that ``ketaclinic database roles`` has made ready, empty or with a small demo clinic in it.

    Its cluster is gone afterwards.
    """
    kept = ready("walled demo", _keep_demo) if demo else ready("walled", _keep_empty)
    with _copied(kept, data, durable=durable) as house:
        yield house


@contextmanager
def _copied(kept: Path, data: Path, *, durable: bool) -> Iterator[Walled]:
    shutil.copytree(kept / "var", data, dirs_exist_ok=True)
    with cluster(durable=durable, kept=kept / "cluster") as made:
        yield _house(made, data, "clinic", "kc")


def _keep_empty(folder: Path) -> None:
    with cluster() as made:
        house = unbuilt(made, folder / "var")
        _succeed(house, "database", "roles")
        made.copy_to(folder / "cluster")


def _keep_demo(folder: Path) -> None:
    with _copied(ready("walled", _keep_empty), folder / "var", durable=False) as house:
        _succeed(house, "demo", "--patients", "12")
        house.cluster.copy_to(folder / "cluster")


def _succeed(house: Walled, *words: str) -> None:
    done = house.command(*words)
    assert done.returncode == 0, done.stderr


def unbuilt(made: Cluster, data: Path, name: str = "clinic", roles: str = "kc") -> Walled:
    """Make an owner and an empty database of theirs, as docs/guide/postgresql.md begins."""
    base = made.url.rsplit("/", 1)[0]
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [f"{roles}_owner"]).fetchone():
            connection.execute(f"CREATE ROLE {roles}_owner LOGIN CREATEROLE")  # type: ignore[call-overload]
        connection.execute(f"CREATE DATABASE {name} OWNER {roles}_owner")  # type: ignore[call-overload]
    return _house(made, data, name, roles)


def _house(made: Cluster, data: Path, name: str, roles: str) -> Walled:
    base = made.url.rsplit("/", 1)[0]
    owner, server = (base.replace("//ketaclinic@", f"//{roles}_{who}@") + f"/{name}" for who in ("owner", "server"))
    return Walled(f"{base}/{name}", owner, server, data, made)


def keys() -> dict[str, str]:
    """Return the column of the key of every table behind the wall."""
    return {model._meta.db_table: str(model._meta.pk.column) for model in House().behind}


def policies() -> list[Policy]:
    """Return the policies of every table behind the wall."""
    return [policy for policy in House().policies() if policy.walled and policy.read != "false"]


def row_of(model: Model, clinic: int, **others: Any) -> dict[str, Any]:
    """Return a row of a clinic with a value for every column that needs one; what it names has the same number."""
    fields = [f for f in model._meta.concrete_fields if not _left_out(f)]
    return {f.column: others.get(f.column, _value(f, clinic)) for f in fields}


def _left_out(field: models.Field[Any, Any]) -> bool:
    points_home = field.is_relation and field.related_model is field.model
    return points_home or (field.null and not field.is_relation and field.column != "clinic_id")


def _value(field: models.Field[Any, Any], number: int) -> Any:
    kind = field.get_internal_type()
    if field.is_relation or field.primary_key or kind.endswith("IntegerField"):
        return number
    if field.has_default() and kind != "JSONField":
        return field.get_default()
    if field.choices and not callable(field.choices):
        return field.flatchoices[0][0]
    simple: dict[str, Any] = {
        "BooleanField": False,
        "DateField": date(2026, 1, number),
        "DateTimeField": datetime(2026, 1, number, tzinfo=UTC),
        "FloatField": 1.0,
        "DecimalField": 1,
        "JSONField": "{}",
        "UUIDField": UUID(int=number),
        "BinaryField": b"x",
        "DurationField": "1 minute",
        "TimeField": "08:00",
        "GenericIPAddressField": "192.0.2.1",
    }
    return simple.get(kind, f"{number}")


def _insert(connection: Any, model: Model, row: dict[str, Any]) -> None:
    insert(connection, model._meta.db_table, row)


def insert(connection: Any, table: str, row: dict[str, Any]) -> None:
    """Write one row in SQL, past everything that stands in Python."""
    columns, places = ", ".join(f'"{name}"' for name in row), ", ".join(["%s"] * len(row))
    connection.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({places})', list(row.values()))
