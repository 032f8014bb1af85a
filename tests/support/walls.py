"""Takes down, for the cleaning up after a test alone, what keeps the audit log from being deleted."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import TransactionTestCase

from ketaclinic.audit.walls import DOWN, UP

_clean_up = TransactionTestCase._fixture_teardown


def walls(statements: dict[str, tuple[str, ...]]) -> None:
    """Put the wall up (``UP``) or take it down (``DOWN``)."""
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement)


def _clean_up_with_the_walls_down(self: Any) -> None:
    walls(DOWN)
    try:
        _clean_up(self)
    finally:
        walls(DOWN)
        walls(UP)


TransactionTestCase._fixture_teardown = _clean_up_with_the_walls_down  # type: ignore[method-assign]
