"""Pins with hashes for every dependency, without addresses, so that the files name no registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "bootstrap.txt": ["requirements/bootstrap.in"],
    "run.txt": ["pyproject.toml", "--extra", "clinic"],
    "dev.txt": ["pyproject.toml", "--extra", "clinic", "--extra", "dev"],
}
OPTIONS = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header"]


def main() -> int:
    """Write ``requirements/*.txt``; ``make lock UPGRADE=1`` takes newer versions."""
    upgrade = ["--upgrade"] if "--upgrade" in sys.argv else []
    for name, inputs in LOCKS.items():
        output = f"requirements/{name}"
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", *OPTIONS, *upgrade, *inputs, "-o", output]
        subprocess.run(command, cwd=ROOT, check=True)
        if "://" in (ROOT / output).read_text():
            sys.exit(f"{output} names an address")
        print(f"wrote {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
