"""PAGES: home of each role, floor, wall, patient list, chart, timeline, session and screening of a large clinic."""

from __future__ import annotations

import gzip
import os
import random
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.machine import cpu_seconds, span_mb
from benchmarks.server import KETACLINIC, Answer, Visitor, serving, sign_in
from ketaclinic.cli.downtime_command import EVERY_SECONDS

WARM_UP, ASKED = 5, 60
TOO_SLOW = 3
"""Seconds of a first answer after which a page has missed its goal and is asked three times in all."""
ASSET = re.compile(rb"""(?:href|src)="(/static/[^"]+\.(?:css|js|svg|woff2))""")


@dataclass(frozen=True, slots=True)
class Page:
    """One page, asked for by one role, at one or many addresses."""

    name: str
    role: str
    paths: list[str]
    forms: list[dict[str, str]] = field(default_factory=list)
    """What is sent to the first path, one after the other; none: the paths are only read."""

    def ask(self, visitor: Visitor, number: int) -> Answer:
        """Ask once; raises ``RuntimeError`` for anything but the page."""
        path = self.paths[number % len(self.paths)]
        answer = visitor.post(path, self.forms[number % len(self.forms)]) if self.forms else visitor.get(path)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return answer

    def ask_here(self, client: Any, number: int) -> None:
        """Ask once in this process."""
        path = self.paths[number % len(self.paths)]
        client.post(path, self.forms[number % len(self.forms)]) if self.forms else client.get(path)

    @property
    def variants(self) -> int:
        """How many different things are asked for."""
        return max(len(self.paths), len(self.forms))


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of one page."""

    name: str
    first_ms: float
    p50_ms: float
    p95_ms: float
    cpu_p95_ms: float
    queries: int
    page_kb: float
    first_load_kb: float

    @property
    def misses(self) -> list[str]:
        """What the page misses of its goals."""
        goals = (("time", self.p95_ms, 100), ("queries", self.queries, 12), ("bytes", self.first_load_kb, 150))
        return [name for name, value, goal in goals if value > goal]


@dataclass(frozen=True, slots=True)
class Result:
    """PAGES as a whole."""

    patients: int
    timeline_entries: int
    figures: list[Figure]
    memory_mb: tuple[float, float]
    """As a rule, and at most, over a minute after the run."""


def build(data: Path, patients: int) -> None:
    """Build the clinic of the benchmark, unless ``data`` holds one."""
    if (data / "ketaclinic.sqlite3").exists():
        return
    command = [KETACLINIC, "demo", "--patients", str(patients), "--seed", "1"]
    subprocess.run(command, env={**os.environ, "KETACLINIC_DATA": str(data)}, check=True, stdout=subprocess.DEVNULL)


def measure(data: Path) -> Result:
    """Serve ``data`` and measure every page; Django must have been set up on the same folder."""
    from ketaclinic.people.models import Patient
    from ketaclinic.record.models import TimelineEntry

    pages = _pages()
    with serving(data) as (port, pid):
        cookies = {role: signed_in(port, role) for role in {page.role for page in pages}}
        figures = [_figure(page, Visitor(port, cookies[page.role]), pid) for page in pages]
        memory = span_mb(pid, EVERY_SECONDS + 5)  # a round of the sheets included
    return Result(Patient.objects.count(), TimelineEntry.objects.count(), figures, memory)


def _pages() -> list[Page]:
    from django.urls import reverse

    from ketaclinic.people.permissions import Role

    draw = random.Random(1)
    charts, sessions = _sample(draw)
    home = [
        Page(f"home, {role.label.lower()}", role, [reverse("journey:home")]) for role in Role if role is not Role.NURSE
    ]  # the floor
    return [
        *home,
        Page("floor board", "nurse", [reverse("treatment:floor")]),
        Page("wall display", "nurse", [reverse("treatment:wall")]),
        Page("patients, first page", "nurse", [reverse("journey:patients")]),
        Page("patients, search", "nurse", [reverse("journey:patients")], [{"words": letter} for letter in "abcdmrs"]),
        Page("chart", "prescriber", [reverse("journey:chart", args=[pk]) for pk in charts]),
        Page("timeline", "prescriber", [reverse("journey:timeline", args=[pk]) for pk in charts]),
        Page("session screen", "nurse", [reverse("treatment:session", args=[pk]) for pk in sessions]),
        Page("screening", "prescriber", [reverse("screening:patient", args=[pk]) for pk in charts]),
    ]


def _sample(draw: random.Random) -> tuple[list[int], list[int]]:
    """Return the patients with the longest timelines and others drawn at random, and sessions open and closed."""
    from django.db.models import Count

    from ketaclinic.people.models import Patient
    from ketaclinic.record.models import TimelineEntry
    from ketaclinic.treatment.models import Session

    counted = TimelineEntry.objects.order_by().values("patient_id").annotate(lines=Count("pk"))
    longest = [row["patient_id"] for row in counted.order_by("-lines")[:10]]
    everyone = list(Patient.objects.order_by("pk").values_list("pk", flat=True))
    newest = list(Session.objects.order_by("-at", "-pk").values_list("pk", flat=True)[:30])
    return longest + draw.sample(everyone, min(30, len(everyone))), newest


def signed_in(port: int, role: str) -> str:
    """Return the cookie of a person of the demo, signed in on the pages."""
    from ketaclinic.demo.clinic import SIGN_INS

    name = f"demo-{role.replace('_', '-')}"
    return sign_in(port, name, SIGN_INS[name])


def _figure(page: Page, visitor: Visitor, server: int) -> Figure:
    first = page.ask(visitor, 0).seconds
    slow = first > TOO_SLOW
    for number in range(0 if slow else max(WARM_UP, min(page.variants, 20))):
        page.ask(visitor, number)
    answers, cpu = [], []
    for number in range(2 if slow else ASKED):
        before = cpu_seconds(server)
        answers.append(page.ask(visitor, number))
        cpu.append((cpu_seconds(server) - before) * 1000)
    cuts = quantiles([answer.seconds * 1000 for answer in answers], n=20, method="inclusive")
    largest = max(answers, key=lambda answer: answer.wire_bytes)
    assets = {path.decode() for path in ASSET.findall(_plain(largest.body))}
    loaded = sum(visitor.get(path).wire_bytes for path in sorted(assets))
    return Figure(
        page.name,
        first * 1000,
        cuts[9],
        cuts[18],
        quantiles(cpu, n=20, method="inclusive")[18],
        max(
            _queries(visitor.headers["Cookie"], page, number) for number in range(1 if slow else min(5, page.variants))
        ),
        largest.wire_bytes / 1024,
        (largest.wire_bytes + loaded) / 1024,
    )


def _plain(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def _queries(cookie: str, page: Page, number: int) -> int:
    """Return how many queries one request makes, counted in this process by Django itself."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="127.0.0.1")
    name, _, value = cookie.partition("=")
    client.cookies[name] = value
    with CaptureQueriesContext(connection) as captured:
        page.ask_here(client, number)
    return len(captured)
