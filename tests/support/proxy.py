"""A wire that breaks: a proxy that hands a request to the server, reads the answer, and never passes it on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import Event, Thread


class Wire:
    """Passes one connection at a time on to ``target``; while ``cut`` is set, the server's answer is lost."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.cut = Event()
        self.lost = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                with closing(near), suppress(OSError):
                    self._pass(near)

    def _pass(self, near: socket.socket) -> None:
        near.settimeout(20)
        with closing(socket.create_connection(("127.0.0.1", self.target), timeout=20)) as far:
            far.sendall(_request(near))
            answer = bytearray()
            while part := far.recv(65536):
                answer += part
        if self.cut.is_set():
            self.lost += 1  # the server has answered, so it has committed; nobody hears of it
        else:
            near.sendall(answer)


def _request(near: socket.socket) -> bytes:
    """Read one request, and ask the server to close the connection after its answer."""
    data = bytearray()
    while b"\r\n\r\n" not in data:
        data += near.recv(65536)
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    wanted = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < wanted:
        body += near.recv(65536)
    return head + b"\r\nConnection: close\r\n\r\n" + body


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """Yield a wire to a server's port."""
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()
