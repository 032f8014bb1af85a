"""The clinic's own server on its own data folder, as ``make run`` starts it, and a browser's view of its answers."""

from __future__ import annotations

import http.client
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

KETACLINIC = str(Path(sys.executable).parent / "ketaclinic")


@dataclass(slots=True)
class Answer:
    """One answer: what a browser would have waited, and what went over the wire."""

    status: int
    seconds: float
    body: bytes
    wire_bytes: int


class Visitor:
    """One signed-in browser on one kept-alive connection."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Accept-Encoding": "gzip", "Cookie": cookie}

    def get(self, path: str) -> Answer:
        """Ask for a page and read all of it."""
        return self._ask("GET", path, None, self.headers)

    def post(self, path: str, form: dict[str, str]) -> Answer:
        """Send a form as the tablet's script does, and read all of the answer."""
        token = "b" * 32
        told = {"X-CSRFToken": token, "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        cookies = f"{self.headers['Cookie']}; csrftoken={token}"
        told["Idempotency-Key"] = uuid4().hex
        return self._ask("POST", path, urlencode(form), {**self.headers, **told, "Cookie": cookies})

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        started = time.perf_counter()
        self.connection.request(method, path, body, headers)
        reply = self.connection.getresponse()
        body = reply.read()
        seconds = time.perf_counter() - started
        heads = sum(len(name) + len(value) + 4 for name, value in reply.getheaders())
        return Answer(reply.status, seconds, body, len(body) + heads)


def as_the_demo_does(port: int) -> list[str]:
    """Return the command with which ``make run`` starts the server."""
    return [KETACLINIC, "serve", "--demo", "--port", str(port)]


@contextmanager
def serving(data: Path, command: Callable[[int], list[str]] = as_the_demo_does) -> Iterator[tuple[int, int]]:
    """Yield the port and process id of a server on ``data``; it is stopped afterwards."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}  # the demo has its own file
    environment = {**kept, "KETACLINIC_DATA": str(data)}
    server = subprocess.Popen(command(port), env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait(port, server)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait(20)


def sign_in(port: int, username: str, password: str) -> str:
    """Sign in over the wire as a browser does; return the session's cookie."""
    visitor = Visitor(port)
    visitor.connection.request("GET", "/sign-in/")
    reply = visitor.connection.getresponse()
    cookies = SimpleCookie(reply.getheader("Set-Cookie"))
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', reply.read().decode())
    if token is None:
        raise RuntimeError("the sign-in page has no form")
    body = urlencode({"username": username, "password": password, "csrfmiddlewaretoken": token[1]})
    head = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={cookies['csrftoken'].value}"}
    visitor.connection.request("POST", "/sign-in/", body, head)
    reply = visitor.connection.getresponse()
    reply.read()
    if reply.status != 302:
        raise RuntimeError(f"signing in as {username} was answered with {reply.status}")
    given = SimpleCookie()
    for value in reply.headers.get_all("Set-Cookie") or []:
        given.load(value)
    return f"sessionid={given['sessionid'].value}"


def free_port() -> int:
    """Return a port nobody listens on, below those lent to outgoing connections: it stays free over a restart."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            if Visitor(port).get("/sign-in/").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not answer within a minute")
