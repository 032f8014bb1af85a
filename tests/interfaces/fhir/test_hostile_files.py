"""Files that attack: each is refused in a clear sentence, quickly, in bounded memory; the server goes on."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from benchmarks.machine import cpu_seconds
from ketaclinic.cli.main import run
from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from tests.interfaces.fhir.bundles import ALL, as_bytes, bundle
from tests.support.attacks import FILES, MB, NAMES
from tests.support.figures import write_figures
from tests.support.people import make_staff
from tests.support.server import Hand, Server, new_key

BOUNDARY = "----kc"
QUICK_S = 2.0
MOST_MB = 900
"""What the server may hold at its worst moment: a file of the largest size, as bytes, as text and in parts."""


def part(name: str, data: bytes, file: str | None = None) -> bytes:
    told = f'; filename="{file}"' if file is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'
    return head.encode("utf-8", "surrogateescape") + data + b"\r\n"


def send(hand: Hand, *parts: bytes, path: str = "/fhir/import/", **headers: str) -> tuple[int, str, str]:
    """Send a form with files over the wire; return status, where it leads and the page."""
    body = b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
    ours = {
        "Cookie": f"sessionid={hand.session}; csrftoken={'k' * 32}",
        "X-CSRFToken": "k" * 32,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Idempotency-Key": new_key(),
        **headers,
    }
    with closing(http.client.HTTPConnection("127.0.0.1", hand.port, timeout=60)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # what is far too large is answered before all of it came
            connection.request("POST", path, body, ours)
        reply = connection.getresponse()
        return reply.status, reply.getheader("Location") or "", reply.read().decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server on its own data, with a folder of its own for temporary files."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "tmp").mkdir()
    one = Server(folder / "var", environment={"TMPDIR": str(folder / "tmp")})
    one.migrate()
    one.made = one.inside("seed")  # type: ignore[attr-defined]
    one.start()
    yield one
    one.stop()


def worker_of(server: Server) -> int:
    """Return the process that answers: the child that does not step back, as the writer of the sheets does."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    usual = os.getpriority(os.PRIO_PROCESS, server.pid)
    (worker,) = [int(pid) for pid in children if os.getpriority(os.PRIO_PROCESS, int(pid)) == usual]
    return worker


def peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def told_at(hand: Hand, status: int, location: str, page: str) -> str:
    """Return what the person reads in the end; a large file is read beside the request."""
    if status != 302:
        return page
    until = time.monotonic() + 120
    while time.monotonic() < until:
        page = hand.get(location).text
        if "the import goes on" not in page:
            return page
        time.sleep(0.1)
    return page


def files_of(server: Server) -> list[str]:
    """Return what lies in the data folder beside the database, the static files and the sheets, written meanwhile."""
    found = (p for p in server.folder.rglob("*") if not {"static", "downtime"} & set(p.parts))
    return sorted(p.name for p in found if not p.name.startswith("ketaclinic.sqlite3"))


def test_every_hostile_file_is_refused_by_a_server_that_goes_on(server: Server) -> None:
    made: dict[str, Any] = server.made  # type: ignore[attr-defined]
    hand, pid = server.sign_in(made["staff"]["nurse"]), worker_of(server)
    slowest, kept = 0.0, files_of(server)
    patients = server.rows("SELECT count(*) FROM people_patient")
    for name, (make, sentence) in FILES.items():
        data, before = make(), cpu_seconds(pid)
        status, location, page = send(hand, part("file", data, "record.json"))
        page = told_at(hand, status, location, page)
        spent = cpu_seconds(pid) - before
        assert status in (302, 413, 422) and sentence in page, (name, status, page[page.find("<main") :][:2_500])
        assert spent < QUICK_S, (name, spent)
        slowest = max(slowest, spent)
        assert hand.get("/patients/").status == 200, name
    assert server.rows("SELECT count(*) FROM people_patient") == patients
    peak = peak_mb(pid)
    assert peak < MOST_MB, peak
    assert files_of(server) == kept
    assert list((server.folder.parent / "tmp").rglob("*")) == [], "nothing was spooled outside of the data folder"
    assert "Traceback" not in server.told()
    write_figures(
        "hostile-files",
        {
            "files refused": len(FILES),
            "slowest seconds of CPU": round(slowest, 2),
            "peak MB of the server": round(peak),
        },
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_never_kept_under_the_name_it_brings(server: Server, name: str) -> None:
    made: dict[str, Any] = server.made  # type: ignore[attr-defined]
    hand = server.sign_in(made["staff"]["nurse"])
    status, location, page = send(hand, part("file", b"{}", name.replace('"', "%22")))
    assert status in (302, 400, 422)
    page = hand.get(location).text if status == 302 else page
    assert "<img src=x" not in page and "\u202e" not in page and "../" not in page
    for (shown,) in server.rows("SELECT file_name FROM fhir_fhirimport"):
        assert shown.isprintable() and len(shown) <= 120 and "/" not in shown and "\\" not in shown
    assert not list(server.folder.parent.rglob("*passwd*")) and not list(server.folder.parent.rglob("*record.json*"))


def many_parts(number: int) -> list[bytes]:
    return [part(f"f{n}", b"1") for n in range(number)]


ABUSE: dict[str, tuple[list[bytes], dict[str, str], set[int]]] = {
    "many fields": (many_parts(2_000), {}, {400}),
    "many files": ([part(f"file{n}", b"{}", "a.json") for n in range(40)], {}, {400}),
    "a large field": ([part("file", b"a" * (5 * MB))], {}, {400, 413}),
    "a head of a part that does not end": ([b"--" + BOUNDARY.encode() + b"\r\nX: " + b"a" * 70_000], {}, {400, 422}),
    "no boundary": ([part("file", b"{}", "a.json")], {"Content-Type": "multipart/form-data"}, {400}),
    "a wrong boundary": (
        [part("file", b"{}", "a.json")],
        {"Content-Type": "multipart/form-data; boundary=x"},
        {400, 422},
    ),
    "a name with a path": ([part("../file", b"{}", "a.json")], {}, {422}),
    "base64 that is none": (
        [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n".encode()
        ],
        {},
        {302, 400, 422},
    ),
}


@pytest.mark.parametrize("how", ABUSE)
def test_a_form_that_abuses_its_parts_is_refused(server: Server, how: str) -> None:
    parts, headers, expected = ABUSE[how]
    made: dict[str, Any] = server.made  # type: ignore[attr-defined]
    hand = server.sign_in(made["staff"]["nurse"])
    status, _, page = send(hand, *parts, **headers)
    assert status in expected, (status, page[-1_000:])
    assert "Traceback" not in page and hand.get("/patients/").status == 200


def test_heads_without_end_do_not_end_the_server(server: Server) -> None:
    made: dict[str, Any] = server.made  # type: ignore[attr-defined]
    hand = server.sign_in(made["staff"]["nurse"])
    for headers in ({f"X-{n}": "a" for n in range(2_000)}, {"X-Long": "a" * (2 * MB)}):
        with suppress(OSError, http.client.HTTPException):
            assert hand.get("/patients/", **headers).status in (200, 400, 413, 431)
        assert hand.get("/patients/").status == 200


@pytest.mark.django_db
@pytest.mark.parametrize("name", FILES)
def test_the_command_refuses_them_in_one_line(
    clinic: object, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_staff(clinic, Role.ADMINISTRATOR)  # type: ignore[arg-type]
    make, sentence = FILES[name]
    file = tmp_path / "record.json"
    file.write_bytes(make())
    before = time.process_time()
    assert run(["import", "fhir", str(file)]) == 1
    assert time.process_time() - before < QUICK_S
    told = capsys.readouterr().err
    assert sentence in told and told.count("\n") == 1 and not Patient.objects.exists()


def upload(client: Client, data: bytes) -> Any:
    return client.post("/fhir/import/", {"file": SimpleUploadedFile("record.json", data)}, follow=True)


@pytest.mark.django_db
@override_settings(IMPORT_MAX_BYTES=3_000)
def test_of_a_file_that_is_too_large_nothing_is_kept_in_memory(as_nurse: Client) -> None:
    answer = upload(as_nurse, as_bytes(bundle(*ALL)) + b" " * 200_000)
    assert answer.status_code == 422 and b"larger than the limit" in answer.content
    assert not FhirImport.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_second_large_file_waits_for_the_first(nurse: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ketaclinic.interfaces.fhir.actions._BESIDE", Semaphore(0))
    client = Client()
    client.force_login(nurse.user)
    page = upload(client, as_bytes(bundle(*ALL)) + b" " * (2 * MB)).content.decode()
    assert "Another large file is being imported" in page and not Patient.objects.exists()
    assert settings.FILE_UPLOAD_HANDLERS == ["ketaclinic.config.uploads.InMemoryOnly"]
