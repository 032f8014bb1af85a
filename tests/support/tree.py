"""The source tree, for tests that look at the house itself."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from ketacore.evidence import Rule, RuleSet, load_rules
from ketacore.scales import SCALES

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "src/ketacore"
CLINIC = ROOT / "src/ketaclinic"
REFERENCE = ROOT.parent / "shared/clinical"
"""Where the clinical reference lies beside a checkout that has one."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*.py") if "migrations" not in p.parts)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(file: Path) -> set[str]:
    """Return every module a file imports, and every name it imports from one, dotted."""
    found: set[str] = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def functions_in(file: Path) -> Iterator[Function]:
    yield from (node for node in ast.walk(parsed(file)) if isinstance(node, Function))


def length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def non_blank_lines(file: Path) -> int:
    return sum(1 for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


def layers(contract: str) -> list[str]:
    """Return the rooms of one import contract from the ground up, as ``.importlinter`` orders them."""
    reader = configparser.ConfigParser()
    reader.read(ROOT / ".importlinter")
    return list(reversed(reader[f"importlinter:contract:{contract}"]["layers"].split()))


@cache
def rule_sets() -> tuple[RuleSet, ...]:
    """Return the rules of every room of the core that has any."""
    rooms = [room for room in layers("core-rooms") if _has_rules(room)]
    return tuple(load_rules(room) for room in rooms)


def all_rules() -> list[tuple[str, Rule]]:
    """Return every rule with its room."""
    of_rooms = [(rules.room, rule) for rules in rule_sets() for rule in rules]
    return of_rooms + [("scales", rule) for scale in SCALES.values() for rule in scale.rules]


def _has_rules(room: str) -> bool:
    folder = resources.files("ketacore") / room / "data"
    return folder.is_dir() and any(f.name.startswith("rules") for f in folder.iterdir())
