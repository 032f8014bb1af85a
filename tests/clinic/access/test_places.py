"""Invited, closed, opened again, recovered: nobody ever knows another person's password."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client, override_settings

from ketaclinic.access import factors
from ketaclinic.access.actions.invitations import accept_invitation, invite, withdraw_invitations
from ketaclinic.access.models import Invitation, Presence
from ketaclinic.access.store import row_key
from ketaclinic.audit.models import AuditEntry
from ketaclinic.cli.main import run
from ketaclinic.people.actions import change_staff
from ketaclinic.people.models import Clinic, Staff, User
from ketaclinic.people.permissions import Role
from tests.clinic.access.people import PASSWORD, Phone, is_in, sign_in, type_password, with_app
from tests.support.clock import Clock
from tests.support.people import NOON, make_clinic, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.real_sign_in]

NEW = {"display_name": "Synthetic New", "role": "nurse", "username": "synthetic.new", "email": ""}
CHOSEN = "quite a long new phrase"
PROOF = {"access-password": PASSWORD}


def link_in(reply: Any) -> str:
    found = re.search(r"/invitation/[\w-]+/", reply.content.decode())
    assert found is not None, reply.status_code
    return found[0]


def accept(client: Client, link: str, password: str = CHOSEN) -> Any:
    assert client.get(link)["Location"] == "/invitation/"
    return client.post("/invitation/", {"new_password1": password, "new_password2": password})


def set_up_app(client: Client, clock: Clock) -> Phone:
    client.get("/sign-in/set-up/")
    phone = Phone(client.session["access.app_secret"])
    assert client.post("/sign-in/set-up/", {"code": phone.shows(clock.at)}).status_code == 302
    return phone


def test_an_invited_person_chooses_everything_themselves(office: Client, chief: Staff, clock: Clock) -> None:
    reply = office.post("/staff/new/", NEW)
    link = link_in(reply)
    member = Staff.objects.get(user__username="synthetic.new")
    assert not member.user.has_usable_password() and member.clinic_id == chief.clinic_id
    token = link.split("/")[2]
    assert token not in str(list(Invitation.objects.values())) + str(list(AuditEntry.objects.values()))
    assert "Invited" in office.get("/staff/").content.decode()
    assert link not in office.get(f"/staff/{member.pk}/").content.decode(), "it is shown once"

    theirs = Client()
    assert theirs.get(link)["Location"] == "/invitation/", "the token leaves the address at once"
    assert "synthetic.new" in theirs.get("/invitation/").content.decode()
    assert theirs.post("/invitation/", {"new_password1": "short", "new_password2": "short"}).status_code == 422
    public = "synthetic-people-only"
    assert theirs.post("/invitation/", {"new_password1": public, "new_password2": public}).status_code == 422
    assert accept(theirs, link)["Location"] == "/sign-in/set-up/"
    assert not is_in(theirs)
    phone = set_up_app(theirs, clock)
    assert is_in(theirs)
    clock.pass_minutes(1)
    again = Client()
    assert type_password(again, "synthetic.new", CHOSEN)["Location"] == "/sign-in/second/"
    assert phone.shows(clock.at)


def test_a_link_holds_once_and_for_three_days(office: Client, clock: Clock) -> None:
    link = link_in(office.post("/staff/new/", NEW))
    first, second = Client(), Client()
    first.get(link)
    second.get(link)
    data = {"new_password1": CHOSEN, "new_password2": CHOSEN}
    assert first.post("/invitation/", data).status_code == 302
    assert second.post("/invitation/", data).status_code == 404
    assert Client().get(link).status_code == 404
    other = link_in(office.post("/staff/new/", {**NEW, "username": "synthetic.other"}))
    clock.pass_days(3)
    assert Client().get(other).status_code == 404
    assert Client().get("/invitation/made-up/").status_code == 404
    assert Client().get("/invitation/").status_code == 404


def test_two_at_the_same_moment_are_one(clinic: Clinic, nurse: Staff, chief: Staff) -> None:
    invitation, _ = invite(user=nurse.user, purpose="recover", by=chief, at=NOON)
    assert accept_invitation(invitation=invitation, password=CHOSEN, at=NOON) == nurse.user
    assert accept_invitation(invitation=invitation, password="an attacker's phrase", at=NOON) is None
    nurse.user.refresh_from_db()
    assert nurse.user.check_password(CHOSEN)


def test_a_new_link_makes_the_one_before_void(nurse: Staff, chief: Staff, clock: Clock) -> None:
    _, old = invite(user=nurse.user, purpose="recover", by=chief, at=NOON)
    _, new = invite(user=nurse.user, purpose="recover", by=chief, at=NOON)
    assert Client().get(f"/invitation/{old}/").status_code == 404
    assert Client().get(f"/invitation/{new}/").status_code == 302
    assert withdraw_invitations(user=nurse.user, by=chief, at=NOON) == 1
    assert Client().get(f"/invitation/{new}/").status_code == 404


def test_anybody_can_be_invited_and_without_a_place_no_second_factor_is_needed(chief: Staff, clock: Clock) -> None:
    """Patients and caregivers get their sign-ins by the same link."""
    user = User.objects.create_user("somebody", password=None)
    _, token = invite(user=user, purpose=Invitation.Purpose.JOIN, by=chief, at=NOON)
    theirs = Client()
    assert accept(theirs, f"/invitation/{token}/")["Location"] == "/"
    assert Presence.objects.get(user=user).standing == "no place"


def test_closing_a_place_ends_everything_at_once(
    office: Client, at_work: Client, nurse: Staff, phone: Phone, clock: Clock
) -> None:
    assert is_in(at_work)
    assert office.post(f"/staff/{nurse.pk}/", {"do": "close"})["Location"] == f"/staff/{nurse.pk}/duties/"
    assert not is_in(at_work)
    nurse.refresh_from_db()
    assert not nurse.is_active and not nurse.user.has_usable_password() and not factors.has_factor(nurse.user)
    assert type_password(Client(), nurse.user.username).status_code == 422
    assert "Nothing is left open" in office.get(f"/staff/{nurse.pk}/duties/").content.decode()


def test_opening_it_again_needs_a_new_link(office: Client, nurse: Staff, phone: Phone, clock: Clock) -> None:
    office.post(f"/staff/{nurse.pk}/", {"do": "close"})
    link = link_in(office.post(f"/staff/{nurse.pk}/", {"do": "open"}))
    assert type_password(Client(), nurse.user.username).status_code == 422
    theirs = Client()
    assert accept(theirs, link)["Location"] == "/sign-in/set-up/"
    set_up_app(theirs, clock)
    assert is_in(theirs)


def test_who_lost_every_factor_gets_a_link_and_is_told_who_made_it(
    office: Client, chief: Staff, at_work: Client, nurse: Staff, clock: Clock
) -> None:
    link = link_in(office.post(f"/staff/{nurse.pk}/", {"do": "recover"}))
    assert not is_in(at_work)
    assert type_password(Client(), nurse.user.username).status_code == 422
    theirs = Client()
    theirs.get(link)
    assert str(chief) in theirs.get("/invitation/").content.decode()
    assert AuditEntry.objects.get(action="reset_second_factor").actor_id == chief.pk
    assert office.post(f"/staff/{chief.pk}/", {"do": "recover"}).status_code == 302
    assert office.get("/").status_code == 200, "nobody locks themselves out"
    office.post(f"/staff/{nurse.pk}/", {"do": "close"})
    office.post(f"/staff/{nurse.pk}/", {"do": "recover"})
    assert Invitation.objects.filter(user=nurse.user).count() == 1


def test_the_last_administrator_stays(office: Client, chief: Staff) -> None:
    office.post(f"/staff/{chief.pk}/", {"do": "close"})
    office.post(f"/staff/{chief.pk}/", {"display_name": "x", "role": "nurse"})
    chief.refresh_from_db()
    assert chief.is_active and chief.role == Role.ADMINISTRATOR


def test_a_new_role_ends_the_session(office: Client, at_work: Client, nurse: Staff, chief: Staff) -> None:
    office.post(f"/staff/{nurse.pk}/", {"display_name": "Same role", "role": "nurse"})
    assert is_in(at_work)
    change_staff(member=nurse, by=chief, at=NOON, role=Role.PRESCRIBER)
    assert not is_in(at_work)


def test_a_session_of_a_place_closed_in_the_database_ends(at_work: Client, nurse: Staff) -> None:
    Staff.objects.filter(pk=nurse.pk).update(is_active=False)
    assert not is_in(at_work)


# ---- devices -------------------------------------------------------------------------------------------------------


def test_a_lost_tablet_is_signed_out_by_an_administrator(
    office: Client, at_work: Client, nurse: Staff, phone: Phone, clock: Clock
) -> None:
    clock.pass_minutes(1)
    tablet = Client(headers={"User-Agent": "Mozilla/5.0 (Linux; Android 14) Chrome/129.0 Safari/537.36"})
    sign_in(tablet, nurse, phone, clock.at)
    page = office.get(f"/staff/{nurse.pk}/").content.decode()
    assert "Chrome on Android" in page
    lost = Presence.objects.get(device="Chrome on Android")
    office.post(f"/staff/{nurse.pk}/devices/end/", {"presence": lost.pk})
    assert not is_in(tablet) and is_in(at_work)
    office.post(f"/staff/{nurse.pk}/devices/end/")
    assert not is_in(at_work)
    assert AuditEntry.objects.filter(action="end_session", reason="by an administrator").count() == 2


def test_one_signs_ones_own_other_devices_out(at_work: Client, nurse: Staff, phone: Phone, clock: Clock) -> None:
    clock.pass_minutes(1)
    other = Client()
    sign_in(other, nurse, phone, clock.at)
    presence = Presence.objects.exclude(session_key=row_key(at_work.session.session_key)).get()
    at_work.post(f"/account/devices/{presence.pk}/end/")
    assert not is_in(other)
    clock.pass_minutes(1)
    sign_in(other, nurse, phone, clock.at)
    at_work.post("/account/devices/end-others/")
    assert not is_in(other) and is_in(at_work)


def test_nobody_ends_another_persons_session(at_work: Client, office: Client, chief: Staff) -> None:
    theirs = Presence.objects.get(user=chief.user)
    assert at_work.post(f"/account/devices/{theirs.pk}/end/").status_code == 404
    assert is_in(office)
    foreign = make_staff(make_clinic(name="Elsewhere"), Role.NURSE)
    assert office.post(f"/staff/{foreign.pk}/devices/end/").status_code == 404
    assert office.post(f"/staff/{chief.pk}/devices/end/", {"presence": 987}).status_code == 404


# ---- one's own sign-in ---------------------------------------------------------------------------------------------


def test_a_new_password_signs_every_other_device_out(at_work: Client, nurse: Staff, phone: Phone, clock: Clock) -> None:
    clock.pass_minutes(1)
    other = Client()
    sign_in(other, nurse, phone, clock.at)
    wrong = {"access-password": "x", "new_password1": CHOSEN, "new_password2": CHOSEN}
    assert at_work.post("/account/password/", wrong).status_code == 401
    assert at_work.post("/account/password/", {**wrong, "access-password": PASSWORD}).status_code == 302
    assert is_in(at_work) and not is_in(other)
    assert type_password(Client(), nurse.user.username).status_code == 422
    assert type_password(Client(), nurse.user.username, CHOSEN).status_code == 302


def test_the_last_second_factor_stays(at_work: Client, nurse: Staff, clock: Clock) -> None:
    (app,) = factors.factors_of(nurse.user)
    assert at_work.post(f"/account/second-factor/{app.pk}/remove/", PROOF).status_code == 409
    assert factors.has_factor(nurse.user)
    assert at_work.post("/account/second-factor/987654/remove/", PROOF).status_code == 409


def test_whoever_passes_an_open_tablet_makes_no_factor_of_their_own(at_work: Client, nurse: Staff) -> None:
    (app,) = factors.factors_of(nurse.user)
    codes = set(factors.recovery_codes(nurse.user))
    for address in (
        "/account/second-factor/",
        f"/account/second-factor/{app.pk}/remove/",
        "/account/recovery-codes/new/",
    ):
        for proof in ({}, {"access-password": "wrong"}, {"access-credential": "{}"}):
            held = at_work.post(address, {"code": "123456", **proof})
            assert held.status_code == 401 and held["Ketaclinic-Held"] == "confirm", (address, proof)
    assert factors.factors_of(nurse.user) == [app] and set(factors.recovery_codes(nurse.user)) == codes


def test_new_recovery_codes_replace_the_old(at_work: Client, nurse: Staff) -> None:
    old = set(factors.recovery_codes(nurse.user))
    assert at_work.post("/account/recovery-codes/new/", PROOF)["Location"] == "/account/recovery-codes/"
    assert at_work.get("/account/recovery-codes/").status_code == 200
    assert not old & set(factors.recovery_codes(nurse.user))


def test_another_factor_is_added_later(at_work: Client, nurse: Staff) -> None:
    page = at_work.get("/account/second-factor/").content.decode()
    assert 'name="access-password"' in page, "the password goes with it, in one step"
    assert "<svg class" in page and "Six digits" not in page, "one app is enough; a passkey may come"
    assert at_work.post("/account/second-factor/", {"credential": "{}", **PROOF}).status_code == 422
    assert at_work.post("/account/second-factor/", {"credential": "not json", **PROOF}).status_code == 422
    assert at_work.post("/account/second-factor/", {"code": "123456", **PROOF}).status_code == 422


@pytest.mark.parametrize(
    "answer", ["{}", "[]", "null", "x", '{"response": {"userHandle": "MQ"}}', '{"id": 1, "response": 2}']
)
def test_a_made_up_passkey_opens_nothing(answer: str, client: Client, clock: Clock, nurse: Staff, phone: Phone) -> None:
    client.post("/sign-in/passkey/", {"for": "use"})
    assert client.post("/sign-in/", {"credential": answer}).status_code == 422
    type_password(client, nurse.user.username)
    client.post("/sign-in/passkey/", {"for": "use"})
    assert client.post("/sign-in/second/", {"credential": answer}).status_code == 422
    assert not is_in(client)
    assert Client().post("/sign-in/passkey/", {"for": "make"}).status_code == 403


# ---- the server's command line -------------------------------------------------------------------------------------


def test_the_first_administrator_of_an_empty_installation(
    db: None, capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    assert run(["staff", "invite", "first", "--name", "x" * 121]) == 1
    assert "at most 120 letters" in capsys.readouterr().err
    assert run(["staff", "invite", "first", "--name", "Synthetic First"]) == 1
    assert "there is no clinic yet" in capsys.readouterr().err
    founding = ["--found", "Synthetic Clinic", "--emergency-contact", "On call"]
    assert run(["staff", "invite", "first", "--name", "Synthetic First", "--found", "X"]) == 1
    assert run(["staff", "invite", "first", "--name", "Synthetic First", *founding]) == 0
    link = capsys.readouterr().out.strip()
    member = Staff.objects.get(user__username="first")
    assert (member.role, member.clinic.name, member.synthetic) == ("administrator", "Synthetic Clinic", False)
    assert run(["staff", "invite", "second", "--name", "Another"]) == 1
    assert "--role" in capsys.readouterr().err, "nobody becomes a second administrator by leaving a word out"
    assert run(["staff", "invite", "FIRST", "--name", "Another", "--role", "nurse"]) == 1
    assert run(["staff", "invite", "FIRST", "--name", "Another", *founding]) == 1
    assert "taken" in capsys.readouterr().err
    assert Clinic.objects.get() == member.clinic, "a name that is taken leaves no clinic without anybody in it"
    assert run(["staff", "invite", "x", "--name", "X", "--role", "king"]) == 1
    for action in ("found_clinic", "add_staff"):
        entry = AuditEntry.objects.get(action=action)
        assert (entry.actor_kind, entry.clinic_id) == ("system", member.clinic_id)
    invitation = Invitation.objects.get()
    assert accept_invitation(invitation=invitation, password=CHOSEN, at=invitation.made_at) == member.user
    assert link.startswith("http://127.0.0.1:8000/invitation/")


def test_the_last_administrator_is_let_back_in_on_the_server(
    office: Client, chief: Staff, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["staff", "reset-second-factor", chief.user.username, "--address", "https://clinic.example/"]) == 0
    assert capsys.readouterr().out.startswith("https://clinic.example/invitation/")
    assert not is_in(office) and not factors.has_factor(chief.user)
    assert run(["staff", "reset-second-factor", "nobody"]) == 1


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
def test_check_tells_of_public_passwords(clinic: Clinic) -> None:
    from ketaclinic.cli.check_command import check_sign_ins

    assert [checked.says for checked in check_sign_ins()] == ["none is public", "everybody has one"]
    member = make_staff(clinic, Role.NURSE)
    member.user.set_password("synthetic-people-only")
    member.user.save()
    with_app(make_staff(clinic, Role.NURSE), NOON)
    make_staff(clinic, Role.NURSE)
    says = [checked.says for checked in check_sign_ins()]
    assert says == ["1 of staff, public: only serve --demo lets them in", "1 to be set up at the next sign-in"]
