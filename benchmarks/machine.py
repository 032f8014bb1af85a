"""What a figure was taken on: a time without its machine says nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from pathlib import Path
from statistics import median


def machine() -> dict[str, str]:
    """Return the machine in words."""
    model = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "processor": f"{os.cpu_count()} × {model[0] if model else platform.machine()}",
        "memory": f"{memory / 1024 / 1024:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "load average at the start": " ".join(f"{value:.1f}" for value in os.getloadavg()),
    }


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process and all its children, in MB, shared pages counted once (PSS)."""
    return sum(_pss_kb(member) for member in _family(pid)) / 1024


def span_mb(pid: int, seconds: float) -> tuple[float, float]:
    """Return the median and the highest ``resident_mb`` of the next ``seconds``, looked at ten times a second."""
    seen, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        seen.append(resident_mb(pid))
        time.sleep(0.1)
    return median(seen), max(seen)


def cpu_seconds(pid: int) -> float:
    """Return how long a process and all its children have run on a processor, from the kernel's own account."""
    tasks = [task for member in _family(pid) for task in Path(f"/proc/{member}/task").glob("*/schedstat")]
    return sum(int(words[0].split()[0]) for task in tasks if (words := _lines(str(task)))) / 1e9


def _family(pid: int) -> list[int]:
    children = [int(word) for line in _lines(f"/proc/{pid}/task/{pid}/children") for word in line.split()]
    return [pid, *(member for child in children for member in _family(child))]


def _pss_kb(pid: int) -> int:
    return sum(int(line.split()[1]) for line in _lines(f"/proc/{pid}/smaps_rollup") if line.startswith("Pss:"))


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
