"""What may not stand in the tree: addresses of registries, paths of a machine, anything fetched from outside."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support.tree import CLINIC, ROOT

REGISTRIES = [
    f"{a}.{b}"
    for a, b in (("pypi", "org"), ("python" + "hosted", "org"), ("npmjs", "org"), ("jsdelivr", "net"), ("unpkg", "com"))
]
MACHINE = [f"/{a}/" for a in ("root", "work/main", "work/shared", "home/" + "runner")]
OUTSIDE = re.compile(r"""(?:src|href|url|action)\s*[=(]\s*["']?(?:https?:)?//""")


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return [f for f in files if f.is_file() and f.suffix not in (".png", ".woff2", ".ico", ".pdf", ".gz")]


def _naming(words: list[str]) -> list[str]:
    return [
        f"{file.relative_to(ROOT)}: {word}"
        for file in _tracked()
        for word in words
        if word in file.read_text(encoding="utf-8", errors="replace")
    ]


def test_no_registry_is_named() -> None:
    assert _naming(REGISTRIES) == []


def test_no_path_of_a_machine_is_named() -> None:
    assert _naming(MACHINE) == []


def test_pages_fetch_nothing_from_outside() -> None:
    pages = [f for f in CLINIC.rglob("*") if f.suffix in (".html", ".css", ".js", ".svg")]
    assert pages
    assert [str(f.relative_to(CLINIC)) for f in pages if OUTSIDE.search(f.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "pattern", [r"\sstyle\s*=\s*[\"']", r"<script(?![^>]*\bsrc=)", r"\son[a-z]+\s*=\s*[\"']", r"<style"]
)
def test_pages_hold_no_inline_script_or_style(pattern: str) -> None:
    pages = list(CLINIC.rglob("*.html"))
    assert [str(f.relative_to(CLINIC)) for f in pages if re.search(pattern, f.read_text(encoding="utf-8"))] == []


def test_nothing_is_left_for_later() -> None:
    words = ["".join(parts) for parts in (("TO", "DO"), ("FIX", "ME"), ("XX", "X:"), ("NotImplemented", "Error"))]
    source = [f for f in _tracked() if f.suffix in (".py", ".html", ".css", ".js", ".toml")]
    found = [f"{f.relative_to(ROOT)}: {w}" for f in source for w in words if re.search(rf"\b{w}", f.read_text())]
    assert found == []


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "Version 2.0, January 2004" in text
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    assert [re.split("[<>=]", name)[0] for name in project["dependencies"]] == ["numpy"]
    lines = [line.strip() for line in text.splitlines() if re.match(r'^\s+"[A-Za-z]', line) and "," in line]
    named = [line for line in lines if re.match(r'^"[A-Za-z0-9.\[\],_-]+[<>=]', line)]
    wanted = [*project["dependencies"], *(n for extra in project["optional-dependencies"].values() for n in extra)]
    assert len(named) == len(wanted)
    assert [line for line in named if not re.search(r"#\s*\w{4,}|#.*\w+ \w+", line)] == []


def test_every_pin_carries_hashes_and_no_address() -> None:
    for name in ("bootstrap", "run", "dev"):
        text = (ROOT / f"requirements/{name}.txt").read_text()
        pins = re.findall(r"^[A-Za-z0-9._\[\],-]+==[^\n]+\\\n\s+--hash=sha256:", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[A-Za-z0-9._\[\],-]+==", text, re.MULTILINE)) > 0
        assert "://" not in text
