"""Where Chromium is, and how it is started: headless, without a word to anybody outside."""

from __future__ import annotations

import os
import shutil

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Return the path of Chromium (``KETACLINIC_CHROMIUM`` goes before the search), or ``None``."""
    given = os.environ.get("KETACLINIC_CHROMIUM")
    return given or next((path for name in _NAMES if (path := shutil.which(name))), None)
