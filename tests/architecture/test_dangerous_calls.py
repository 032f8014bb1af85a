"""Calls through which what somebody typed could become code, a query, a pattern, a page: none takes a built string."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tree import CLINIC, CORE, ROOT, parsed, python_files

SOURCES = [*python_files(CORE), *python_files(CLINIC)]
RUNS_SQL = {"execute", "executemany", "raw", "extra", "RawSQL", "RunSQL"}
MAKES_PATTERN = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
STRONG_HASHES = {"sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "compare_digest", "file_digest"}
SQL_ROOMS = {
    "config": "lets the database learn its rows, and stands the second wall",
    "audit": "chains an entry in the statement that writes it",
    "cli": "asks the database how it stands",
    "continuity": "copies and counts whole tables",
    "record": "says how long a write waits for another one",
}
"""Where SQL may be written at all, and what for; every other room goes through the ORM."""
READS_REQUESTS = {"views", "forms", "middleware", "context"}
"""Files that see what somebody sent; none of them puts a sentence together from anything but its own words."""
SAFE_IN_TEMPLATES = {"picture"}
"""What a template may show as it is: the square code of an app, drawn by the server."""
PRIMITIVES = {"cryptography.hazmat", "Crypto", "nacl", "rsa", "ecdsa"}
WRITES_HTML = (
    r"\.(inner|outer)HTML\s*\+?=[^=]|insertAdjacentHTML\(|document\.write"
    r"|\beval\(|new Function|setAttribute\(\s*[\"']on"
)


def calls(source: ast.Module) -> Iterator[tuple[ast.Call, str, str]]:
    """Yield every call with the name called and the name of what it is called on."""
    for node in ast.walk(source):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute):
                yield node, function.attr, function.value.id if isinstance(function.value, ast.Name) else ""
            elif isinstance(function, ast.Name):
                yield node, function.id, ""


def constant(node: ast.expr) -> bool:
    """Return whether a value stands in the source: a literal, or a name written as a constant."""
    if isinstance(node, ast.Constant):
        return True
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return bool(name) and name.lstrip("_").isupper()


def at(file: Path, node: ast.AST) -> str:
    return f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def built(source: ast.Module, names: set[str], on: str = "") -> list[ast.Call]:
    """Return calls of these names whose first argument is not a constant."""
    return [
        node
        for node, name, owner in calls(source)
        if name in names and (not on or owner == on) and node.args and not constant(node.args[0])
    ]


def found(names: set[str], on: str = "") -> list[str]:
    return [at(file, node) for file in SOURCES for node in built(parsed(file), names, on)]


def test_no_sql_is_put_together_from_values() -> None:
    runs = {file for file in SOURCES for node, name, _ in calls(parsed(file)) if name in RUNS_SQL and node.args}
    rooms = {file.relative_to(CLINIC).parts[0] for file in runs if CLINIC in file.parents}
    assert rooms and rooms <= set(SQL_ROOMS) and not [file for file in runs if CORE in file.parents]
    assert [
        at(file, node) for file in runs if file.stem in ("views", "forms") for node in built(parsed(file), RUNS_SQL)
    ] == []


def test_no_pattern_is_made_from_values() -> None:
    assert found(MAKES_PATTERN, on="re") == []


def test_no_shell_runs() -> None:
    shells = [
        at(file, node)
        for file in SOURCES
        for node, name, owner in calls(parsed(file))
        if (owner, name) in {("os", "system"), ("os", "popen")} or any(k.arg == "shell" for k in node.keywords)
    ]
    assert shells == []


def test_no_template_is_made_from_values() -> None:
    makers = [at(f, n) for f in SOURCES for n, name, _ in calls(parsed(f)) if name in {"Template", "from_string"}]
    assert makers == []
    assert found({"format_html", "format_html_join"}) == []
    assert [place for place in found({"mark_safe"}) if "/design/" not in place] == []


def test_no_format_is_made_from_values() -> None:
    formats = [
        at(file, node)
        for file in SOURCES
        if file.stem in READS_REQUESTS or file.parent.name in READS_REQUESTS
        for node, name, _ in calls(parsed(file))
        if name in {"format", "format_map"} and isinstance(node.func, ast.Attribute) and not constant(node.func.value)
    ]
    assert formats == []


def test_templates_show_nothing_as_it_is() -> None:
    pages = sorted(CLINIC.rglob("*.html"))
    shown = {name for f in pages for name in re.findall(r"(\S+?)\s*\|\s*safe\b", f.read_text(encoding="utf-8"))}
    assert pages and {name.strip("{ ") for name in shown} <= SAFE_IN_TEMPLATES
    assert [str(f) for f in pages if "autoescape off" in f.read_text(encoding="utf-8")] == []


def imported(file: Path) -> Iterator[tuple[ast.AST, str]]:
    """Yield every module a file imports."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module


def test_no_weak_or_home_made_cryptography() -> None:
    weak = [
        f"{at(file, node)}: {module}"
        for file in SOURCES
        for node, module in imported(file)
        if any(module == name or module.startswith(f"{name}.") for name in PRIMITIVES)
    ]
    weak += [
        f"{at(file, node)}: {name}"
        for file in SOURCES
        for node, name, owner in calls(parsed(file))
        if owner == "hashlib" and name not in STRONG_HASHES
    ]
    assert weak == []


def test_chance_that_can_be_guessed_stays_in_the_demo() -> None:
    guessed = [str(f.relative_to(ROOT)) for f in SOURCES for _, module in imported(f) if module == "random"]
    assert guessed and all(name.startswith("src/ketaclinic/demo/") for name in guessed)


def test_scripts_write_text_only() -> None:
    scripts = sorted(CLINIC.rglob("*.js"))
    assert scripts
    assert [f"{f.relative_to(CLINIC)}" for f in scripts if re.search(WRITES_HTML, f.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("text", "names", "on"),
    [
        ("cursor.execute(f'select {name}')", RUNS_SQL, ""),
        ("rows.raw('select ' + word)", RUNS_SQL, ""),
        ("re.search(words, text)", MAKES_PATTERN, "re"),
    ],
)
def test_a_built_string_is_noticed(text: str, names: set[str], on: str) -> None:
    assert len(built(ast.parse(text), names, on)) == 1
    assert built(ast.parse("cursor.execute('select 1'); re.compile(r'x'); _PATTERN.search(words)"), names, on) == []
