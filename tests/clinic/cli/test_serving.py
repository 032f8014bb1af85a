"""The demo built and served by the real command, twice on the same data."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from benchmarks.server import KETACLINIC, Visitor, free_port, serving, sign_in
from tests.support.ready import NOT_OURS


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty data folder that the commands use instead of the tests' database."""
    folder = tmp_path / "var"
    monkeypatch.setenv("KETACLINIC_DATA", str(folder))
    for name in NOT_OURS:
        monkeypatch.delenv(name, raising=False)
    return folder


def ketaclinic(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([KETACLINIC, *words], capture_output=True, text=True, timeout=120, check=False)


def signed_in(port: int, username: str, password: str) -> Visitor:
    return Visitor(port, sign_in(port, username, password))


@pytest.mark.takes_long
def test_the_demo_is_built_once_and_served_twice(data: Path) -> None:
    built = ketaclinic("demo", "--patients", "12", "--json")
    assert built.returncode == 0, built.stderr
    clinic = json.loads(built.stdout)
    prescriber = next(entry for entry in clinic["sign_ins"] if entry["role"] == "Prescriber")
    assert (data / "secret-key").stat().st_mode & 0o077 == 0

    with serving(data) as (port, _):
        for entry in clinic["sign_ins"]:  # each that is printed opens the demo
            page = signed_in(port, entry["username"], entry["password"]).get("/")
            assert page.status in (200, 302), entry["role"]
        page = signed_in(port, prescriber["username"], prescriber["password"]).get("/")
        assert page.status == 200 and clinic["clinic"].encode() in gzip.decompress(page.body)
        key = (data / "secret-key").read_text()

    again = ketaclinic("demo", "--if-empty")
    assert again.returncode == 0
    assert f"{clinic['patients']} synthetic patients" in again.stdout and "demo-nurse" in again.stdout

    with serving(data) as (port, _):
        assert signed_in(port, prescriber["username"], prescriber["password"]).get("/").status == 200
        assert (data / "secret-key").read_text() == key


def test_several_workers_need_postgresql(data: Path) -> None:
    refused = ketaclinic("serve", "--workers", "2", "--port", "18999")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1 and "PostgreSQL" in refused.stderr


def test_an_address_that_is_not_ours_cannot_be_listened_on(data: Path) -> None:
    refused = ketaclinic("serve", "--host", "192.0.2.1", "--port", "18998")
    assert refused.returncode == 3
    assert "cannot listen on 192.0.2.1" in refused.stderr


def test_checking_creates_nothing(data: Path) -> None:
    refused = ketaclinic("check")
    assert refused.returncode == 1 and "there is no data in" in refused.stderr
    assert not data.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "foo://x"),
        ("KETACLINIC_IMPORT_MAX_MB", "abc"),
        ("KETACLINIC_IMPORT_MAX_MB", "-1"),
        ("KETACLINIC_HTTPS", "maybe"),
    ],
)
def test_a_setting_nobody_understands_is_named(
    data: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    data.mkdir()
    monkeypatch.setenv(name, value)
    refused = ketaclinic("check")
    assert refused.returncode == 3
    assert refused.stderr.startswith("ketaclinic: a setting is wrong: " + name) and refused.stderr.count("\n") == 1


def test_ctrl_c_in_a_terminal_ends_all_of_it_at_once(data: Path) -> None:
    """It reaches every process; a worker that was told twice used to wait until it was killed."""
    port = free_port()
    words = [KETACLINIC, "serve", "--port", str(port)]
    server = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    until = time.monotonic() + 60
    while not _answers(port):
        assert time.monotonic() < until
        time.sleep(0.1)
    os.killpg(server.pid, signal.SIGINT)
    told, _ = server.communicate(timeout=60)
    assert server.returncode in (0, 130) and "Killing" not in told and "Traceback" not in told, told


def _answers(port: int) -> bool:
    with suppress(OSError, HTTPException), closing(HTTPConnection("127.0.0.1", port, timeout=5)) as visitor:
        visitor.request("GET", "/sign-in/")
        return visitor.getresponse().status == 200
    return False


@pytest.mark.parametrize("words", [["downtime"], ["backup"], ["audit", "verify"], ["export", "fhir", "K-1"]])
def test_where_there_is_no_record_none_is_made_by_looking(data: Path, words: list[str]) -> None:
    refused = ketaclinic(*words)
    assert refused.returncode == 1 and f"there is no record in {data}" in refused.stderr
    assert list(data.glob("*.sqlite3")) == []
