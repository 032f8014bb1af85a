"""Small functions, small files: the limits of the house."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from tests.support.tree import CLINIC, CORE, functions_in, length, non_blank_lines, python_files

LIMITS = {CORE: (50, 400), CLINIC: (60, 500)}


@pytest.mark.parametrize("package", [CORE, CLINIC], ids=["core", "clinic"])
def test_functions_are_small(package: Path) -> None:
    limit, _ = LIMITS[package]
    found = [
        (length(f), f"{file.relative_to(package)}:{f.name}")
        for file in python_files(package)
        for f in functions_in(file)
    ]
    assert [name for lines, name in found if lines > limit] == []
    assert median(lines for lines, _ in found) <= 8


@pytest.mark.parametrize("package", [CORE, CLINIC], ids=["core", "clinic"])
def test_files_are_small(package: Path) -> None:
    _, limit = LIMITS[package]
    assert [str(f.relative_to(package)) for f in python_files(package) if non_blank_lines(f) > limit] == []


def test_tests_weigh_more_than_the_code_they_prove() -> None:
    root = CORE.parents[1]
    code = sum(non_blank_lines(f) for f in python_files(root / "src"))
    tests = sum(non_blank_lines(f) for f in python_files(root / "tests"))
    assert tests >= 0.35 * code
