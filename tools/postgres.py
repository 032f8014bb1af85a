"""A private PostgreSQL cluster in a temporary folder: started for one test run, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

PORT = 54329
"""Only part of the socket's name: the cluster listens on no network address."""

_SPEED = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def postgres_programs() -> Path | None:
    """Return the folder that holds ``initdb`` and ``pg_ctl``, newest version first, or ``None``."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


class Cluster:
    """One cluster on a data folder: made, started, stopped, and killed as a power cut would."""

    def __init__(self, data: Path, *, durable: bool = False, more: str = "") -> None:
        self._data, self._durable, self._more = data, durable, more
        self._folder = data.parent

    @property
    def url(self) -> str:
        """The ``DATABASE_URL`` of its superuser."""
        return f"postgresql://ketaclinic@{quote(str(self._folder), safe='')}:{PORT}/ketaclinic"

    def make(self) -> None:
        """Write an empty cluster."""
        make = ["--pgdata", str(self._data), "--username=ketaclinic", "--auth=trust"]
        run_program("initdb", *make, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", folder=self._folder)

    def start(self) -> None:
        """Start it, and let it recover where it was killed."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c port={PORT}"
        options += f" {'' if self._durable else _SPEED} {self._more}"
        self._control("--log", str(self._folder / "log"), "--options", options, "start")

    def stop(self, *, mode: str = "immediate") -> None:
        """Stop it, unless told otherwise without writing anything more; nothing happens where it does not run."""
        if (self._data / "postmaster.pid").exists():
            self._control(f"--mode={mode}", "stop")

    def copy_to(self, folder: Path) -> None:
        """End it in good order and copy it into an empty folder, from where ``cluster`` takes it."""
        self.stop(mode="fast")
        _copy(self._data, folder)

    def copy_from(self, folder: Path) -> None:
        """Write what ``copy_to`` has kept instead of an empty cluster."""
        _copy(folder, self._data)

    def kill(self) -> None:
        """Kill the postmaster and every process of it at once."""
        family = self.family()
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while not all(_is_dead(pid) for pid in family):
            time.sleep(0.01)
        # After a power cut their numbers belong to nobody; here the system may keep them until somebody asks.
        for left in (self._data / "postmaster.pid", *self._folder.glob(".s.PGSQL.*")):
            left.unlink()

    def family(self) -> list[int]:
        """Return the postmaster and the processes it has started."""
        postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
        return [postmaster, *_children(postmaster)]

    def _control(self, *words: str) -> None:
        run_program("pg_ctl", "--pgdata", str(self._data), "--wait", *words, folder=self._folder)


def _copy(source: Path, to: Path) -> None:
    """Copy a cluster's folder with its owner and modes, which PostgreSQL insists on."""
    subprocess.run(["cp", "-a", f"{source}/.", str(to)], check=True)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


def _is_dead(pid: int) -> bool:
    """Return whether a process has ended and only waits for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield an empty folder that belongs to the account PostgreSQL runs under; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="kc-pg-", dir="/tmp"))
    account = _unprivileged()
    if "user" in account:
        os.chown(folder, account["user"], account["group"])
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster(*, durable: bool = False, more: str = "", kept: Path | None = None) -> Iterator[Cluster]:
    """Yield a cluster that runs, empty or a copy of ``kept``; it is stopped and removed on the way out in any case.

    ``durable`` leaves it as PostgreSQL comes: what is committed is on disk. Otherwise it is fast and forgets. ``more``
    are further options of the server.
    """
    with private_folder() as folder:
        made = Cluster(folder / "data", durable=durable, more=more)
        if kept:
            made.copy_from(kept)
        else:
            made.make()
        made.start()
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def private_cluster(more: str = "") -> Iterator[str]:
    """Yield the ``DATABASE_URL`` of a fresh cluster that is fast and forgets."""
    with cluster(more=more) as made:
        yield made.url


@contextmanager
def running(data: Path) -> Iterator[str]:
    """Start a server on a data folder that is there, yield its ``DATABASE_URL``, and stop it."""
    made = Cluster(data)
    made.start()
    try:
        yield made.url
    finally:
        made.stop()


def run_program(name: str, *words: str, folder: Path) -> None:
    """Run one of PostgreSQL's programs under its account; raises ``RuntimeError`` with what it said."""
    programs = postgres_programs()
    if programs is None:
        raise FileNotFoundError("initdb and pg_ctl of PostgreSQL")
    _run([str(programs / name), *words], _unprivileged(), folder)


def _run(command: list[str], account: dict[str, Any], folder: Path) -> None:
    silent: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    done = subprocess.run(command, check=False, cwd=folder, **silent, **account)
    if done.returncode:
        log = folder / "log"
        told = log.read_text(errors="replace") if log.exists() else done.stderr.decode(errors="replace")
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{told.strip()}")


def _unprivileged() -> dict[str, Any]:
    """Return the account PostgreSQL runs under: it refuses root, so root lends it another one."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
