"""A small demo clinic on the disk, built once in a run by the real command and copied for each test."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.server import KETACLINIC
from tests.support.ready import NOT_OURS, ready, without_ours


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "var"
    shutil.copytree(ready("demo", _build), folder)
    return folder


def _build(folder: Path) -> None:
    environment = {**without_ours(os.environ), "KETACLINIC_DATA": str(folder)}
    command = [KETACLINIC, "demo", "--patients", "12", "--json"]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)


@pytest.fixture
def demo(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data folder of a demo clinic that the commands use instead of the tests' database."""
    folder = tmp_path / "var"
    shutil.copytree(built, folder)
    monkeypatch.setenv("KETACLINIC_DATA", str(folder))
    for name in NOT_OURS:
        monkeypatch.delenv(name, raising=False)
    return folder


def ketaclinic(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([KETACLINIC, *words], capture_output=True, text=True, timeout=300, check=False)
