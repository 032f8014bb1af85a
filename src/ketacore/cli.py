"""``ketacore ROOM < facts.json`` prints a decision as JSON."""

from __future__ import annotations

import sys


def main() -> int:
    """Read facts from standard input, print the decision."""
    sys.stderr.write("ketacore: no rooms yet\n")
    return 2
