"""Reading the environment: one sentence names the variable that cannot be understood, and what it may be."""

from __future__ import annotations

import os
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
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
    size = _number(name, default)
    if not 0.001 <= size <= 10_000:
        raise ImproperlyConfigured(f"{name} must be a number of MB above 0, at most 10000")
    return int(size * 1024 * 1024)


def whole(name: str, default: int, most: int, least: int = 1) -> int:
    """Return a whole number from ``least`` to ``most``; raises ``ImproperlyConfigured`` for anything else."""
    told = os.environ.get(name, "").strip() or str(default)
    if not (told.isdecimal() and least <= int(told) <= most):
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}")
    return int(told)


def words(name: str) -> tuple[str, ...]:
    """Return what is listed with commas between."""
    return tuple(word.strip() for word in os.environ.get(name, "").split(",") if word.strip())


def folder(name: str, default: Path) -> Path:
    """Return a folder; it need not exist yet."""
    return Path(os.environ.get(name) or default).absolute()


_as_server = False


def connect_as_server() -> None:
    """Let this process speak to the database as the server does; called before the settings are read."""
    global _as_server  # noqa: PLW0603  the settings are read once a process, and this decides how
    _as_server = True


def is_server() -> bool:
    """Return whether this process is the server, not a command of the owner of the data."""
    return _as_server


OWNER_ACTS = "-c ketaclinic.owner=on"
"""Opens the owner's door in the row-level security of PostgreSQL; without effect for any other role."""


def minutes(name: str, default: int, longest: int) -> timedelta:
    """Return a length of time from a number of minutes; raises ``ImproperlyConfigured`` outside 1 to ``longest``."""
    told = os.environ.get(name, str(default)).strip()
    if not told.isdecimal() or not 1 <= int(told) <= longest:
        raise ImproperlyConfigured(f"{name} must be a whole number of minutes from 1 to {longest}")
    return timedelta(minutes=int(told))


def number(name: str, default: float, least: float, most: float) -> float:
    """Return a number between two bounds; raises ``ImproperlyConfigured`` for anything else."""
    told = _number(name, default)
    if not least <= told <= most:
        raise ImproperlyConfigured(f"{name} must be a number from {least:g} to {most:g}")
    return told


def contact(name: str) -> str:
    """Return an address to write to or to ring, empty if none is set; raises ``ImproperlyConfigured`` for another."""
    told = os.environ.get(name, "").strip()
    if told and (not told.startswith(("https://", "mailto:", "tel:")) or not told.isprintable() or " " in told):
        raise ImproperlyConfigured(f"{name} must begin with https://, mailto: or tel:")
    return told


def networks(name: str, default: str = "") -> tuple[IPv4Network | IPv6Network, ...]:
    """Return addresses or networks, comma separated; raises ``ImproperlyConfigured`` for what is neither."""
    told = [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]
    try:
        return tuple(ip_network(part) for part in told)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must hold addresses or networks, as 10.0.0.1 or 10.0.0.0/24") from error


def _number(name: str, default: float) -> float:
    try:
        return float(os.environ.get(name, "") or default)
    except ValueError:
        return float("nan")


def database(default: str) -> dict[str, Any]:
    """Return the database of this process; raises ``ImproperlyConfigured`` for an address nobody understands.

    The server connects to ``DATABASE_URL``; commands connect to ``KETACLINIC_OWNER_URL`` where that is given.
    """
    server, owner = _at("DATABASE_URL", default), _at("KETACLINIC_OWNER_URL", default)
    shared = not os.environ.get("KETACLINIC_OWNER_URL")
    chosen = server if is_server() or shared else owner
    if chosen["ENGINE"] != POSTGRESQL:
        return chosen
    options = chosen.setdefault("OPTIONS", {})
    if not is_server():
        options["options"] = f"{options.get('options', '')} {OWNER_ACTS}".strip()
    return chosen


def server_sign_in() -> tuple[str, str]:
    """Return the role and the password of the server where they are not the owner's, or nothing."""
    if not os.environ.get("KETACLINIC_OWNER_URL"):
        return "", ""
    server = _at("DATABASE_URL", "sqlite:///none")
    return str(server.get("USER", "")), str(server.get("PASSWORD", ""))


POSTGRESQL = "django.db.backends.postgresql"


def _at(name: str, default: str) -> dict[str, Any]:
    try:
        return dict(dj_database_url.parse(os.environ.get(name) or default, conn_max_age=600))
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} is not understood; write postgres://USER:PASSWORD@HOST/NAME or sqlite:///FILE"
        ) from error
