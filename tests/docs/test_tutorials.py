"""Every example of a tutorial is run, and prints what the page says it prints."""

from __future__ import annotations

import doctest

import pytest

from tests.support.tree import ROOT

PAGES = sorted(path.name for path in (ROOT / "docs/guide").glob("*.md") if ">>>" in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("tutorial", PAGES)
def test_the_examples_of_a_tutorial_hold(tutorial: str, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = doctest.testfile(str(ROOT / "docs/guide" / tutorial), module_relative=False, encoding="utf-8")
    assert outcome.failed == 0 and outcome.attempted > 0, capsys.readouterr().out


def test_pharmacology_is_a_tutorial() -> None:
    assert "pharmacology.md" in PAGES
