"""A session nobody sits at is locked: it shows the floor without names, and lets nothing be read or written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from ketaclinic.access.models import Presence
from ketaclinic.audit.models import AuditEntry
from ketaclinic.people.models import Patient, Staff
from tests.clinic.access.people import PASSWORD, Phone, is_in, sign_in
from tests.support.clock import Clock
from tests.support.doors import path_of
from tests.support.people import NOON, make_patient
from tests.support.routes import ROUTES

pytestmark = [pytest.mark.django_db, pytest.mark.real_sign_in]

OPEN_WHILE_LOCKED = {
    "access:locked",
    "access:unlock",
    "access:state",
    "access:sign_out",
    "access:passkey_options",
    "treatment:wall_live",
}


@pytest.fixture
def locked(at_work: Client, clock: Clock) -> Client:
    clock.pass_minutes(10)
    return at_work


def test_it_locks_after_ten_minutes_and_not_before(at_work: Client, clock: Clock) -> None:
    clock.pass_minutes(9.9)
    assert is_in(at_work)
    clock.pass_minutes(10)
    assert at_work.get("/patients/?words=a")["Location"] == "/locked/?next=%2Fpatients%2F%3Fwords%3Da"
    assert AuditEntry.objects.get(action="lock").reason == "nobody was there"


@override_settings(IDLE=timedelta(minutes=2))
def test_the_clinic_says_how_long(at_work: Client, clock: Clock) -> None:
    clock.pass_minutes(2)
    assert not is_in(at_work)


def test_a_locked_session_reaches_nothing_but_what_is_named(locked: Client, nurse: Staff, patient: Patient) -> None:
    name, before = str(patient), AuditEntry.objects.count()
    for route in ROUTES:
        if route in OPEN_WHILE_LOCKED:
            continue
        address = path_of(route, patient_pk=patient.pk)
        get, post = locked.get(address), locked.post(address, {"x": "typed"})
        assert get.status_code == 302 and get["Location"].startswith("/locked/?next="), route
        assert post.status_code == 423 and post["Ketaclinic-Held"] == "lock", route
        assert name not in post.content.decode() + locked.get(get["Location"]).content.decode()
    assert {route for route in ROUTES if getattr(ROUTES[route].callback, "while_locked", False)} == OPEN_WHILE_LOCKED, (
        "what stays open must be named here"
    )
    assert AuditEntry.objects.count() == before + 1, "one lock, and nothing else happened"


def test_the_floor_stays_to_be_seen_without_names(locked: Client, patient: Patient) -> None:
    page = locked.get("/locked/").content.decode()
    assert reverse("treatment:wall_live") in page
    wall = locked.get(reverse("treatment:wall_live"))
    assert wall.status_code == 200 and "No names on this display" in wall.content.decode()
    assert locked.get(reverse("treatment:wall")).status_code == 302


@pytest.mark.parametrize("name", ["treatment:floor_live", "treatment:wall_live", "access:state"])
def test_hours_of_polling_keep_no_session_alive(name: str, at_work: Client, clock: Clock) -> None:
    for _ in range(3 * 60):
        clock.pass_minutes(1)
        at_work.get(reverse(name), HTTP_HX_REQUEST="true")
    presence = Presence.objects.get()
    assert (presence.last_active_at, presence.locked_at) == (NOON, NOON + timedelta(minutes=10))
    assert not is_in(at_work)


def test_an_entry_that_is_sent_again_by_itself_is_nobody(at_work: Client, clock: Clock) -> None:
    clock.pass_minutes(5)
    at_work.post("/treatment/session/1/record/", {"kind": "note"}, headers={"Ketaclinic-Resent": "1"})
    assert Presence.objects.get().last_active_at == NOON


def test_typing_keeps_it_open(at_work: Client, clock: Clock) -> None:
    for _ in range(6):
        clock.pass_minutes(6)
        assert at_work.post("/here/").status_code == 204
    assert is_in(at_work)


def test_activity_is_written_at_most_once_a_minute(at_work: Client, clock: Clock) -> None:
    clock.pass_minutes(0.9)
    at_work.get("/account/")
    assert Presence.objects.get().last_active_at == NOON
    clock.pass_minutes(0.2)
    at_work.get("/account/")
    assert Presence.objects.get().last_active_at == clock.at


def test_a_poll_of_a_locked_page_leads_to_the_lock(locked: Client) -> None:
    reply = locked.get(
        reverse("treatment:floor_live"),
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/treatment/floor/"},
    )
    assert reply.status_code == 423
    assert reply["HX-Redirect"] == "/locked/?next=%2Ftreatment%2Ffloor%2F"
    evil = locked.get(
        reverse("treatment:floor_live"),
        headers={"HX-Request": "true", "HX-Current-URL": "http://evil.example/treatment/floor/"},
    )
    assert evil["HX-Redirect"] == "/locked/?next=%2F"


def test_the_password_of_the_same_person_opens_it(locked: Client, clock: Clock) -> None:
    assert locked.get("/patients/").status_code == 302
    wrong = locked.post("/locked/?next=/patients/", {"access-password": "wrong"})
    assert wrong.status_code == 423 and b"That was not right" in wrong.content
    assert locked.post("/locked/?next=/patients/", {"access-password": PASSWORD})["Location"] == "/patients/"
    assert is_in(locked)
    told = AuditEntry.objects.filter(action__in=["lock", "unlock", "proof_failed"])
    assert [entry.action for entry in told] == ["lock", "proof_failed", "unlock"]


def test_what_was_typed_while_it_locked_is_not_lost(locked: Client, nurse: Staff, clock: Clock) -> None:
    typed = {
        "given_name": "Synthetic",
        "family_name": "O'Typed <b>",
        "birth_date": "1980-01-01",
        "sex": "female",
        "language": "en",
        "note": "one\ntwo",
    }
    held = locked.post("/patients/new/", typed)
    assert held.status_code == 423 and not Patient.objects.filter(family_name="O'Typed <b>").exists()
    assert dict(held.context["typed"]) == typed
    assert "O&#x27;Typed &lt;b&gt;" in held.content.decode() and 'action="/patients/new/"' in held.content.decode()
    done = locked.post("/patients/new/", {**typed, "access-password": PASSWORD})
    assert done.status_code == 302
    assert Patient.objects.filter(family_name="O'Typed <b>").count() == 1
    assert is_in(locked)


def test_a_script_is_told_where_to_unlock(locked: Client) -> None:
    reply = locked.post("/treatment/session/1/record/", {"kind": "note"}, headers={"Accept": "application/json"})
    assert reply.status_code == 423 and reply.json()["unlock"] == "/locked/unlock/"
    wrong = locked.post("/locked/unlock/", {"access-password": "x"}, headers={"Accept": "application/json"})
    assert wrong.status_code == 423 and wrong.json()["because"][0].startswith("That was not right.")
    right = locked.post("/locked/unlock/", {"access-password": PASSWORD}, headers={"Accept": "application/json"})
    assert right.json() == {"confirmed": True}
    assert is_in(locked)


def test_guessing_at_a_locked_screen_is_throttled_and_hurts_nobody_else(
    locked: Client, nurse: Staff, phone: Phone, clock: Clock
) -> None:
    replies = [locked.post("/locked/", {"access-password": f"{n}"}).status_code for n in range(12)]
    assert replies == [423] * 10 + [429] * 2
    refused = locked.post("/locked/", {"access-password": PASSWORD})
    assert refused.status_code == 429 and b"Wait 15 min" in refused.content and "Retry-After" in refused
    elsewhere = Client()
    sign_in(elsewhere, nurse, phone, clock.at)
    assert is_in(elsewhere)


def test_a_screen_is_locked_by_hand(at_work: Client) -> None:
    assert at_work.post("/locked/")["Location"] == "/locked/"
    assert not is_in(at_work)
    assert AuditEntry.objects.get(action="lock").reason == "by hand"
    assert at_work.get("/here/state/").json()["locked"] is True


def test_the_state_says_how_long_there_is(at_work: Client, clock: Clock) -> None:
    clock.pass_minutes(4)
    assert at_work.get("/here/state/").json() == {"locked": False, "seconds": 360}
    assert Client().get("/here/state/").status_code == 302


def test_somebody_else_can_sign_out_a_locked_screen(locked: Client) -> None:
    locked.post("/sign-out/")
    assert not Presence.objects.exists()


def test_the_page_carries_what_its_script_needs(at_work: Client) -> None:
    page = at_work.get("/account/").content.decode()
    assert 'data-idle="600"' in page and 'data-locked="/locked/"' in page and "access/idle.js" in page


def test_a_file_that_was_sent_while_locked_has_to_be_chosen_again(locked: Client) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    page = locked.post("/fhir/import/", {"file": SimpleUploadedFile("x.json", b"{}")})
    assert page.status_code == 423 and b"chosen again" in page.content


def test_another_persons_password_opens_nothing(locked: Client, chief: Staff, patient: Patient) -> None:
    chief.user.set_password("the chief has another")
    chief.user.save()
    assert locked.post("/locked/", {"access-password": "the chief has another"}).status_code == 423
    assert make_patient(patient.clinic) and not is_in(locked)
