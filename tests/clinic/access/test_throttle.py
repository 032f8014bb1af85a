"""Guessing is slowed down, by whoever and from wherever, and no outsider can shut a clinic out with it."""

from __future__ import annotations

import json
import random
import statistics
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.test import Client, override_settings

from ketaclinic.access.models import FailedAttempt
from ketaclinic.audit.models import AuditEntry
from ketaclinic.config.environment import networks
from ketaclinic.config.proxies import client_address
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from tests.clinic.access.people import Phone, is_in, sign_in, type_code, type_password
from tests.support.clock import Clock
from tests.support.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.real_sign_in]

OUTSIDE, CLINIC = {"REMOTE_ADDR": "203.0.113.9"}, {"REMOTE_ADDR": "192.0.2.10"}


def test_five_wrong_passwords_close_the_door_for_a_quarter_of_an_hour(
    clock: Clock, nurse: Staff, phone: Phone, client: Client
) -> None:
    name = nurse.user.username
    assert [type_password(client, name, "wrong").status_code for _ in range(7)] == [422] * 5 + [429] * 2
    reply = type_password(client, name)
    assert reply.status_code == 429, "even the right one: otherwise guessing goes on behind the door"
    assert b"Wait 15 minutes" in reply.content and reply["Retry-After"] == "900"
    clock.pass_minutes(14)
    assert b"Wait 1 minute," in type_password(client, name).content
    clock.pass_minutes(1)
    assert type_password(client, name).status_code == 302


def test_upper_case_and_spaces_make_no_new_person(clock: Clock, nurse: Staff, client: Client) -> None:
    name = nurse.user.username
    spellings = [name, name.upper(), f" {name}", f"{name} ", name.title()]
    assert [type_password(client, spelling, "wrong").status_code for spelling in spellings] == [422] * 5
    assert type_password(client, name, "wrong").status_code == 429


def test_names_that_do_not_exist_close_in_the_same_way(clock: Clock, client: Client) -> None:
    assert [type_password(client, "nobody", "wrong").status_code for _ in range(6)] == [422] * 5 + [429]


def test_what_was_typed_is_not_kept(clock: Clock, client: Client, db: None) -> None:
    type_password(client, "my-password-by-mistake", "secret-phrase")
    kept = str(list(FailedAttempt.objects.values())) + str(list(AuditEntry.objects.values()))
    assert "my-password-by-mistake" not in kept and "secret-phrase" not in kept
    entry = AuditEntry.objects.get(action="sign_in_failed")
    assert (entry.actor_kind, entry.clinic_id, entry.object_id) == ("unknown", None, "")


def test_a_failure_is_written_down_with_the_clinic_it_was_aimed_at(clock: Clock, nurse: Staff, client: Client) -> None:
    type_password(client, nurse.user.username, "wrong", **OUTSIDE)
    entry = AuditEntry.objects.get(action="sign_in_failed")
    assert (entry.actor_kind, entry.clinic_id, entry.object_id) == ("unknown", nurse.clinic_id, str(nurse.user_id))
    assert entry.reason == "password, from 203.0.113.9"


def test_one_password_tried_on_many_people_closes_the_address(clock: Clock, client: Client, db: None) -> None:
    replies = [type_password(client, f"person-{n}", "Spring2026!", **OUTSIDE).status_code for n in range(45)]
    assert replies == [422] * 40 + [429] * 5
    assert type_password(Client(), "person-99", "x", **CLINIC).status_code == 422


def test_guessing_from_many_addresses_closes_the_person_to_strangers_only(
    clock: Clock, nurse: Staff, phone: Phone
) -> None:
    at_the_clinic = Client()
    sign_in(at_the_clinic, nurse, phone, clock.at, **CLINIC)
    at_the_clinic.post("/sign-out/")
    clock.pass_minutes(5)
    name = nurse.user.username
    replies = [type_password(Client(), name, "wrong", REMOTE_ADDR=f"198.51.100.{n}").status_code for n in range(1, 56)]
    assert replies == [422] * 50 + [429] * 5
    assert type_password(Client(), name, REMOTE_ADDR="198.51.100.200").status_code == 429
    sign_in(at_the_clinic, nurse, phone, clock.at, **CLINIC)
    assert is_in(at_the_clinic)


def test_an_outsider_on_the_clinics_own_network_shuts_nobody_out(clock: Clock, nurse: Staff, phone: Phone) -> None:
    tablet = Client()
    sign_in(tablet, nurse, phone, clock.at, **CLINIC)
    tablet.post("/sign-out/")
    clock.pass_minutes(5)
    for n in range(60):
        type_password(Client(), nurse.user.username if n % 2 else f"guess-{n}", "wrong", **CLINIC)
    assert type_password(Client(), nurse.user.username, **CLINIC).status_code == 429
    sign_in(tablet, nurse, phone, clock.at, **CLINIC)


def test_a_known_device_counts_too_and_knows_only_its_own_people(
    clock: Clock, clinic: Clinic, nurse: Staff, phone: Phone
) -> None:
    tablet, other = Client(), make_staff(clinic, Role.NURSE)
    sign_in(tablet, nurse, phone, clock.at, **CLINIC)
    tablet.post("/sign-out/")
    replies = [type_password(tablet, nurse.user.username, "wrong", **CLINIC).status_code for _ in range(12)]
    assert replies == [422] * 10 + [429] * 2
    replies = [type_password(tablet, other.user.username, "wrong", **CLINIC).status_code for _ in range(6)]
    assert replies == [422] * 5 + [429]


def test_a_new_password_makes_a_stolen_device_cookie_worthless(clock: Clock, nurse: Staff, phone: Phone) -> None:
    stolen = Client()
    sign_in(stolen, nurse, phone, clock.at, **CLINIC)
    stolen.post("/sign-out/")
    nurse.user.set_password("quite another phrase")
    nurse.user.save()
    assert [type_password(stolen, nurse.user.username, "wrong").status_code for _ in range(6)] == [422] * 5 + [429]


@pytest.mark.parametrize("value", ["", "x", "eyJpZCI6IjEifQ:1vX:bad", "{}"])
def test_a_made_up_device_cookie_is_no_device(value: str, clock: Clock, nurse: Staff, client: Client) -> None:
    client.cookies["device"] = value
    assert [type_password(client, nurse.user.username, "wrong").status_code for _ in range(6)] == [422] * 5 + [429]


# ---- passkeys that name nobody -------------------------------------------------------------------------------------


def use_passkey(client: Client, passkey: str = "x", **extra: Any) -> int:
    """Send an answer that no passkey of ours gave; return the status."""
    reply = client.post("/sign-in/", {"credential": json.dumps({"id": passkey})}, **extra)
    return int(reply.status_code)


def test_made_up_passkeys_from_many_addresses_shut_nobody_out(clock: Clock, db: None) -> None:
    for n in range(60):
        use_passkey(Client(), REMOTE_ADDR=f"198.51.100.{n % 12}")
    assert use_passkey(Client(), **CLINIC) == 422
    assert use_passkey(Client(), "another", REMOTE_ADDR="198.51.100.1") == 422


def test_made_up_passkeys_on_the_clinics_own_network_close_themselves_only(
    clock: Clock, nurse: Staff, phone: Phone
) -> None:
    tablet = Client()
    sign_in(tablet, nurse, phone, clock.at, **CLINIC)
    tablet.post("/sign-out/")
    assert [use_passkey(Client(), **CLINIC) for _ in range(7)] == [422] * 5 + [429] * 2
    assert use_passkey(Client(), "another", **CLINIC) == 422
    assert [use_passkey(Client(), f"passkey-{n}", **CLINIC) for n in range(35)] == [422] * 34 + [429]
    assert use_passkey(tablet, **CLINIC) == 422


def test_a_browser_that_has_signed_somebody_in_has_its_own_counter_for_passkeys(
    clock: Clock, nurse: Staff, phone: Phone
) -> None:
    tablet = Client()
    sign_in(tablet, nurse, phone, clock.at, **CLINIC)
    tablet.post("/sign-out/")
    clock.pass_minutes(1)
    assert [use_passkey(tablet, f"passkey-{n}", **CLINIC) for n in range(12)] == [422] * 10 + [429] * 2
    assert use_passkey(Client(), "passkey-1", **CLINIC) == 422
    sign_in(tablet, nurse, phone, clock.at, **CLINIC)


@pytest.mark.parametrize("answer", ["[1]", "1", '{"id": []}'])
def test_an_answer_without_a_name_is_counted_too(answer: str, clock: Clock, client: Client, db: None) -> None:
    replies = [client.post("/sign-in/", {"credential": answer}).status_code for _ in range(6)]
    assert replies == [422] * 5 + [429]


# ---- second factors ------------------------------------------------------------------------------------------------


def test_codes_are_throttled_as_well(clock: Clock, nurse: Staff, phone: Phone, client: Client) -> None:
    type_password(client, nurse.user.username)
    assert [type_code(client, f"{n:06}").status_code for n in range(6)] == [422] * 5 + [429]
    assert type_code(client, phone.shows(clock.at)).status_code == 429
    clock.pass_minutes(14.9)
    assert type_code(client, phone.shows(clock.at)).status_code == 429


def test_twenty_wrong_codes_from_many_addresses_close_the_second_factor_for_a_day(
    clock: Clock, nurse: Staff, phone: Phone
) -> None:
    replies = []
    for n in range(1, 7):
        thief, place = Client(), {"REMOTE_ADDR": f"198.51.100.{n}"}
        type_password(thief, nurse.user.username, **place)
        replies += [type_code(thief, f"{k:06}", **place).status_code for k in range(4)]
        clock.pass_minutes(5)
    assert replies == [422] * 20 + [429] * 4


def test_old_failures_are_forgotten(clock: Clock, client: Client, db: None) -> None:
    type_password(client, "somebody", "wrong")
    clock.pass_days(3)
    type_password(client, "somebody-else", "wrong")
    assert FailedAttempt.objects.count() == 1


# ---- addresses -----------------------------------------------------------------------------------------------------


def _address(forwarded: str, remote: str, proxies: str, monkeypatch: pytest.MonkeyPatch) -> str:
    from django.test import RequestFactory

    monkeypatch.setenv("PROXIES_OF_THE_TEST", proxies)
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    with override_settings(PROXIES=networks("PROXIES_OF_THE_TEST")):
        return client_address(request)


@pytest.mark.parametrize(
    ("forwarded", "remote", "proxies", "right"),
    [
        ("198.51.100.1", "203.0.113.9", "", "203.0.113.9"),
        ("198.51.100.1", "10.0.0.1", "10.0.0.0/24", "198.51.100.1"),
        ("1.2.3.4, 198.51.100.1", "10.0.0.1", "10.0.0.0/24", "198.51.100.1"),
        ("198.51.100.1, 10.0.0.7", "10.0.0.1", "10.0.0.0/24", "198.51.100.1"),
        ("198.51.100.1", "10.0.1.1", "10.0.0.0/24", "10.0.1.1"),
        ("not an address", "10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("", "::ffff:192.0.2.1", "", "192.0.2.1"),
        ("", "", "", "0.0.0.0"),
    ],
)
def test_only_named_proxies_are_believed(
    forwarded: str, remote: str, proxies: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _address(forwarded, remote, proxies, monkeypatch) == right


def test_an_invented_header_makes_no_new_address(clock: Clock, nurse: Staff, client: Client) -> None:
    replies = [
        type_password(client, nurse.user.username, "wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code
        for n in range(6)
    ]
    assert replies == [422] * 5 + [429]


def test_a_whole_ipv6_network_is_one_address(clock: Clock, nurse: Staff, client: Client) -> None:
    replies = [
        type_password(client, nurse.user.username, "wrong", REMOTE_ADDR=f"2001:db8::{n}").status_code
        for n in range(1, 7)
    ]
    assert replies == [422] * 5 + [429]


# ---- who exists is not told ----------------------------------------------------------------------------------------

PBKDF2 = "tests.clinic.access.test_throttle.ShortPbkdf2"


class ShortPbkdf2(PBKDF2PasswordHasher):
    """Django's own, with fewer rounds: a difference beside the hashing shows more clearly."""

    iterations = 40_000


def _accounts(clinic: Clinic) -> dict[str, str]:
    """Return one name for each way in which nobody gets in."""
    known, closed, invited = (make_staff(clinic, Role.NURSE) for _ in range(3))
    for member in (known, closed):
        member.user.password = make_password("right", hasher="pbkdf2_sha256")
        member.user.save()
    Staff.objects.filter(pk=closed.pk).update(is_active=False)
    invited.user.set_unusable_password()
    invited.user.save()
    names = {"known": known, "closed": closed, "invited": invited}
    return {"unknown": "nobody-at-all", **{kind: member.user.username for kind, member in names.items()}}


@override_settings(PASSWORD_HASHERS=[PBKDF2])
def test_the_replies_are_the_same_to_the_byte(clock: Clock, clinic: Clinic) -> None:
    replies = {}
    for kind, name in _accounts(clinic).items():
        client = Client()
        page = client.get("/sign-in/")
        password = "right" if kind == "closed" else "wrong"
        reply = type_password(client, name, password)
        token = str(page.context["csrf_token"]), str(reply.context["csrf_token"])
        body = reply.content.decode()
        for secret in (*token, name):
            body = body.replace(secret, "*")
        replies[kind] = (reply.status_code, sorted(reply.headers), sorted(reply.cookies), body)
    assert len({str(reply) for reply in replies.values()}) == 1, {k: v[:3] for k, v in replies.items()}


def _rank_overlap(one: list[float], other: list[float]) -> float:
    """Return how often a time of one is longer than one of the other: 0.5 where nothing tells them apart."""
    wins = sum((a > b) + 0.5 * (a == b) for a in one for b in other)
    return wins / (len(one) * len(other))


@override_settings(PASSWORD_HASHERS=[PBKDF2])
def test_the_times_do_not_tell_who_exists(clock: Clock, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mann-Whitney over 120 attempts of each kind, in random order: the overlap of ranks stays near one half.

    An attacker who saw the difference of one hashing would find it at 0 or 1.
    """
    for name in ("PERSON_AND_ADDRESS", "ADDRESS", "PERSON"):
        limit = __import__("ketaclinic.access.throttle", fromlist=[name])
        monkeypatch.setattr(limit, name, limit.Limit(10_000, timedelta(minutes=15)))
    names, times, client = _accounts(clinic), {}, Client()
    order = [kind for kind in names for _ in range(120)]
    random.Random(1).shuffle(order)
    for kind in names:  # the first of each warms up
        type_password(client, names[kind], "wrong")
    for kind in order:
        begun = time.process_time()
        reply = type_password(client, names[kind], "right" if kind == "closed" else "wrong")
        times.setdefault(kind, []).append(time.process_time() - begun)
        assert reply.status_code == 422
    overlaps: dict[str, Any] = {
        kind: round(_rank_overlap(times[kind], times["known"]), 2) for kind in names if kind != "known"
    }
    middles = {kind: round(statistics.median(values) * 1000, 2) for kind, values in times.items()}
    assert all(0.25 < overlap < 0.75 for overlap in overlaps.values()), (overlaps, middles)


@override_settings(PASSWORD_HASHERS=[PBKDF2])
def test_the_throttle_is_not_the_way_round(clock: Clock, clinic: Clinic) -> None:
    """Whether a door is closed says nothing about whether somebody lives behind it."""
    seen = {}
    for kind, name in _accounts(clinic).items():
        client = Client()
        seen[kind] = [
            type_password(client, name, "wrong", REMOTE_ADDR=f"198.51.100.{len(seen) + 1}").status_code
            for _ in range(7)
        ]
    assert len({str(codes) for codes in seen.values()}) == 1
