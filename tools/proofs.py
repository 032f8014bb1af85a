"""Test ids as proofs: which tests there are, which are named by the safety case, and whether they ran and passed.

A proof is written as pytest writes it, without parameters: ``tests/core/treatment/test_gates.py::test_x`` or
``tests/clinic/screening/test_facts.py::TestMedicines::test_x``.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
SAFETY = ROOT / "docs/safety"
SOURCES = ("absent.toml", "hazards.toml", "asvs.toml")
"""The files of the safety case that name tests, each under a key ``tests``."""


@cache
def known_tests() -> frozenset[str]:
    """Return the id of every test in the tree, read without running anything."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return frozenset(f"{file.relative_to(ROOT).as_posix()}::{name}" for file in files for name in _names(file))


def _names(file: Path) -> Iterator[str]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from (f"{node.name}::{name}" for name in _methods(node))


def _methods(node: ast.ClassDef) -> Iterator[str]:
    yield from (n.name for n in node.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_"))


def named_tests(folder: Path = SAFETY) -> dict[str, list[str]]:
    """Return every test id that the safety case names, each with the files that name it."""
    found: dict[str, list[str]] = {}
    for source in SOURCES:
        for test in _tests_in(tomllib.loads((folder / source).read_text(encoding="utf-8"))):
            found.setdefault(test, []).append(source)
    return found


def _tests_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value.get("tests", [])
        yield from (test for key, inner in value.items() if key != "tests" for test in _tests_in(inner))
    elif isinstance(value, list):
        yield from (test for inner in value for test in _tests_in(inner))


def unproved(wanted: Iterable[str], reports: Iterable[Path]) -> list[str]:
    """Return one line for each wanted test that no report shows as run, or that any report shows as not passed."""
    passed, bad = set(), set()
    for report in reports:
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            spoiled = any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
            (bad if spoiled else passed).add(_id(case))
    return [
        f"{test}: {'did not pass' if test in bad else 'did not run'}"
        for test in sorted(set(wanted))
        if test in bad or test not in passed
    ]


def _id(case: ElementTree.Element) -> str:
    """Return the id of a case of a report: ``tests.core.test_x.TestY`` and ``test_z[1]`` become one path."""
    *folders, last = case.get("classname", "").split(".")
    classes = [last] if last.startswith("Test") else []
    path = "/".join([*folders, *([] if classes else [last])]) + ".py"
    return "::".join([path, *classes, case.get("name", "").split("[", 1)[0]])
