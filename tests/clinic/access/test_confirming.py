"""Signing, ordering and taking data out: the person confirms that it is they, and nothing typed is lost."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from ketaclinic.access.models import Presence
from ketaclinic.audit.models import AuditEntry
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.treatment import actions
from ketaclinic.treatment.models import SessionEvent
from tests.clinic.access.people import PASSWORD, is_in, sign_in, with_app
from tests.clinic.treatment.whole import checked, minute, opened, ready_plan, sign_everything
from tests.support.clock import Clock
from tests.support.people import NOON
from tests.support.routes import ROUTES

pytestmark = [pytest.mark.django_db, pytest.mark.real_sign_in]

FRESH = {
    "access:add_staff",
    "access:invite_to_care",
    "access:change_staff",
    "consent:sign",
    "consent:sign_off",
    "consent:withdraw",
    "continuity:paper_open",
    "fhir:export_bundle",
    "maintenance:answer",
    "maintenance:evaluate",
    "people:clinic",
    "planning:change",
    "planning:end",
    "planning:sign",
    "policy:sign",
    "policy:sign_all",
    "screening:decide",
    "screening:refute",
    "screening:refute_allergy",
    "treatment:open",
}


ALWAYS = {"access:password", "access:add_factor", "access:remove_factor", "access:renew_codes"}
"""Whoever could do this at an open tablet would be its person from then on, from anywhere."""


def test_what_must_be_confirmed_is_named() -> None:
    asks = {name for name, route in ROUTES.items() if getattr(route.callback, "fresh_when", None)}
    assert asks == {"treatment:record", "treatment:amend", "treatment:undo", "continuity:paper_entries"}
    always = {name for name, route in ROUTES.items() if getattr(route.callback, "password_again", False)}
    assert always == ALWAYS
    named = {name for name, route in ROUTES.items() if getattr(route.callback, "fresh", "")}
    assert named == FRESH | asks | ALWAYS


@pytest.fixture
def later(clock: Clock, prescriber: Staff) -> Client:
    """The prescriber's browser, busy, but not confirmed for more than ten minutes."""
    return _confirmed_a_while_ago(clock, prescriber)


def _confirmed_a_while_ago(clock: Clock, prescriber: Staff) -> Client:
    client = Client()
    sign_in(client, prescriber, with_app(prescriber, NOON.replace(hour=1)), clock.at)
    clock.pass_minutes(6)
    assert is_in(client)
    clock.pass_minutes(6)
    return client


def export_of(patient: Patient) -> str:
    return reverse("fhir:export_bundle", args=[patient.pk])


def test_just_after_the_sign_in_nothing_is_asked(
    at_work: Client, clock: Clock, prescriber: Staff, patient: Patient
) -> None:
    client = Client()
    sign_in(client, prescriber, with_app(prescriber, NOON.replace(hour=1)), clock.at)
    assert client.post(export_of(patient)).status_code == 200


def test_later_the_password_is_asked_and_then_the_deed_is_done(later: Client, patient: Patient, clock: Clock) -> None:
    asked = later.post(export_of(patient), {"why": "second opinion"})
    assert asked.status_code == 401 and asked["Ketaclinic-Held"] == "confirm"
    assert asked.context["typed"] == [("why", "second opinion")]
    assert "you are about to <b>take this record out</b>" in asked.content.decode()
    assert not AuditEntry.objects.filter(action__startswith="export").exists()
    wrong = later.post(export_of(patient), {"why": "second opinion", "access-password": "wrong"})
    assert wrong.status_code == 401 and wrong.context["typed"] == [("why", "second opinion")]
    done = later.post(export_of(patient), {"why": "second opinion", "access-password": PASSWORD})
    assert done.status_code == 200 and done["Content-Type"] == "application/fhir+json"
    assert Presence.objects.get().confirmed_at == clock.at
    assert later.post(export_of(patient)).status_code == 200
    assert [e.action for e in AuditEntry.objects.filter(action__in=["confirm", "proof_failed"])] == [
        "proof_failed",
        "confirm",
    ]


def test_reading_asks_nothing(later: Client, patient: Patient) -> None:
    assert later.get(reverse("planning:patient", args=[patient.pk])).status_code == 200
    assert later.get(reverse("treatment:open", args=[patient.pk])).status_code == 200


def test_a_script_is_told_where_to_confirm(later: Client, patient: Patient) -> None:
    as_json = {"Accept": "application/json"}
    held = later.post(export_of(patient), headers=as_json)
    assert held.status_code == 401 and held.json()["confirm"] == "/confirm/"
    assert later.post("/confirm/", {"access-password": "x"}, headers=as_json).status_code == 401
    assert later.post("/confirm/", {"access-password": PASSWORD}, headers=as_json).json() == {"confirmed": True}
    assert later.post(export_of(patient), headers=as_json).status_code == 200


@pytest.mark.parametrize("door", ["treatment:record", "continuity:paper_entries"])
def test_only_signatures_among_the_entries_are_asked_for(door: str, later: Client) -> None:
    address = reverse(door, args=[1])
    assert later.post(address, {"kind": "note"}).status_code == 404
    for kind in ("release_signed", "prescriber_decision"):
        assert later.post(address, {"kind": kind}).status_code == 401, kind


def test_a_signature_is_asked_for_again_when_it_is_corrected(
    clock: Clock, patient: Patient, prescriber: Staff, nurse: Staff
) -> None:
    sign_everything(prescriber)
    session = opened(ready_plan(patient, prescriber), nurse)
    checked(session, nurse)
    decided = actions.record_prescriber_decision(
        session=session, about="SPR-PRE-01-DOSE", ruling="hold", reason="Wait.", by=prescriber, at=minute(-5)
    )
    noted = actions.record_vitals(session=session, by=nurse, at=minute(-4), heart_rate=70)
    clock.at = minute(0)
    later = _confirmed_a_while_ago(clock, prescriber)
    corrected = {"reason": "Misread.", "heart_rate": "71", "entry_key": "k1"}
    for_now, signed = (reverse("treatment:amend", args=[session.pk, row.pk]) for row in (noted, decided))
    assert later.post(for_now, corrected).status_code == 302
    assert later.get(signed).status_code == 200
    told = {"reason": "Misread.", "about": "SPR-PRE-01-DOSE", "ruling": "hold", "entry_key": "k2"}
    assert later.post(signed, told).status_code == 401
    assert later.post(reverse("treatment:amend", args=[session.pk, 987_654]), told).status_code == 404
    assert later.post(signed, {**told, "voided": "on", "access-password": PASSWORD}).status_code == 302


def test_taking_a_signature_back_asks_too(clock: Clock, patient: Patient, prescriber: Staff, nurse: Staff) -> None:
    sign_everything(prescriber)
    session = opened(ready_plan(patient, prescriber), nurse)
    checked(session, nurse)
    clock.at = minute(-6)
    browser = _confirmed_a_while_ago(clock, prescriber)
    told = {"about": "SPR-PRE-01-DOSE", "ruling": "hold", "reason": "Wait."}
    decided = actions.record_prescriber_decision(session=session, by=prescriber, at=minute(0), **told)
    address = reverse("treatment:undo", args=[session.pk])
    held = browser.post(address, {"entry_key": "u1"})
    assert held.status_code == 401 and "take a signature back" in held.content.decode()
    decided.refresh_from_db()
    assert SessionEvent.objects.filter(amends=decided).count() == 0
    assert browser.post(address, {"entry_key": "u1", "access-password": PASSWORD}).status_code == 302
    actions.record_vitals(session=session, by=prescriber, at=minute(6), heart_rate=70)
    clock.pass_minutes(6)
    assert is_in(browser)
    clock.pass_minutes(6)
    assert browser.post(address, {"entry_key": "u2"}).status_code == 302, "a reading is taken back unasked"


def test_guessing_is_throttled(later: Client, patient: Patient) -> None:
    codes = [later.post(export_of(patient), {"access-password": f"{n}"}).status_code for n in range(11)]
    assert codes == [401] * 10 + [429]
    assert later.post("/confirm/", {"access-password": PASSWORD}).status_code == 429


NEW = {"new_password1": "quite a long new phrase", "new_password2": "quite a long new phrase"}


def test_the_old_password_is_guessed_no_more_often_than_any_proof(at_work: Client, nurse: Staff) -> None:
    """Somebody else at a screen that was left open, just after its person has confirmed."""
    codes = [at_work.post("/account/password/", {**NEW, "access-password": f"{n}"}).status_code for n in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert AuditEntry.objects.filter(action="proof_failed", actor_id=nurse.pk).count() == 10
    refused = at_work.post("/account/password/", {**NEW, "access-password": PASSWORD})
    assert refused.status_code == 429 and b"Wait 15 min" in refused.content and refused["Retry-After"] == "900"


@pytest.mark.parametrize("proof", [{}, {"access-credential": "{}"}])
def test_only_the_old_password_itself_changes_it(proof: dict[str, str], at_work: Client, nurse: Staff) -> None:
    asked = at_work.post("/account/password/", {**NEW, **proof})
    assert asked.status_code == 401 and not asked.context["passkeys"]
    nurse.user.refresh_from_db()
    assert nurse.user.check_password(PASSWORD)


def test_the_form_never_sees_the_password(at_work: Client, office: Client, chief: Staff) -> None:
    """A password that came along without being asked for is taken out before the view reads the form."""
    reply = office.post("/clinic/", {"name": "", "access-password": "secret-phrase"})
    assert reply.status_code == 422
    assert "access-password" not in reply.context["form"].data
    assert Clinic.objects.get(pk=chief.clinic_id).name
