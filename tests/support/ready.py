"""What takes long to make and is the same for many tests: made once in a run, by whoever comes first, and copied.

A pytest plugin. A run is one call of pytest with all its processes, or one of ``make test`` with all its parts.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.db.backends.signals import connection_created

from tests.support.tree import ROOT
from tools.run_tests import READY

TEMPLATE = "kc_migrated"
"""The database in a run's PostgreSQL cluster that each process copies its own from."""
_FILE = "ketaclinic.sqlite3"
_OWN = pytest.StashKey[str]()
NOT_OURS = (
    "DATABASE_URL",
    "KETACLINIC_SERVING",
    "KETACLINIC_SECRET_KEY",
    "KETACLINIC_DOWNTIME",
    "DJANGO_ALLOW_ASYNC_UNSAFE",
)
"""What points a command at the tests' own database, key or sheets."""


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a folder, unless whoever started it has given one."""
    if READY not in os.environ:
        # Beside the folder for temporary things, in which nothing may be left behind that names anybody.
        beside = os.environ.get("PYTEST_DEBUG_TEMPROOT")
        config.stash[_OWN] = os.environ[READY] = tempfile.mkdtemp(prefix="kc-ready-", dir=beside)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder with the run it was made for."""
    if _OWN in config.stash:
        shutil.rmtree(config.stash[_OWN], ignore_errors=True)
        os.environ.pop(READY, None)


def ready(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of this name; the first of the run to ask has ``make`` fill it, the others wait for that."""
    house = Path(os.environ[READY])
    made = house / name
    with (house / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            unfinished = house / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(made)
    return made


def without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without ``NOT_OURS``."""
    return {name: value for name, value in environment.items() if name not in NOT_OURS}


def migrated() -> Path:
    """Return a data folder with an SQLite database that is up to date and empty."""
    return ready("sqlite", lambda folder: _migrate({**without_ours(os.environ), "KETACLINIC_DATA": str(folder)}))


def _migrate(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=180)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Let each process begin with tables that are there; migrations that are missing are still run."""
    connection = connections["default"]
    if connection.vendor == "postgresql":
        connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE
        ready(TEMPLATE, lambda _: _make_template(os.environ["DATABASE_URL"]))
    else:
        connection_created.connect(_fill, dispatch_uid="ready")


def _make_template(url: str) -> None:
    base = url.rpartition("/")[0]
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")  # of an earlier run on a cluster that stays
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    _migrate({**os.environ, "DATABASE_URL": f"{base}/{TEMPLATE}"})


def _fill(connection: Any, **_: Any) -> None:
    """Copy the tables into a database of SQLite that has none yet."""
    into = connection.connection
    if into.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        with closing(sqlite3.connect(ready("in-memory", _without_log) / _FILE)) as source:
            source.backup(into)


def _without_log(folder: Path) -> None:
    """Copy the database into a form that memory can hold: there is no write-ahead log beside it."""
    with closing(sqlite3.connect(migrated() / _FILE)) as source:
        source.execute("VACUUM INTO ?", [str(folder / _FILE)])
