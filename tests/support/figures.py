"""Figures a run leaves for ``docs/reliability.md``: one JSON file a subject, in the folder ``KETACLINIC_FIGURES``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_figures(name: str, figures: Mapping[str, Any]) -> None:
    """Keep figures under a name, if somebody asked for any."""
    folder = os.environ.get("KETACLINIC_FIGURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.json").write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")


def add_figures(name: str, figures: dict[str, int]) -> None:
    """Add counts to those an earlier part of the same run has left."""
    folder = os.environ.get("KETACLINIC_FIGURES")
    file = Path(folder or ".") / f"{name}.json"
    before = json.loads(file.read_text()) if folder and file.exists() else {}
    write_figures(name, {key: figures.get(key, 0) + before.get(key, 0) for key in figures | before})
