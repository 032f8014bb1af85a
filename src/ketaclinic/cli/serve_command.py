"""``ketaclinic serve``: migrations, static files, then the server."""

from __future__ import annotations

import errno
import gc
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread
from typing import Any

import click

from ketaclinic.cli.downtime_command import write_beside
from ketaclinic.cli.main import OUTSIDE
from ketaclinic.cli.repeating import lives
from ketaclinic.cli.starting import Refused, anchor_what_was_not, django_ready, migrate_quietly
from ketaclinic.config.environment import connect_as_server

_PROCESSES = multiprocessing.get_context("fork") if sys.platform == "linux" else multiprocessing.get_context("spawn")
"""How the server starts others. A fork shares memory with it, and is its child, which Python's other ways are not."""
_LAST_SECONDS = 10
"""How long a worker whose server is gone may take to answer what it has begun."""


class PortBusy(click.ClickException):
    """Something else listens there already."""

    exit_code = OUTSIDE

    def show(self, file: Any = None) -> None:
        """Print the line."""
        click.echo(f"ketaclinic: {self.message}", err=True)


@click.command(name="serve")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option("--demo", is_flag=True, help="Let the public demo sign-ins in, from this machine only.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--workers",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    envvar="KETACLINIC_WORKERS",
    help="Processes (PostgreSQL only).",
)
def command(port: int, host: str, workers: int, demo: bool) -> int:
    """Run the clinic's server until Ctrl-C.

    Brings the database up to date first. SQLite lets one transaction write at a time, so there is one process, with
    several threads; several processes need PostgreSQL (DATABASE_URL).
    """
    if demo and not is_loopback(host):
        raise Refused("the sign-ins of the demo are public: --demo serves this machine only (leave --host out)")
    os.environ["KETACLINIC_SERVING"] = "1"
    os.environ["KETACLINIC_DEMO"] = "1" if demo else "0"
    check_port(host, port)
    connect_as_server()
    django_ready()
    _database_ready_to_be_shared(workers)
    prepare_static_files()
    click.echo(f"Ketaclinic listens on http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C ends it)")
    _load_once()
    with sheets_written_beside():
        _serve(host, port, workers)
    return 0


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


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


def _database_ready_to_be_shared(workers: int) -> None:
    from django.db import connection

    if connection.vendor == "sqlite":
        _sqlite_ready(workers)
    else:
        _postgresql_ready(workers)
    connection.close()  # a worker must never inherit an open connection


def _sqlite_ready(workers: int) -> None:
    from ketaclinic.config.distribution import learn_distribution

    if workers > 1:
        raise Refused("SQLite has one writer; several workers need PostgreSQL (DATABASE_URL)")
    migrate_quietly()
    anchor_what_was_not()
    learn_distribution()


def _postgresql_ready(workers: int) -> None:
    """Let the owner bring tables and anchor up to date, in a process of its own: this one stays the server's."""
    import psycopg

    from ketaclinic.config.wall.keeping import connections_left

    update = [sys.executable, "-m", "ketaclinic.cli", "database", "update"]
    if subprocess.run(update, check=False, stdout=subprocess.DEVNULL).returncode or not _is_up_to_date():
        raise Refused("the database could not be brought up to date")
    with psycopg.connect(os.environ["DATABASE_URL"]) as raw:  # past the pool, which each worker opens for itself
        left = connections_left(raw, workers)
    if left < 1:
        raise Refused("PostgreSQL allows fewer connections than the workers may take; see KETACLINIC_POOL_MAX")


def _is_up_to_date() -> bool:
    from django.db import Error, connection

    from ketaclinic.config.wall.keeping import up_to_date

    shared: Any = connection
    try:
        return up_to_date()
    except Error:  # an empty database grants the server nothing yet
        return False
    finally:
        shared.close()
        shared.close_pool()  # its threads would not live on in the workers


LOG_OF_SERVER = {
    "formatters": {name: {"()": "ketaclinic.config.logs.WithoutValues"} for name in ("generic", "access")},
    "handlers": {
        name: {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stderr"}
        for name in ("console", "access")
    },
}
"""The server speaks on the same channel and under the same rule as the clinic."""


@contextmanager
def sheets_written_beside() -> Iterator[None]:
    """Have a process of its own write the printable sheets while the server runs; it delays no request.

    It shares what the server has loaded, and ends with it, also where the server is killed.
    """
    writer = _PROCESSES.Process(target=write_beside, args=(os.getpid(), _PROCESSES), name="sheets")
    heard = _leave_interrupts_to_the_server()  # from its first moment on
    writer.start()
    signal.pthread_sigmask(signal.SIG_SETMASK, heard)
    try:
        yield
    finally:
        writer.terminate()
        writer.join(_LAST_SECONDS)


def _load_once() -> None:
    """Import everything the pages need before there are workers: each begins with it, a replaced one too."""
    from importlib import import_module

    from django.urls import get_resolver

    import_module("ketaclinic.config.wsgi")
    assert get_resolver().url_patterns, "the addresses name every view"
    gc.freeze()  # what is loaded stays: looking through it again and again would copy it into every worker


def _serve(host: str, port: int, workers: int) -> None:
    from django.conf import settings
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    multiprocessing.set_start_method(_PROCESSES.get_start_method(), force=True)  # Granian asks for the default
    Granian(
        "ketaclinic.config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=settings.THREADS,
        websockets=False,
        backlog=256,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
        log_dictconfig=LOG_OF_SERVER,
    ).serve(target_loader=partial(_application, os.getpid()), wrap_loader=False)


def _application(parent: int) -> Any:
    """Return the application to a worker, which ends with the process that started it, also where that is killed.

    Otherwise it would hold the port, and answer without anybody who writes the sheets.
    """
    from ketaclinic.config.wsgi import application

    _leave_interrupts_to_the_server()
    Thread(target=_end_after, args=(parent,), daemon=True).start()
    return application


def _leave_interrupts_to_the_server() -> set[signal.Signals | int]:
    """Hear no Ctrl-C any more, and return which signals were not heard before.

    It reaches every process of a terminal: the first one then ends its own; told twice, a worker would hang.
    """
    return signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _end_after(parent: int) -> None:
    while lives(parent, 3600):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_SECONDS)
    os._exit(1)
