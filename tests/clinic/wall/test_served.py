"""The real server with two workers under its own role: every page it links to is there, and only one clinic's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import psycopg
import pytest

from benchmarks.server import Visitor, sign_in
from tests.clinic.access.people import PASSWORD, code_at
from tests.support.server import Hand, Reply, Server
from tests.support.walled import Walled, walled

LINK = re.compile(r'href="(/[^"#]*)"')
PAGES_A_ROLE = 30
Floor = dict[str, Any]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walled]:
    with walled(tmp_path_factory.mktemp("served") / "var", demo=True) as found:
        yield found


@pytest.fixture(scope="module")
def server(house: Walled) -> Iterator[Server]:
    owner = {"KETACLINIC_OWNER_URL": house.owner}
    server = Server(house.data, database_url=house.server, workers=2, environment=owner)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def floor(server: Server) -> Floor:
    """Return a second clinic with its people and sessions under way."""
    found: Floor = server.inside("seed")
    return found


def ask(house: Walled, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(house.superuser) as everything:
        return everything.execute(question).fetchall()


def links(page: str) -> list[str]:
    found = dict.fromkeys(unescape(link) for link in LINK.findall(page))
    return [link for link in found if not link.startswith("/static/") and "sign-out" not in link]


def walk(hand: Hand) -> dict[str, int]:
    """Follow links from the first page, one page of each kind before a second of any; return their answers."""
    kinds: set[str] = set()
    waiting, seen = ["/"], {}
    while waiting and len(seen) < PAGES_A_ROLE:
        path = next((p for p in waiting if _kind(p) not in kinds), waiting[0])
        waiting.remove(path)
        kinds.add(_kind(path))
        reply = hand.get(path)
        seen[path] = reply.status
        html = reply.headers.get("Content-Type", reply.headers.get("content-type", "")).startswith("text/html")
        waiting += [link for link in links(reply.text if html else "") if link not in seen and link not in waiting]
    return seen


def _kind(path: str) -> str:
    return re.sub(r"\d+", "N", path.partition("?")[0])


def test_every_page_that_is_linked_to_is_there(house: Walled, server: Server) -> None:
    wrong, walked = {}, 0
    for number, role in ask(house, "SELECT id, role FROM people_staff ORDER BY id"):
        pages = walk(server.sign_in(int(str(number))))
        walked += len(pages)
        wrong |= {f"{role}: {path}": status for path, status in pages.items() if status not in (200, 302, 403)}
    assert wrong == {} and walked > 100


def test_what_is_written_under_the_servers_role_is_there(house: Walled, server: Server, floor: Floor) -> None:
    desk, nurse = (server.sign_in(floor["staff"][role]) for role in ("front_desk", "nurse"))
    person = {"given_name": "Synthetic", "family_name": "Newcomer", "birth_date": "1980-02-03", "sex": "female"}
    assert desk.post("/patients/new/", {**person, "language": "en"}).status == 302
    assert nurse.record(floor["sessions"]["1"], systolic="118", diastolic="76", heart_rate="70").status == 200
    written = "SELECT clinic_id FROM people_patient WHERE family_name = 'Newcomer'"
    assert ask(house, written) == [(floor["clinic"],)]


def test_signing_in_finds_the_person_before_the_clinic_is_known(house: Walled, server: Server, floor: Floor) -> None:
    nurse = floor["staff"]["nurse"]
    who = f"SELECT username FROM people_user u JOIN people_staff s ON s.user_id = u.id WHERE s.id = {nurse}"
    name, failed = str(ask(house, who)[0][0]), "SELECT clinic_id FROM audit_auditentry WHERE action = 'sign_in_failed'"
    for username in (name, "nobody-of-this-name"):
        with pytest.raises(RuntimeError, match="answered with"):
            sign_in(server.port, username, "not the password")
    assert {row[0] for row in ask(house, failed)} == {floor["clinic"], None}
    second = Visitor(server.port, sign_in(server.port, name, "correct horse battery")).get("/sign-in/set-up/")
    assert second.status == 200


@pytest.fixture(scope="module")
def ways_in(server: Server, floor: Floor) -> dict[str, str]:
    """Return the user names of a therapist with an app and of a patient, and the secret of the app."""
    told = {"staff_pk": floor["staff"]["therapist"], "patient_pk": floor["patients"][0], "password": PASSWORD}
    found: dict[str, str] = server.inside("ways_in", **told)
    return found


def _led_to(hand: Hand, reply: Reply) -> tuple[Hand, str]:
    """Return the browser with the session it was given, and where it was sent."""
    assert reply.status == 302, reply.text
    cookies: SimpleCookie = SimpleCookie()
    for given in reply.headers.get_all("Set-Cookie") or []:
        cookies.load(given)
    return Hand(hand.port, cookies["sessionid"].value), reply.headers["Location"]


def _type_password(port: int, username: str, password: str = PASSWORD) -> Reply:
    return Hand(port).post("/sign-in/", {"username": username, "password": password})


def test_password_and_code_let_a_member_of_staff_in(server: Server, ways_in: dict[str, str]) -> None:
    """The second factor is found before the clinic is known."""
    hand, led = _led_to(Hand(server.port), _type_password(server.port, ways_in["member"]))
    assert led == "/sign-in/second/"
    code = code_at(ways_in["secret"], datetime.now(UTC))
    hand, led = _led_to(hand, hand.post(led, {"code": code}))
    assert led == "/" and hand.get("/account/").status == 200


def test_a_patient_signs_in_and_what_fails_stands_in_their_clinics_log(
    house: Walled, server: Server, floor: Floor, ways_in: dict[str, str]
) -> None:
    assert _type_password(server.port, ways_in["patient"], "not the password").status == 422
    failed = "SELECT clinic_id FROM audit_auditentry WHERE action = 'sign_in_failed' ORDER BY id DESC LIMIT 1"
    assert ask(house, failed) == [(floor["clinic"],)]
    hand, led = _led_to(Hand(server.port), _type_password(server.port, ways_in["patient"]))
    assert led == "/" and hand.get("/me/").status == 200


def test_another_clinic_served_by_the_same_workers_finds_nothing(house: Walled, server: Server, floor: Floor) -> None:
    """Two clinics in turn on the same connections, with a stranger between them."""
    of = {clinic: _numbers(house, f"SELECT id FROM people_patient WHERE clinic_id = {clinic}") for clinic in (1, 2)}
    nurses = {
        1: _numbers(house, "SELECT id FROM people_staff WHERE role = 'nurse' AND clinic_id = 1").pop(),
        2: floor["staff"]["nurse"],
    }
    hands, stranger = {clinic: server.sign_in(pk) for clinic, pk in nurses.items()}, Hand(server.port)
    assert floor["clinic"] == 2
    for _ in range(10):
        for clinic, hand in hands.items():
            shown = {int(number) for number in re.findall(r"/patients/(\d+)/", hand.get("/patients/").text)}
            assert shown and shown <= of[clinic]
        assert stranger.get("/patients/").status == 302


def _numbers(house: Walled, question: str) -> set[int]:
    return {int(str(number)) for (number,) in ask(house, question)}


def test_more_connections_than_there_are_is_refused_before_the_first_request(house: Walled) -> None:
    refused = house.command("serve", "--port", "18997", "--workers", "32", KETACLINIC_POOL_MAX="4")
    assert refused.returncode == 1 and "fewer connections than the workers may take" in refused.stderr


def test_a_server_whose_tables_are_not_ready_says_so(tmp_path: Path, house: Walled) -> None:
    nobody = house.server.replace("kc_server", "nobody_at_all")
    refused = house.command("serve", "--port", "18996", DATABASE_URL=nobody, KETACLINIC_OWNER_URL="")
    assert refused.returncode == 1 and "could not be brought up to date" in refused.stderr
