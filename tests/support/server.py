"""A real server in a process of its own, with its own data, and people who use it over the wire.

``Server`` starts, stops and kills ``ketaclinic serve``; ``Hand`` is one signed-in person's device, whose writes carry
a key; ``Ledger`` keeps what the server has acknowledged, to be compared with what the database holds.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import psycopg

from benchmarks.server import free_port
from tests.support.ready import migrated, without_ours
from tests.support.tree import ROOT

KETACLINIC = str(Path(sys.executable).parent / "ketaclinic")
READY_WITHIN_S = 60
_CSRF = "k" * 32


class Server:
    """``ketaclinic serve`` on a data folder; the same object starts it again after a stop or a kill.

    ``database_url`` is empty for SQLite in the data folder; ``asked_at`` is where tests look past the server, which
    may be another role than the server's. ``environment`` is added to the server's;
    ``wrapper`` stands before the command (``fiu-run …``, ``strace …``).
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str = "",
        workers: int = 1,
        environment: Mapping[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
    ) -> None:
        self.folder, self.database_url, self.workers, self.wrapper = folder, database_url, workers, wrapper
        self.port = free_port()
        self.log = folder.with_name(f"{folder.name}.log")
        self.environment = {**without_ours(os.environ), "KETACLINIC_DATA": str(folder), **(environment or {})}
        if database_url:
            self.environment["DATABASE_URL"] = database_url
        self.asked_at = database_url
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> Path:
        """The SQLite database."""
        return self.folder / "ketaclinic.sqlite3"

    @property
    def pid(self) -> int:
        """The process that was started; its workers are in the same group."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [*self.wrapper, KETACLINIC, "serve", "--port", str(self.port), "--workers", str(self.workers)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server and its workers at once, as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        _signal_group(self.pid, how)
        try:
            if self.wrapper:  # a trace that is attached to others, too, goes on after the server has ended
                _wait_for_children(self.pid, 20)
                _signal_group(self.pid, signal.SIGKILL)
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            _signal_group(self.pid, signal.SIGKILL)
            self._process.wait(20)
        self._process = None
        self._until_nobody_listens()

    def _until_nobody_listens(self) -> None:
        """Wait for workers that were killed too: they hold the port a moment longer than the process they were of."""
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until:
            with socket.socket() as probe, suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", self.port))
                return
            time.sleep(0.02)

    def _wait(self) -> None:
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended before it answered:\n{self.told()}")
            try:
                if Hand(self.port).get("/sign-in/").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"the server did not answer within {READY_WITHIN_S} s:\n{self.told()}")

    def told(self) -> str:
        """Return what the server has written to its log."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # ---- its data, past the server ------------------------------------------------------------------------------

    def inside(self, name: str, **arguments: Any) -> Any:
        """Run a function of ``tests.support.inside`` with the server's settings; return what it returns."""
        command = [sys.executable, "-m", "tests.support.inside", name, json.dumps(arguments)]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def migrate(self) -> None:
        """Give it a database that is up to date and empty; on PostgreSQL whoever made the roles has done so."""
        if not self.database_url:
            shutil.copytree(migrated(), self.folder, dirs_exist_ok=True)

    def rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask its database in SQL, with ``?`` for values, without going through the server."""
        if self.database_url:
            with psycopg.connect(self.asked_at) as connection:
                return list(connection.execute(question.replace("?", "%s"), values).fetchall())
        with closing(sqlite3.connect(self.file, timeout=20)) as connection:
            return list(connection.execute(question, values).fetchall())

    def sound(self) -> bool:
        """Return whether SQLite finds its file whole; PostgreSQL checks its pages as it reads them."""
        return bool(self.database_url) or self.rows("PRAGMA integrity_check") == [("ok",)]

    def sign_in(self, staff_pk: int, port: int | None = None) -> Hand:
        """Return the device of a person who is signed in; ``port`` is another one to talk through, as a proxy's."""
        return Hand(port or self.port, self.inside("sign_in", staff_pk=staff_pk))


def _wait_for_children(pid: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    children = Path(f"/proc/{pid}/task/{pid}/children")
    while time.monotonic() < until and children.exists() and children.read_text().strip():
        time.sleep(0.05)


def _signal_group(pid: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, how)


# ---- people at the server ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it came over the wire; header names in any case."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def new_key() -> str:
    """Draw a key for one intent."""
    return uuid4().hex


class Hand:
    """One device of one person. A new connection for every request: none outlives a server that was killed."""

    def __init__(self, port: int, session: str = "", timeout: float = 60) -> None:
        self.port, self.session, self.timeout = port, session, timeout

    def get(self, path: str, **headers: str) -> Reply:
        """Ask for a page."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, fields: Mapping[str, Any], key: str | None = None, **headers: str) -> Reply:
        """Send a form with the key of its intent, a fresh one unless named; ``key=""`` sends none."""
        head = {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": _CSRF, **headers}
        chosen = new_key() if key is None else key
        if chosen:
            head["Idempotency-Key"] = chosen
        return self._ask("POST", path, urlencode(fields, doseq=True), head)

    def send_file(self, path: str, content: bytes) -> Reply:
        """Send a form with one file."""
        edge = new_key()
        part = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="x.json"\r\n\r\n'
        body = part.encode() + content + f"\r\n--{edge}--\r\n".encode()
        kind = f"multipart/form-data; boundary={edge}"
        return self._ask("POST", path, body, {"Content-Type": kind, "X-CSRFToken": _CSRF, "Idempotency-Key": new_key()})

    def record(self, session_pk: int, key: str | None = None, **entry: Any) -> Reply:
        """Write one entry of a treatment session as the tablet's outbox does; answered in JSON."""
        key = key or new_key()
        fields = {"kind": "vitals", "entry_key": key, **entry}
        return self.post(f"/treatment/session/{session_pk}/record/", fields, key, Accept="application/json")

    def _ask(self, method: str, path: str, body: str | bytes | None, headers: Mapping[str, str]) -> Reply:
        cookies = f"sessionid={self.session}; csrftoken={_CSRF}" if self.session else f"csrftoken={_CSRF}"
        started = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)) as connection:
            connection.request(method, path, body, {"Cookie": cookies, **headers})
            reply = connection.getresponse()
            content = reply.read()
        return Reply(reply.status, reply.headers, content, time.monotonic() - started)


@dataclass
class Ledger:
    """What one or more clients have sent and what of it was acknowledged; safe to share between threads."""

    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def send(self, hand: Hand, session_pk: int, key: str | None = None, **entry: Any) -> Reply | None:
        """Send an entry and book it; ``None`` when no answer came back."""
        key = key or new_key()
        with self._lock:
            self.sent.add(key)
        try:
            reply = hand.record(session_pk, key, **entry)
        except (OSError, http.client.HTTPException):
            return None
        if reply.status == 200:
            with self._lock:
                self.acknowledged.add(key)
        return reply

    def lost(self, server: Server) -> set[str]:
        """Return the keys that were acknowledged and are not in the database."""
        return self.acknowledged - self.kept(server)

    def kept(self, server: Server) -> set[str]:
        """Return the keys of the entries that the database holds."""
        return {row[0] for row in server.rows("SELECT entry_key FROM treatment_sessionevent")}
