"""``ketaclinic serve``: migrations, static files, then the server."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

import click

from ketaclinic.cli.main import OUTSIDE
from ketaclinic.cli.starting import Refused, django_ready, migrate_quietly


class PortBusy(click.ClickException):
    """Something else listens there already."""

    exit_code = OUTSIDE

    def show(self, file: Any = None) -> None:
        """Print the line."""
        click.echo(f"ketaclinic: {self.message}", err=True)


@click.command(name="serve")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="Processes (PostgreSQL only)."
)
def command(port: int, host: str, workers: int) -> int:
    """Run the clinic's server until Ctrl-C.

    Brings the database up to date first. SQLite has one writer, so there is one process with one thread; several
    processes need PostgreSQL (DATABASE_URL).
    """
    os.environ["KETACLINIC_SERVING"] = "1"
    check_port(host, port)
    django_ready()
    migrate_quietly()
    vendor = _database_ready_to_be_shared()
    if vendor == "sqlite" and workers > 1:
        raise Refused("SQLite has one writer; several workers need PostgreSQL (DATABASE_URL)")
    prepare_static_files()
    click.echo(f"Ketaclinic listens on http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C ends it)")
    _serve(host, port, workers)
    return 0


def check_port(host: str, port: int) -> None:
    """Raise ``PortBusy`` when the server could not listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortBusy(f"port {port} is busy; choose another one with --port") from None
            raise PortBusy(f"cannot listen on {host}, port {port} ({error.strerror})") from None


def prepare_static_files() -> bool:
    """Copy, hash and compress the static files into the data folder; return whether anything had changed."""
    import hashlib
    from pathlib import Path

    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    files = sorted((path, storage.path(path)) for finder in get_finders() for path, storage in finder.list(None))
    state = hashlib.sha256()
    for name, place in files:
        stat = Path(place).stat()
        state.update(f"{name}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    root = Path(settings.STATIC_ROOT)
    stamp = root.parent / f"{root.name}.stamp"
    if stamp.exists() and stamp.read_text() == state.hexdigest() and (root / "staticfiles.json").exists():
        return False
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(state.hexdigest())
    return True


def _database_ready_to_be_shared() -> str:
    from django.db import connections

    from ketaclinic.config.distribution import learn_distribution

    vendor: str = connections["default"].vendor
    if vendor == "sqlite":
        learn_distribution()
    connections.close_all()  # a worker must never inherit an open connection
    return vendor


def _serve(host: str, port: int, workers: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "ketaclinic.config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=1,
        websockets=False,
        backlog=256,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
    ).serve()
