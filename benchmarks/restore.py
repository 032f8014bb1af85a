"""``python -m benchmarks.restore``: a clinic of 10,000 patients backed up and brought back, with the time it took.

The real commands, each a process of its own, on folders of their own. With ``KETACLINIC_FIGURES`` the numbers are kept
as ``restore.json`` there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.server import KETACLINIC
from tests.support.figures import write_figures

GOAL_SECONDS = 15 * 60


def main() -> int:
    """Run the drill; return 1 where the restore took longer than the goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.restore", description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000, help="size of the clinic")
    parser.add_argument("--data", type=Path, help="use the clinic of this folder; it is built there if there is none")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kc-restore-") as scratch:
        told = drill(asked.data or Path(scratch) / "var", asked.patients, Path(scratch))
    print(json.dumps(told, indent=2))
    write_figures("restore", told)
    return 0 if told["restore_seconds"] <= GOAL_SECONDS else 1


def drill(data: Path, patients: int, scratch: Path) -> dict[str, Any]:
    """Return what a backup of a clinic and its restore onto an empty folder took, and how much it was."""
    if not (data / "ketaclinic.sqlite3").exists():
        _command(data, "demo", "--patients", str(patients), "--json")
    key = scratch / "clinic.key"
    _command(data, "backup", "keygen", "--to", str(key))
    public = re.search(r"# public key: (age1\w+)", key.read_text())
    assert public is not None
    file = scratch / "drill.kcbackup"
    made, backup_seconds = _command(data, "backup", "--recipient", public[1], "--to", str(file), "--json")
    restored, restore_seconds = _command(
        scratch / "new", "restore", str(file), "--identity", str(key), "--into", str(scratch / "new"), "--json"
    )
    size = (data / "ketaclinic.sqlite3").stat().st_size
    shutil.rmtree(scratch / "new")
    backup, back = json.loads(made), json.loads(restored)
    return {
        "patients": patients,
        "rows": backup["rows"],
        "rows_restored_and_checked": back["rows"],
        "tables": backup["tables"],
        "database_mb": round(size / 1e6, 1),
        "backup_mb": round(backup["bytes"] / 1e6, 1),
        "backup_seconds": round(backup_seconds, 1),
        "restore_seconds": round(restore_seconds, 1),
        "restore_goal_seconds": GOAL_SECONDS,
        **machine(),
    }


def _command(data: Path, *words: str) -> tuple[str, float]:
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | {"KETACLINIC_DATA": str(data)}
    started = time.monotonic()
    done = subprocess.run([KETACLINIC, *words], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout, time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
