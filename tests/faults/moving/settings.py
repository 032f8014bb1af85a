"""The clinic's settings with the upgrade installed."""

from ketaclinic.config.settings import *  # noqa: F403
from ketaclinic.config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.moving"]
