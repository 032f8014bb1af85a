"""A private PostgreSQL cluster in a temporary folder: started for one test run, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def private_cluster() -> Iterator[str]:
    """Yield the ``DATABASE_URL`` of a fresh cluster; it is stopped and removed on the way out, whatever happened."""
    programs = postgres_programs()
    if programs is None:
        raise FileNotFoundError("initdb and pg_ctl of PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="kc-pg-", dir="/tmp"))
    account = _unprivileged()
    if "user" in account:
        os.chown(folder, account["user"], account["group"])
    data, log = folder / "data", folder / "log"
    pg_ctl = [str(programs / "pg_ctl"), "--pgdata", str(data), "--wait"]
    try:
        make = [str(programs / "initdb"), "--pgdata", str(data), "--username=ketaclinic", "--auth=trust"]
        _run([*make, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"], account, folder)
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c port={PORT} {_SPEED}"
        _run([*pg_ctl, "--log", str(log), "--options", options, "start"], account, folder)
        try:
            yield f"postgresql://ketaclinic@{quote(str(folder), safe='')}:{PORT}/ketaclinic"
        finally:
            _run([*pg_ctl, "--mode=immediate", "stop"], account, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
