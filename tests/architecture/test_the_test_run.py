"""The test run itself: nothing is skipped silently, every part is counted, a private database leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.long_first import arranged
from tests.support.tree import ROOT
from tools import browser, postgres, run_tests

SKIPS = {
    "mark": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): ...\n",
    "inside": "import pytest\ndef test_it():\n    pytest.skip('no luck')\n",
    "module": "import pytest\npytest.skip('not here', allow_module_level=True)\n",
    "import": "import pytest\npytest.importorskip('a_module_nobody_has')\ndef test_it(): ...\n",
}


@pytest.mark.parametrize("how", SKIPS)
def test_a_skip_is_a_failure(how: str, tmp_path: Path) -> None:
    (tmp_path / "test_skips.py").write_text(SKIPS[how])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.support.no_skips",
        "-p",
        "no:cacheprovider",
        "-c",
        "pyproject.toml",
    ]
    ran = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "A skipped test is a failed test" in ran.stdout


def test_a_report_is_counted(tmp_path: Path) -> None:
    report = tmp_path / "part.xml"
    report.write_text('<testsuites><testsuite tests="7" failures="1" errors="1" skipped="1"/></testsuites>')
    assert run_tests._count(report) == (4, 3)
    assert run_tests._count(tmp_path / "none.xml") == (0, 0)


def test_the_last_line_sums_all_parts(capsys: pytest.CaptureFixture[str]) -> None:
    core, clinic, *_ = run_tests.PARTS
    fine = run_tests.Outcome(core, 0, 10, 0, 1.0)
    below_the_floor = run_tests.Outcome(clinic, 1, 5, 0, 1.0)
    assert run_tests._close([fine]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "10 passed, 0 failed"
    assert run_tests._close([fine, below_the_floor]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "15 passed, 1 failed"


def test_what_failed_is_said_again_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fails = "def test_it():\n    wanted = 'the better answer'\n    assert wanted == 'the worse'\n"
    (tmp_path / "test_fails.py").write_text(fails)
    report = tmp_path / "part.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", str(tmp_path)]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    failures = run_tests._failures(report)
    assert len(failures) == 1
    assert run_tests._close([run_tests.Outcome(run_tests.PARTS[0], 1, 0, 1, 1.0, failures * 7)]) == 1
    told = capsys.readouterr().out
    assert "test_fails::test_it" in told
    assert "the better answer" in told
    assert "... and 2 more, above" in told
    assert run_tests._failures(tmp_path / "none.xml") == ()


def test_a_proof_that_did_not_hold_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    fine = run_tests.Outcome(run_tests.PARTS[0], 0, 10, 0, 1.0)
    assert run_tests._close([fine], ["tests/a.py::test_b: did not run"]) == 1
    told = capsys.readouterr().out
    assert "tests/a.py::test_b: did not run" in told
    assert told.splitlines()[-1] == "10 passed, 1 failed"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(run_tests, "chromium", lambda: None)
    monkeypatch.setattr(run_tests.os, "geteuid", lambda: 1000)
    assert run_tests.main() == 1
    told = capsys.readouterr().out
    assert "apt install chromium" in told
    assert "postgresql" not in told
    assert told.splitlines()[-1] == "0 passed, 1 failed"


def test_an_engine_that_does_not_load_is_named_with_its_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "roadrunner.py").write_text("raise ImportError('libpython: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(run_tests.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(run_tests, "find_spec", lambda name: name)
    assert run_tests.main() == 1
    assert "apt install libpython3." in capsys.readouterr().out
    monkeypatch.setattr(run_tests, "find_spec", lambda name: None)
    assert run_tests._library_of_python() is not None


def test_every_folder_of_tests_belongs_to_a_part() -> None:
    folders = {f"tests/{f.name}" for f in (ROOT / "tests").iterdir() if f.is_dir() and list(f.rglob("test_*.py"))}
    assert folders <= {folder for part in run_tests.PARTS for folder in part.folders}


def test_the_private_cluster_answers_and_leaves_nothing() -> None:
    import psycopg

    with postgres.private_cluster() as url:
        folder = Path(url.split("@")[1].split(":")[0].replace("%2F", "/"))
        with psycopg.connect(url.rsplit("/", 1)[0] + "/postgres") as connection:
            answer = connection.execute("select 1").fetchone()
        assert answer == (1,)
        assert folder.is_dir()
    assert not folder.exists()


def test_a_given_browser_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KETACLINIC_CHROMIUM", "/somewhere/chromium")
    assert browser.chromium() == "/somewhere/chromium"


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_the_long_tests_begin_first_and_none_is_lost(processes: int) -> None:
    names = [f"{n}{' long' if n in (5, 9, 10) else ''}" for n in range(11)]
    marks = {name: "long" in name for name in names}
    items: list[Any] = [SimpleNamespace(name=n, get_closest_marker=lambda _, n=n: marks[n]) for n in names]
    found = [item.name for item in arranged(items, processes)]
    assert sorted(found) == sorted(names)
    fronts = [len(items) * process // processes for process in range(min(processes, 3))]
    assert all(marks[found[front]] for front in fronts)
