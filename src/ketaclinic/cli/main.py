"""``ketaclinic``: serve, demo, import, export, check."""

from __future__ import annotations

import os

import click


@click.group()
def main() -> None:
    """Run a Ketaclinic server and move records in and out of it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ketaclinic.config.settings")
