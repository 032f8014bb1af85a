"""What the request under way is, and what it has opened so far; read by whoever writes the log."""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.db import models
from django.http import HttpRequest

from ketaclinic.config.proxies import client_address


@dataclass(frozen=True, slots=True)
class Opened:
    """One object that a request asked for: its type, its key, and whose it is where it is a patient's."""

    object_type: str
    object_id: str
    patient_id: int | None = None


@dataclass(slots=True)
class Noted:
    """One request: where it came from, where it goes, what it opened or asked for in vain, how many people it showed.

    ``written``: how many entries of their own actions have written.
    ``device`` is a digest of the session's key: it tells two tablets apart and opens neither.
    """

    from_address: str = ""
    device: str = ""
    route: str = ""
    request_id: str = ""
    opened: list[Opened] = field(default_factory=list)
    missing: list[Opened] = field(default_factory=list)
    people: int | None = None
    written: int = 0


_now: ContextVar[Noted | None] = ContextVar("what the request under way has opened", default=None)
NOTHING = Noted()
"""What is known outside a request: nothing."""


def begin(request: HttpRequest) -> Noted:
    """Note a request that has just come in; what is done until ``end`` belongs to it."""
    key = getattr(getattr(request, "session", None), "session_key", None)
    noted = Noted(
        from_address=client_address(request),
        device=sha256(key.encode()).hexdigest()[:16] if key else "",
        request_id=secrets.token_hex(8),
    )
    _now.set(noted)
    return noted


def end() -> None:
    """Forget the request."""
    _now.set(None)


def under_way() -> Noted | None:
    """Return the request under way, or ``None`` outside of one."""
    return _now.get()


def entries_written() -> int:
    """Return how many entries the actions of the request under way have written."""
    noted = _now.get()
    return noted.written if noted is not None else 0


def note_opened(row: models.Model) -> None:
    """Note that an object was opened."""
    noted = _now.get()
    if noted is not None:
        noted.opened.append(Opened(row._meta.label, str(row.pk), _patient_of(row)))


def note_missing(model: type[models.Model], key: object) -> None:
    """Note that an object was asked for that does not exist, or not for whoever asked."""
    noted = _now.get()
    if noted is not None:
        noted.missing.append(Opened(model._meta.label, str(key)))


def note_people(number: int) -> None:
    """Note how many people a list shows; of a list one entry is written, not one for each of them."""
    noted = _now.get()
    if noted is not None:
        noted.people = (noted.people or 0) + number


def _patient_of(row: Any) -> int | None:
    own: int | None = row.pk if row._meta.label == "people.Patient" else getattr(row, "patient_id", None)
    return own
