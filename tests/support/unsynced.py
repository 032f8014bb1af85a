"""Settings of a server that does not wait for the disk: only to prove that the test of the sync can fail."""

from __future__ import annotations

from ketaclinic.config import settings
from ketaclinic.config.settings import *  # noqa: F403

DATABASES = settings.DATABASES
DATABASES["default"]["OPTIONS"]["init_command"] = DATABASES["default"]["OPTIONS"]["init_command"].replace(
    "synchronous=FULL", "synchronous=NORMAL"
)
