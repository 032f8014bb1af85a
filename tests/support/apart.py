"""What one test leaves behind in its process or data folder must not meet another. A pytest plugin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from ketaclinic.record.trouble import standing


@pytest.fixture(scope="session", autouse=True)
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give each process of a run a data folder of its own: processes that serve one clinic share signs in it."""
    settings.DATA = tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def _writing_works_again() -> Iterator[None]:
    """End a trouble with the disk that a test made up; a page would try for itself, also in a test without database."""
    yield
    standing.ends()
