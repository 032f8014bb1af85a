"""Everything there is to test, in five parts, with one closing summary.

1. the core: decisions, decision tables, whole patients, properties, published numbers; every branch covered
2. the clinic on SQLite, outside systems; at least 95 % of branches covered
3. faults on SQLite, architecture, documentation; without counting branches, which would take half as long again
4. on PostgreSQL the faults, and of the clinic what asks its database; the cluster is this program's own
5. journeys in a real Chromium

At the end every test that the safety case (``docs/safety``) names as a proof must have run and passed. The closing
summary says again which tests failed and why, so that the last screen of a long log is enough to know.

What is missing on the machine is installed where that is allowed (root with apt); otherwise the run fails and says
exactly what is missing. A skipped test fails (``tests/conftest.py``); a part without tests fails too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from tools.browser import chromium
from tools.postgres import postgres_programs, private_cluster
from tools.proofs import named_tests, unproved

ROOT = Path(__file__).resolve().parent.parent
CORE = ["tests/core", "tests/spec", "tests/scenarios", "tests/properties", "tests/reference"]
CLINIC = ["tests/clinic", "tests/interfaces"]
FAULTS = ["tests/faults"]
PAPERS = ["tests/architecture", "tests/docs"]
JOURNEYS = ["tests/journeys"]
READY = "KETACLINIC_TESTS_READY"
"""Names the folder in which a run keeps what its tests make once and copy (``tests/support/ready.py``)."""
CORES = min(4, os.cpu_count() or 1)
LINES_OF_A_FAILURE = 20
FAILURES_TOLD = 5
# A few tests take minutes: whoever has nothing left takes over from the other. The slowest are named at the end.
PYTEST = [sys.executable, "-m", "pytest", "--dist", "worksteal", "--durations=8"]


@dataclass(frozen=True, slots=True)
class Part:
    """One call of pytest: its name, folders, coverage floor and database; ``waits``, whether its tests often wait."""

    name: str
    folders: list[str]
    package: str = ""
    floor: int = 0
    postgres: bool = False
    waits: bool = False


PARTS = [
    Part("core", CORE, "ketacore", 100),
    Part("clinic on SQLite", CLINIC, "ketaclinic", 95),
    Part("faults on SQLite, architecture, documentation", [*FAULTS, *PAPERS], waits=True),
    Part("clinic and faults on PostgreSQL", [*FAULTS, *CLINIC], postgres=True, waits=True),
    Part("journeys in Chromium", JOURNEYS, waits=True),
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one part; ``failures``, one text for each failed test."""

    part: Part
    code: int
    passed: int
    failed: int
    seconds: float
    failures: tuple[str, ...] = ()


def main() -> int:
    """Run all parts, print the summary, return 0 only if everything passed."""
    missing = _missing_after_installing()
    if missing:
        print("make test: missing on this machine:")
        print("\n".join(f"  * {line}" for line in missing))
        print("0 passed, 1 failed")
        return 1
    with tempfile.TemporaryDirectory(prefix="kc-tests-") as folder:
        outcomes = [_run(part, Path(folder)) for part in PARTS]
        without_proof = unproved(named_tests(), Path(folder).glob("part-*.xml"))
    return _close(outcomes, without_proof)


def _missing_after_installing() -> list[str]:
    library = f"libpython{sys.version_info.major}.{sys.version_info.minor}"
    wanted = {
        "chromium": ("Chromium (Debian: apt install chromium; or set KETACLINIC_CHROMIUM)", chromium),
        "strace": ("strace (Debian: apt install strace)", lambda: shutil.which("strace")),
        "fiu-utils": ("fiu-run of libfiu (Debian: apt install fiu-utils)", lambda: shutil.which("fiu-run")),
        "postgresql": ("PostgreSQL's initdb and pg_ctl (Debian: apt install postgresql)", postgres_programs),
        library: (f"{library}.so, which libroadrunner needs (Debian: apt install {library})", _library_of_python),
    }
    packages = [package for package, (_, find) in wanted.items() if find() is None]
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(packages)
    return [words for words, find in wanted.values() if find() is None]


def _library_of_python() -> str | None:
    """Return ``None`` where libroadrunner is there and does not load: Debian's ``python3`` comes without libpython."""
    if find_spec("roadrunner") is None:
        return "not needed"
    ran = subprocess.run([sys.executable, "-c", "import roadrunner"], check=False, capture_output=True)
    return "loads" if ran.returncode == 0 else None


def _install(packages: list[str]) -> None:
    """Install what can be had, one by one: a name that a system does not know must not cost the others."""
    print(f"make test: installing {' and '.join(packages)} with apt-get", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    one_by_one = [["install", "-qq", "-y", "--no-install-recommends", package] for package in packages]
    for command in (["update", "-qq"], *one_by_one):
        subprocess.run(
            ["apt-get", *command], check=False, env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )


@contextmanager
def _database(part: Part) -> Iterator[dict[str, str]]:
    with private_cluster() if part.postgres else nullcontext("") as url:
        yield {"DATABASE_URL": url} if url else {}


def _run(part: Part, folder: Path) -> Outcome:
    print(f"\n=== {part.name} ===", flush=True)
    name = f"part-{PARTS.index(part)}"
    report = folder / f"{name}.xml"
    folders = [path for path in part.folders if (ROOT / path).is_dir()]
    workers = CORES + part.waits  # for servers, locks and browsers: meanwhile another test has the core
    again = ["--only-on-the-database"] if part.postgres else []
    command = [*PYTEST, "-n", str(workers), f"--junitxml={report}", *again, *_coverage(part), *folders]
    started = time.monotonic()
    with _database(part) as database:
        # Some hundred processes are started: without its compiled form each would compile the whole project.
        left_out = ("DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
        environment = {k: v for k, v in os.environ.items() if k not in left_out} | database
        environment |= {"COVERAGE_FILE": str(folder / name), "KETACLINIC_DATA": str(folder / "var")}
        environment[READY] = str(folder / "ready" / ("postgresql" if part.postgres else "sqlite"))
        Path(environment[READY]).mkdir(parents=True, exist_ok=True)
        code = subprocess.run(command, check=False, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode
    passed, failed = _count(report)
    return Outcome(part, code, passed, failed, time.monotonic() - started, _failures(report))


def _coverage(part: Part) -> list[str]:
    if not part.package:
        return []
    return [f"--cov={part.package}", "--cov-branch", "--cov-report=term-missing", f"--cov-fail-under={part.floor}"]


def _count(report: Path) -> tuple[int, int]:
    if not report.exists():
        return 0, 0
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    passed = failed = 0
    for suite in suites:
        bad = sum(int(suite.get(kind, "0")) for kind in ("failures", "errors", "skipped"))
        passed += int(suite.get("tests", "0")) - bad
        failed += bad
    return passed, failed


def _failures(report: Path) -> tuple[str, ...]:
    """Return for each failed test its name and the end of what pytest said about it."""
    if not report.exists():
        return ()
    told = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        for trouble in (found for kind in ("failure", "error", "skipped") for found in case.iter(kind)):
            why = (trouble.text or trouble.get("message") or "").strip().splitlines()[-LINES_OF_A_FAILURE:]
            told.append("\n".join([f"{case.get('classname')}::{case.get('name')}", *(f"    {line}" for line in why)]))
    return tuple(told)


def _close(outcomes: list[Outcome], without_proof: Sequence[str] = ()) -> int:
    told = [failure for outcome in outcomes for failure in outcome.failures]
    if told:
        print("\n=== what failed ===")
        print("\n\n".join(told[:FAILURES_TOLD]))
        print(f"\n... and {len(told) - FAILURES_TOLD} more, above" if len(told) > FAILURES_TOLD else "")
    print("\n=== summary ===")
    for outcome in outcomes:
        verdict = "ok" if outcome.code == 0 else f"FAILED (exit {outcome.code})"
        counts = f"{outcome.passed} passed, {outcome.failed} failed"
        print(f"{outcome.part.name}: {verdict}, {counts}, {outcome.seconds:.0f} s")
    print(f"safety case: {len(without_proof)} named proofs did not hold")
    print("".join(f"  * {line}\n" for line in without_proof), end="")
    # A part that fails without a failed test (coverage floor, nothing collected, a crash) counts as one failure.
    failed = sum(outcome.failed or int(outcome.code != 0) for outcome in outcomes) + len(without_proof)
    print(f"{sum(outcome.passed for outcome in outcomes)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
