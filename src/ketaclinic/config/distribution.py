"""Letting the database look at how the rows are spread, after many were written at once."""

from __future__ import annotations

from django.db import connection


def learn_distribution() -> None:
    """Refresh what the planner knows: without it some lists of a large clinic are searched row by row.

    SQLite never does this by itself; PostgreSQL does, but some minutes after a bulk load.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA analysis_limit=1000")
        cursor.execute("ANALYZE")
