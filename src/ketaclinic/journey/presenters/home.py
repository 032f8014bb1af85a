"""First pages, by role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ketaclinic.people.models import Staff
from ketaclinic.people.permissions import Role


def _nothing(staff: Staff, at: datetime, opened: str) -> Any:
    return None


FIRST_PAGES: dict[Role, Callable[[Staff, datetime, str], Any]] = dict.fromkeys(Role, _nothing)
