"""Which tests a run on a second database repeats. A pytest plugin."""

from __future__ import annotations

import pytest

ONLY = "--only-on-the-database"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let ``make test`` leave out on PostgreSQL what has run on SQLite and would do the very same again."""
    parser.addoption(ONLY, action="store_true", help="leave out clinic tests that do not ask the run's own database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs no database, and what brings a server with a database of its own."""
    if config.getoption(ONLY):
        again = [item for item in items if _asks(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(again)])
        items[:] = again


def _asks(item: pytest.Item) -> bool:
    """Return whether a test asks the run's database; the servers of ``tests/faults`` are on the same kind.

    The mark ``same_on_every_database`` says of a test that it would do nothing else here, or tries all of them itself.
    """
    if item.get_closest_marker("same_on_every_database"):
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    asks = bool(fixtures & {"db", "transactional_db", "django_db_setup"}) or item.get_closest_marker("django_db")
    return bool(asks) or "faults" in item.path.parts
