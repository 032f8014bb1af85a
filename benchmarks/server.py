"""The clinic's own server on its own data folder, as ``make run`` starts it, and a browser's view of its answers."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
        started = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        reply = self.connection.getresponse()
        body = reply.read()
        seconds = time.perf_counter() - started
        heads = sum(len(name) + len(value) + 4 for name, value in reply.getheaders())
        return Answer(reply.status, seconds, body, len(body) + heads)


@contextmanager
def serving(data: Path) -> Iterator[tuple[int, int]]:
    """Yield the port and process id of a server on ``data``; it is stopped afterwards."""
    port = _free_port()
    environment = {**os.environ, "KETACLINIC_DATA": str(data)}
    server = subprocess.Popen([KETACLINIC, "serve", "--port", str(port)], env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait(port, server)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
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
