"""Password first, second factor next; before both nothing else opens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from ketaclinic.access import factors
from ketaclinic.access.models import Presence
from ketaclinic.audit.models import AuditEntry
from ketaclinic.people.models import Clinic, Staff, User
from ketaclinic.people.permissions import Role
from tests.clinic.access.people import Phone, is_in, sign_in, type_code, type_password, with_app
from tests.support.clock import Clock
from tests.support.people import NOON, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.real_sign_in]


def test_password_and_code_let_a_person_in(clock: Clock, nurse: Staff, phone: Phone, client: Client) -> None:
    assert client.get("/")["Location"] == "/sign-in/?next=/"
    first = client.post(
        "/sign-in/?next=/patients/", {"username": nurse.user.username, "password": "correct horse battery"}
    )
    assert first["Location"] == "/sign-in/second/" and not is_in(client)
    assert client.get("/sign-in/second/").status_code == 200
    assert type_code(client, phone.shows(clock.at))["Location"] == "/patients/"
    assert is_in(client)
    presence = Presence.objects.get(user=nurse.user)
    assert (presence.started_at, presence.confirmed_at) == (NOON, NOON)
    entry = AuditEntry.objects.get(action="sign_in")
    assert (entry.actor_id, entry.clinic_id, entry.at) == (nurse.pk, nurse.clinic_id, NOON)
    assert entry.reason == "by password and app, Unknown browser"
    assert client.get("/sign-in/")["Location"] == "/"


def test_between_password_and_code_every_page_is_closed(
    clock: Clock, nurse: Staff, phone: Phone, client: Client
) -> None:
    type_password(client, nurse.user.username)
    for address in ("/", "/patients/", "/account/", "/account/second-factor/", "/account/recovery-codes/", "/staff/"):
        assert client.get(address)["Location"].startswith("/sign-in/?next="), address
    assert client.get("/sign-in/set-up/")["Location"] == "/sign-in/"


def test_a_wrong_code_is_refused_and_a_code_holds_once(
    clock: Clock, nurse: Staff, phone: Phone, client: Client
) -> None:
    type_password(client, nurse.user.username)
    assert type_code(client, "000000").status_code == 422
    assert type_code(client, "").status_code == 422
    code = phone.shows(clock.at)
    assert type_code(client, f"{code[:3]} {code[3:]}").status_code == 302
    other = Client()
    type_password(other, nurse.user.username)
    assert type_code(other, code).status_code == 422, "a code must not hold twice"
    clock.pass_minutes(1)
    assert type_code(other, phone.shows(clock.at)).status_code == 302


def test_a_code_of_a_minute_ago_holds_no_longer(clock: Clock, nurse: Staff, phone: Phone, client: Client) -> None:
    type_password(client, nurse.user.username)
    assert type_code(client, phone.shows(clock.at - timedelta(minutes=1))).status_code == 422
    assert type_code(client, phone.shows(clock.at - timedelta(seconds=30))).status_code == 302


def test_a_recovery_code_holds_once_and_says_how_many_are_left(
    clock: Clock, nurse: Staff, phone: Phone, client: Client
) -> None:
    code = factors.recovery_codes(nurse.user)[3]
    type_password(client, nurse.user.username)
    assert type_code(client, f"{code[:5]} {code[5:]}").status_code == 302
    assert "9 are left" in client.get("/account/").content.decode()
    assert AuditEntry.objects.get(action="sign_in").reason.startswith("by password and recovery code,")
    again = Client()
    type_password(again, nurse.user.username)
    assert type_code(again, code).status_code == 422


def test_the_way_in_must_be_gone_in_a_quarter_of_an_hour(
    clock: Clock, nurse: Staff, phone: Phone, client: Client
) -> None:
    type_password(client, nurse.user.username)
    clock.pass_minutes(15)
    assert type_code(client, phone.shows(clock.at))["Location"] == "/sign-in/"
    assert not is_in(client)


def test_a_password_changed_meanwhile_ends_the_way_in(clock: Clock, nurse: Staff, phone: Phone, client: Client) -> None:
    type_password(client, nurse.user.username)
    nurse.user.set_password("quite another phrase")
    nurse.user.save()
    assert type_code(client, phone.shows(clock.at))["Location"] == "/sign-in/"


def test_who_has_no_second_factor_sets_one_up_and_is_shown_codes_once(
    clock: Clock, nurse: Staff, client: Client
) -> None:
    assert type_password(client, nurse.user.username)["Location"] == "/sign-in/set-up/"
    page = client.get("/sign-in/set-up/")
    assert "<svg" in page.content.decode() and "<?xml" not in page.content.decode()
    assert not is_in(client)
    new = Phone(client.session["access.app_secret"])
    assert client.post("/sign-in/set-up/", {"code": "123"}).status_code == 422
    assert client.post("/sign-in/set-up/", {"code": new.shows(clock.at)})["Location"] == "/account/recovery-codes/"
    assert AuditEntry.objects.get(action="sign_in").reason.startswith("by password and new app,")
    shown = client.get("/account/recovery-codes/").content.decode()
    codes = factors.recovery_codes(nurse.user)
    assert len(codes) == 10 and all(f"{code[:5]} {code[5:]}" in shown for code in codes)
    assert client.post("/account/recovery-codes/")["Location"] == "/"
    assert client.get("/account/recovery-codes/")["Location"] == "/account/"
    kept = str(list(nurse.user.authenticator_set.values_list("data", flat=True)))
    assert new.secret not in kept and not any(code in kept for code in codes), "secrets are encrypted at rest"


def test_a_session_gets_a_new_id_at_each_step(clock: Clock, nurse: Staff, phone: Phone, client: Client) -> None:
    client.post("/sign-in/passkey/", {"for": "use"})
    seen = [client.cookies["sessionid"].value]
    type_password(client, nurse.user.username)
    seen.append(client.cookies["sessionid"].value)
    type_code(client, phone.shows(clock.at))
    seen.append(client.cookies["sessionid"].value)
    assert len(set(seen)) == 3
    for old in seen[:2]:  # an id somebody planted or saw before is worth nothing
        thief = Client()
        thief.cookies["sessionid"] = old
        assert not is_in(thief)


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "\\\\evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///x",
    ],
)
def test_nobody_is_sent_elsewhere(target: str, clock: Clock, nurse: Staff, phone: Phone, client: Client) -> None:
    page = client.get("/sign-in/", {"next": target})
    assert '<input type="hidden" name="next" value="/">' in page.content.decode()
    client.post("/sign-in/", {"username": nurse.user.username, "password": "correct horse battery", "next": target})
    assert type_code(client, phone.shows(clock.at))["Location"] == "/"
    assert client.get("/sign-in/", {"next": target})["Location"] == "/"
    assert client.get("/locked/", {"next": target})["Location"] == "/"


def test_a_sign_in_from_another_page_is_refused(nurse: Staff, phone: Phone) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert type_password(strict, nurse.user.username).status_code == 403
    token = strict.get("/sign-in/").context["csrf_token"]
    data = {"username": nurse.user.username, "password": "correct horse battery", "csrfmiddlewaretoken": str(token)}
    assert strict.post("/sign-in/", data).status_code == 302


def test_signing_out_ends_the_session_on_the_server(at_work: Client, nurse: Staff) -> None:
    cookie = at_work.cookies["sessionid"].value
    assert at_work.get("/sign-out/").status_code == 405
    at_work.post("/sign-out/")
    replay = Client()
    replay.cookies["sessionid"] = cookie
    assert not is_in(replay)
    assert not Presence.objects.exists()


@override_settings(HTTPS=True, SESSION_COOKIE_SECURE=True)
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(at_work: Client) -> None:
    for name in ("sessionid", "device"):
        cookie = at_work.cookies[name]
        assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/" and not cookie["domain"]


# ---- the demo ------------------------------------------------------------------------------------------------------


@pytest.fixture
def public_person(clinic: Clinic) -> Staff:
    member = make_staff(clinic, Role.NURSE)
    member.user.set_password("synthetic-people-only")
    member.user.save()
    return member


def _try(member: Staff, **extra: Any) -> Any:
    return type_password(Client(), member.user.username, "synthetic-people-only", **extra)


def test_a_public_password_opens_nothing_outside_the_demo(clock: Clock, public_person: Staff) -> None:
    wrong = type_password(Client(), public_person.user.username, "wrong")
    reply = _try(public_person)
    assert reply.status_code == wrong.status_code == 422 and b"Not signed in." in reply.content


@override_settings(DEMO=True)
def test_in_the_demo_it_does_on_this_machine_without_a_second_factor(clock: Clock, public_person: Staff) -> None:
    assert _try(public_person)["Location"] == "/"
    assert AuditEntry.objects.get(action="sign_in").reason.startswith("by password,")
    assert _try(public_person, REMOTE_ADDR="::1")["Location"] == "/"
    assert _try(public_person, REMOTE_ADDR="192.0.2.7").status_code == 422
    assert _try(public_person, HTTP_X_FORWARDED_FOR="192.0.2.7").status_code == 422, "a proxy nobody named"
    assert _try(public_person, HTTP_X_FORWARDED_FOR="127.0.0.1").status_code == 422
    Staff.objects.filter(pk=public_person.pk).update(synthetic=False)
    assert _try(public_person).status_code == 422


@override_settings(DEMO=True)
def test_who_sets_up_a_factor_in_the_demo_is_asked_for_it(clock: Clock, public_person: Staff) -> None:
    phone = with_app(public_person, NOON - timedelta(hours=1))
    client = Client()
    assert type_password(client, public_person.user.username, "synthetic-people-only")["Location"] == "/sign-in/second/"
    assert type_code(client, phone.shows(clock.at)).status_code == 302


@override_settings(DEMO=True)
def test_real_people_need_their_second_factor_in_the_demo_too(clock: Clock, clinic: Clinic) -> None:
    member = make_staff(clinic, Role.NURSE, synthetic=False)
    assert type_password(Client(), member.user.username)["Location"] == "/sign-in/set-up/"


def test_a_session_without_its_presence_is_nobodys(clock: Clock, nurse: Staff, client: Client) -> None:
    client.force_login(nurse.user)
    assert not is_in(client)
    assert User.objects.filter(pk=nurse.user_id).exists()


def test_the_whole_way_in_leaves_no_failures_behind(at_work: Client, nurse: Staff) -> None:
    from ketaclinic.access.models import FailedAttempt

    assert not FailedAttempt.objects.exists()


def test_sign_in_again_after_twelve_hours(clock: Clock, at_work: Client, nurse: Staff, phone: Phone) -> None:
    for _ in range(12 * 12 - 1):
        clock.pass_minutes(5)
        assert is_in(at_work)
    clock.pass_minutes(5)
    assert not is_in(at_work)
    assert not Presence.objects.exists()
    sign_in(Client(), nurse, phone, clock.at)
