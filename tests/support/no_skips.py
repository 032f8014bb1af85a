"""A skipped test is a failed test: what cannot run says so loudly. A pytest plugin."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Turn a skip into a failure."""
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """Turn a module that skips itself into a failure."""
    return _refuse_skip((yield))


def _refuse_skip(report: Any) -> Any:
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"A skipped test is a failed test: {report.longrepr}"
    return report
