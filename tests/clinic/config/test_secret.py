"""The secret key is made once, kept private, and may be given from outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ketaclinic.config.secret import secret_key


@pytest.fixture(autouse=True)
def without_a_given_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KETACLINIC_SECRET_KEY", raising=False)


def test_it_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    key = secret_key(folder)
    assert len(key) >= 50
    assert secret_key(folder) == key
    assert (folder / "secret-key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o077 == 0


def test_two_clinics_have_different_keys(tmp_path: Path) -> None:
    assert secret_key(tmp_path / "one") != secret_key(tmp_path / "two")


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KETACLINIC_SECRET_KEY", "given")
    assert secret_key(tmp_path) == "given"
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_together_get_one_key(tmp_path: Path) -> None:
    ask = "import sys; from pathlib import Path; from ketaclinic.config.secret import secret_key as s; sys.stdin.read()"
    command = [sys.executable, "-c", f"{ask}; print(s(Path({str(tmp_path / 'var')!r})))"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    asking = [subprocess.Popen(command, text=True, **pipes) for _ in range(6)]
    for process in asking:  # each has loaded the module and waits for its input to close
        process.stdin.close()
    keys = {process.stdout.read().strip() for process in asking}
    assert [process.wait() for process in asking] == [0] * 6
    assert keys == {(tmp_path / "var" / "secret-key").read_text()}


def test_a_key_file_left_empty_by_a_crash_is_filled(tmp_path: Path) -> None:
    (tmp_path / "secret-key").touch(mode=0o600)
    key = secret_key(tmp_path)
    assert len(key) >= 50
    assert secret_key(tmp_path) == key
