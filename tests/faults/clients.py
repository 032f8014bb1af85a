"""Clients that write without pause, repeat what was not acknowledged with the key it had, and keep a ledger."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.server import Hand, Reply, Server, new_key

DONE = {"vitals": {200}, "symptom": {200}, "patient": {302}}
"""The answer that acknowledges a write of each kind."""
ALREADY = {"patient": {409}}
"""The answer to a repeat whose first answer was lost: the person is there already."""
GIVE_UP_AFTER_S = 90


@dataclass(slots=True)
class Intent:
    """One thing a person wants written: its kind and key, how often it was sent, whether it was acknowledged."""

    kind: str
    key: str
    sent: int = 0
    acknowledged: bool = False


@dataclass
class Books:
    """The ledger of all clients."""

    intents: list[Intent] = field(default_factory=list)
    in_flight: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledged(self) -> list[Intent]:
        """Return what was acknowledged."""
        return [intent for intent in self.intents if intent.acknowledged]

    @property
    def repeated(self) -> int:
        """How many intents were sent more than once."""
        return sum(intent.sent > 1 for intent in self.intents)


class Client(threading.Thread):
    """One device that writes into one session, and registers people, until it is told to stop."""

    def __init__(self, books: Books, nurse: Hand, desk: Hand, session_pk: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.books, self.nurse, self.desk, self.session_pk = books, nurse, desk, session_pk
        self.draw = random.Random(seed)
        self.stopping = threading.Event()

    def run(self) -> None:
        """Write; an intent is left only when it was acknowledged."""
        while not self.stopping.is_set():
            intent = Intent(self.draw.choices(["vitals", "symptom", "patient"], [6, 3, 1])[0], new_key())
            with self.books.lock:
                self.books.intents.append(intent)
            self._until_acknowledged(intent)

    def _until_acknowledged(self, intent: Intent) -> None:
        until = time.monotonic() + GIVE_UP_AFTER_S
        fields = self._fields(intent)
        while time.monotonic() < until:
            reply = self._send(intent, fields)
            if reply is not None and self._acknowledges(intent, reply):
                intent.acknowledged = True
                return
            time.sleep(0.05)

    def _acknowledges(self, intent: Intent, reply: Reply) -> bool:
        if reply.status in DONE[intent.kind]:
            return True
        if intent.sent > 1 and reply.status in ALREADY.get(intent.kind, set()):
            return True
        with self.books.lock:
            self.books.broken[f"{intent.kind}: {reply.status}"] += 1
        return False

    def _send(self, intent: Intent, fields: dict[str, Any]) -> Reply | None:
        intent.sent += 1
        with self.books.lock:
            self.books.in_flight += 1
        try:
            if intent.kind == "patient":
                return self.desk.post("/patients/new/", fields, intent.key)
            return self.nurse.record(self.session_pk, intent.key, **fields)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            with self.books.lock:
                self.books.in_flight -= 1

    def _fields(self, intent: Intent) -> dict[str, Any]:
        if intent.kind == "vitals":
            upper = self.draw.randint(105, 135)
            return {"systolic": upper, "diastolic": upper - 45, "heart_rate": self.draw.randint(60, 95)}
        if intent.kind == "symptom":
            return {"kind": "symptom", "symptom": "nausea", "present": self.draw.choice(["on", "off"])}
        person = {"given_name": "Synthetic", "birth_date": "1980-02-03", "sex": "female", "language": "en"}
        return {**person, "family_name": family_name(intent)}


def family_name(intent: Intent) -> str:
    """Return a name only this intent carries; letters alone, as a name has."""
    return "K" + "".join(chr(ord("a") + int(digit, 16)) for digit in intent.key)


def found(server: Server) -> Counter[str]:
    """Return how often the database holds each intent, by its key or name."""
    entries = server.rows("SELECT entry_key FROM treatment_sessionevent")
    people = server.rows("SELECT family_name FROM people_patient")
    return Counter(str(row[0]) for row in [*entries, *people])


def mark(intent: Intent) -> str:
    """Return what an intent is found by."""
    return family_name(intent) if intent.kind == "patient" else intent.key
