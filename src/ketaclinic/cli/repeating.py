"""Doing something once, or again and again until the process that asked for it is gone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime

import click

from ketaclinic.cli.main import REFUSED

_LOOK_SECONDS = 0.5


def lives(parent: int, seconds: float) -> bool:
    """Wait so long; return whether the process that asked for this one is still there, at once when it is gone."""
    until = time.monotonic() + seconds
    while os.getppid() == parent:
        if (left := until - time.monotonic()) <= 0:
            return True
        time.sleep(min(left, _LOOK_SECONDS))
    return False


def repeat(work: Callable[[datetime], bool], *, every_seconds: float | None, parent: int | None = None) -> int:
    """Do ``work`` once, or every so many seconds; with ``parent`` until that process has ended.

    ``work`` is handed the time and says whether all went well. Once, a refusal ends the command; again and again it is
    one line, and the next try comes.
    """
    from django.utils import timezone

    if every_seconds is None:
        return 0 if work(timezone.now()) else REFUSED
    due = time.monotonic()
    while parent is None or os.getppid() == parent:
        if time.monotonic() >= due:
            due = time.monotonic() + every_seconds
            attempt(work, timezone.now())
        time.sleep(_LOOK_SECONDS)
    return 0


def attempt(work: Callable[[datetime], bool], at: datetime) -> None:
    """Do ``work`` once; what keeps it from being done is one line on the error channel."""
    from django.db import close_old_connections

    try:
        work(at)
    except click.ClickException as error:
        click.echo(f"ketaclinic: {error.message}", err=True)
    except Exception as error:  # noqa: BLE001  the next round may go well; nothing personal is printed
        click.echo(f"ketaclinic: this round failed ({type(error).__name__})", err=True)
    finally:
        close_old_connections()
