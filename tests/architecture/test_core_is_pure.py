"""The core has no clock, no files, no chance, no record: values in, decision out."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tree import CLINIC, CORE, layers, parsed, python_files

MODULES = {
    "os",
    "pathlib",
    "time",
    "random",
    "io",
    "socket",
    "subprocess",
    "logging",
    "django",
    "ketaclinic",
    "secrets",
}
NAMES = {"open", "print", "input", "eval", "exec", "compile", "__import__"}
CLOCK = {"now", "utcnow", "today"}


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def _called(tree: ast.Module) -> Iterator[ast.expr]:
    yield from (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize("file", python_files(CORE), ids=lambda p: str(p.relative_to(CORE)))
def test_no_clock_no_files_no_chance(file: Path) -> None:
    tree = parsed(file)
    assert set(_imported(tree)) & MODULES == set()
    plain = {call.id for call in _called(tree) if isinstance(call, ast.Name)}
    assert plain & NAMES == set()
    dotted = {call.attr for call in _called(tree) if isinstance(call, ast.Attribute)}
    assert dotted & CLOCK == set()


def test_only_pharmacokinetics_need_numpy() -> None:
    users = {file.relative_to(CORE).parts[0] for file in python_files(CORE) if "numpy" in set(_imported(parsed(file)))}
    assert users == {"pkpd"}
    others = [f"ketacore.{room}" for room in layers("core-rooms") if room != "pkpd"]
    told = f"import sys, {', '.join(others)}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0


def test_the_clinic_reads_the_clock_in_one_place_per_entry() -> None:
    """Requests read it in the middleware; commands, which are their own entry, at their start."""
    readers = {
        file.relative_to(CLINIC).parts[0]
        for file in python_files(CLINIC)
        for call in _called(parsed(file))
        if isinstance(call, ast.Attribute) and call.attr in CLOCK
    }
    assert readers <= {"people", "cli", "demo", "interfaces"}
    in_people = [file.name for file in python_files(CLINIC / "people") if "timezone.now(" in file.read_text()]
    assert in_people == ["middleware.py"]
