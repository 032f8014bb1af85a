"""What is built in is known: every library with its hash in the bill of materials, none known to be bad."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.version import Version

from tests.support.tree import ROOT
from tools.proofs import SAFETY
from tools.sbom import OUTPUT, bill_of_materials, main

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)(.*?)(?=^[A-Za-z]|\Z)", re.MULTILINE | re.DOTALL)
KNOWN: dict[str, Any] = tomllib.loads((SAFETY / "known-bad.toml").read_text(encoding="utf-8"))


def pins(name: str) -> dict[str, tuple[str, set[str]]]:
    """Return every pinned library with its version and hashes."""
    text = (ROOT / f"requirements/{name}.txt").read_text()
    found = PIN.findall(text)
    return {who.lower(): (version, set(re.findall(r"sha256:([0-9a-f]{64})", more))) for who, version, more in found}


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(bill_of_materials())
    return document


def test_the_list_of_libraries_is_complete(bill: dict[str, Any]) -> None:
    listed = {c["name"].lower(): (c["version"], {h["content"] for h in c["hashes"]}) for c in bill["components"]}
    wanted = pins("run")
    assert len(wanted) > 20 and all(hashes for _, hashes in wanted.values())
    assert listed == wanted
    assert {c["purl"] for c in bill["components"]} == {f"pkg:pypi/{n}@{v}" for n, (v, _) in wanted.items()}


def test_the_bill_follows_its_standard_and_names_no_address(bill: dict[str, Any]) -> None:
    text = json.dumps(bill)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert bill["metadata"]["component"]["name"] == "ketaclinic"
    assert re.findall(r"https?://[^\"]+", text) == ["http://cyclonedx.org/schema/bom-1.6.schema.json"]


def test_the_command_writes_the_same_bytes_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert OUTPUT.read_text(encoding="utf-8") == bill_of_materials()
    ignored = subprocess.run(["git", "check-ignore", str(OUTPUT)], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode == 0, "the bill is made, never committed"


@pytest.mark.parametrize("line", ["django", "django==5.2.19"])
def test_a_library_without_version_and_hash_is_refused(line: str, tmp_path: Path) -> None:
    loose = tmp_path / "run.txt"
    loose.write_text(f"{line}\n")
    with pytest.raises(ValueError, match="django is not pinned with a hash"):
        bill_of_materials(loose)


def too_old(version: str, bad: dict[str, str]) -> bool:
    return Version(version) < Version(bad["bad_below"])


@pytest.mark.parametrize("bad", KNOWN["bad"], ids=lambda bad: bad["name"])
def test_no_pinned_version_is_known_to_be_bad(bad: dict[str, str]) -> None:
    pinned = [pins(name)[bad["name"]][0] for name in ("run", "dev") if bad["name"] in pins(name)]
    assert pinned, f"{bad['name']} is not pinned any more: take it off the list"
    assert [version for version in pinned if too_old(version, bad)] == []
    assert bad["why"] and bad["source"]


def test_a_bad_version_is_noticed() -> None:
    django = next(bad for bad in KNOWN["bad"] if bad["name"] == "django")
    assert too_old("5.2.12", django) and too_old("4.2.1", django) and not too_old("5.2.13", django)


def test_every_library_was_looked_at() -> None:
    looked = [*KNOWN["nothing_found"], *(bad["name"] for bad in KNOWN["bad"])]
    assert len(looked) == len(set(looked))
    assert set(pins("run")) - set(looked) == set(), "look at it, and write down what was found"
    assert set(KNOWN["nothing_found"]) - set(pins("run")) == set()
    assert isinstance(KNOWN["looked_on"], date)


def test_nobody_claims_an_audit() -> None:
    assert "NO vulnerability database was consulted" in (SAFETY / "known-bad.toml").read_text()
    assert "No vulnerability database was consulted" in (ROOT / "SECURITY.md").read_text()


def test_the_tests_run_what_is_pinned() -> None:
    """Pins that are not installed would prove nothing about the program that runs."""
    program = "import importlib.metadata as m, sys; print(*(m.version(n) for n in sys.argv[1:]))"
    names = ["django", "cryptography", "sqlparse", "granian", "django-allauth"]
    ran = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [pins("run")[name][0] for name in names]
