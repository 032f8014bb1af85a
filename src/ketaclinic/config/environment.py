"""Reading the environment: one sentence names the variable that cannot be understood, and what it may be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured


def data_folder() -> Path:
    """Return the folder of the data (``KETACLINIC_DATA``); it need not exist yet."""
    return Path(os.environ.get("KETACLINIC_DATA") or "var").absolute()


def switch(name: str) -> bool:
    """Return whether a switch is on; raises ``ImproperlyConfigured`` for anything but 0 and 1."""
    told = os.environ.get(name, "0").strip() or "0"
    if told not in ("0", "1"):
        raise ImproperlyConfigured(f"{name} must be 0 or 1")
    return told == "1"


def megabytes(name: str, default: int) -> int:
    """Return a size in bytes from a number of MB; raises ``ImproperlyConfigured`` for what is no size."""
    told = os.environ.get(name, str(default))
    try:
        size = float(told)
    except ValueError:
        size = 0.0
    if not 0.001 <= size <= 10_000:
        raise ImproperlyConfigured(f"{name} must be a number of MB above 0, at most 10000")
    return int(size * 1024 * 1024)


def database(default: str) -> dict[str, Any]:
    """Return the database (``DATABASE_URL``); raises ``ImproperlyConfigured`` for an address nobody understands."""
    try:
        return dict(dj_database_url.config(default=default, conn_max_age=600))
    except ValueError as error:
        raise ImproperlyConfigured(
            "DATABASE_URL is not understood; write postgres://USER:PASSWORD@HOST/NAME or sqlite:///FILE"
        ) from error
